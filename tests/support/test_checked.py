"""What is wrong with an input is told by its place, and with what would be right there."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from mp_oauth_sandbox.support.checked import did_you_mean, invalid, misfit


class Cause(Enum):
    EXPIRED = "expired"
    SPENT = "spent"


class Wait(Struct, tag="wait", tag_field="do", forbid_unknown_fields=True):
    seconds: int


class Ask(Struct, tag="ask", tag_field="do", forbid_unknown_fields=True):
    actor: str


@dataclass
class Consent:
    mode: Literal["page", "auto"] = "page"


class Story(Struct, forbid_unknown_fields=True, rename="kebab"):
    title: Annotated[str, Meta(pattern="^[A-Z']")]
    steps: list[Wait | Ask] = []
    cause: Cause | None = None
    consent: Consent | None = None
    pair: tuple[int, Literal["left", "right"]] = (0, "left")
    by_name: dict[str, Literal["low", "high"]] = {}
    status: Literal[400, 401] = 400


def error(given: object) -> msgspec.ValidationError:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, Story)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"titel": "x"},
            "titel: Object contains unknown field `titel`; known are title, steps, cause, consent,"
            " pair, by-name, status; did you mean title?",
        ),
        (
            {"steps": [{"do": "wait", "seconds": 1, "second": 1}]},
            "steps[0].second: Object contains unknown field `second`; did you mean seconds?",
        ),
        (
            {"steps": [{"do": "wait", "seconds": 1, "actor": "A"}]},
            "steps[0].actor: Object contains unknown field `actor`",
        ),
        (
            {"steps": [{"do": "wiat"}]},
            "steps[0].do: Invalid value 'wiat'; allowed are wait, ask; did you mean wait?",
        ),
        (
            {"steps": [{"do": "wait"}]},
            "steps[0].seconds: Object missing required field `seconds`",
        ),
        (
            {"cause": "Expierd"},
            "cause: Invalid enum value 'Expierd'; allowed are expired, spent;"
            " did you mean expired?",
        ),
        (
            {"consent": {"mode": "never"}},
            "consent.mode: Invalid enum value 'never'; allowed are page, auto",
        ),
        (
            {"pair": [1, "rigth"]},
            "pair[1]: Invalid enum value 'rigth'; allowed are left, right; did you mean right?",
        ),
        (
            {"by-name": {"x": "hihg"}},
            "by-name[...]: Invalid enum value 'hihg'; allowed are low, high; did you mean high?",
        ),
        ({"status": 402}, "status: Invalid enum value 402; allowed are 400, 401"),
        ({"pair": ["1", "left"]}, "pair[0]: Expected `int`, got `str`"),
        ({"by-name": {1: "low"}}, "by-name: Expected `str`, got `int`"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(
    fields: dict[str, Any], said: str
) -> None:
    wrong = error({"title": "T", **fields})

    assert str(invalid(wrong, whole="story", wanted=Story)) == said


def test_what_is_missing_is_no_mistake_in_a_name() -> None:
    found = misfit(error({}), Story)

    assert (found.kind, found.path, found.remedy) == ("missing", "title", "")


def test_what_is_wrong_as_a_whole_has_the_whole_s_name() -> None:
    assert invalid(error([]), whole="story", wanted=Story).field == "story"


def test_a_pattern_that_is_not_met_is_told_as_it_is_written() -> None:
    found = misfit(error({"title": "t"}), Story)

    assert (found.kind, found.path, found.known) == ("pattern", "title", ("^[A-Z']",))


def test_many_words_are_not_listed_but_the_nearest_is_named() -> None:
    words = tuple(f"word-{number}" for number in range(40))
    wanted = dict[str, Literal[words]]  # type: ignore[valid-type]
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"x": "wrd-39"}, wanted)

    assert misfit(caught.value, wanted).remedy == "; did you mean word-39?"


def test_a_word_is_found_in_whichever_case_it_was_written() -> None:
    assert did_you_mean("MESSAGE", ["message", "plain"]) == "; did you mean message?"
    assert did_you_mean("nonsense", ["message", "plain"]) == ""
