"""How two values differ: by what people and programs add, take away and encode."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.nearest import difference, repairs, without_value

CODE = "TG-65f0c0de0000010001abcdef-200000001"

SLIPS = {
    f"{CODE} ": "with a space behind it",
    f" {CODE}": "with a space before it",
    f"  {CODE}  ": "with spaces around it",
    f"{CODE}\n": "with a line break behind it",
    f"{CODE}\t": "with a tab behind it",
    f"{CODE}\u200b": "with invisible signs behind it",
    f"{CODE[:10]}\n{CODE[10:]}": "with white space or a line break in it",
    f'"{CODE}"': "in quotes",
    f"'{CODE}'": "in quotes",
    f"\u201c{CODE}\u201d": "in \u201c\u201d",
    f"<{CODE}>": "in <>",
    f'{CODE}"': "with a quote that belongs to no other",
    f" '{CODE}'\n": "with a line break around it and in quotes",
    f"{CODE}&state=abc": "with `&state=` and what follows it behind it",
    f"{CODE}#_=_": "with `#_=` and what follows it behind it",
    f"{CODE}?": "with `?` and what follows it behind it",
    f"{CODE}/": "with a slash behind it",
    f"{CODE},": "with `,` and what follows it behind it",
    f"{CODE}.": "with a full stop or comma",
    f"code={CODE}": "with `code` before it",
    f"Bearer Bearer {CODE}": "with `Bearer` before it",
    CODE.replace("-", "%2D"): "percent-encoded once too often",
    CODE.replace("-", "%252D"): "percent-encoded once too often",
    f"&quot;{CODE}&quot;": "with its HTML entities still written out and in quotes",
    f"{CODE}\\n": "with its escapes still written out and with a line break behind it",
    base64.b64encode(CODE.encode()).decode(): "in base64",
    f'{{"code":"{CODE}"}}': "inside of JSON",
    f'["{CODE}"]': "inside of JSON",
    f"{CODE}{CODE}": "written twice",
    f"{CODE},{CODE}": "written twice",
    CODE.replace("-", "\u2013"): "with a typographer's dash for its hyphen",
    CODE.upper(): "in another mix of upper and lower case",
    CODE[:20]: "cut off after 20 of 37 characters",
    CODE[3:]: "without its first 3 characters",
    f"{CODE}7": "with one character too many, number 38",
    CODE[:-1]: "cut off after 36 of 37 characters",
    f"{CODE[:-1]}2": "with another character, number 37",
}


@pytest.mark.parametrize(("sent", "words"), SLIPS.items(), ids=range(len(SLIPS)))
def test_a_slip_is_told_in_words(sent: str, words: str):
    assert difference(sent, CODE) == words


@pytest.mark.parametrize("other", ["", "TG", "x" * 37, "TG-75f0c0de0000010001abcdff-300000001"])
def test_another_value_is_none_with_a_slip(other: str):
    assert difference(other, CODE) is None


def test_the_same_value_has_no_slip():
    assert difference(CODE, CODE) == ""


@given(st.text(max_size=200))
def test_whatever_is_sent_it_is_itself_first_and_then_a_bounded_number_of_others(sent: str):
    meant = [repair.value for repair in repairs(sent)]

    assert meant[0] == sent
    assert len(meant) == len(set(meant)) < 2_000


def test_no_more_of_a_value_is_shown_than_a_name():
    sent = f"{CODE},SandboxOnlySecret000000000000000"

    assert difference(sent, CODE) == "with `,` and what follows it behind it"


@pytest.mark.parametrize(
    "text",
    [
        *("undefined", "null", "None", "nil", "NaN", " undefined ", '"null"', "[object Object]"),
        *("<code>", "${code}", "{{ code }}", "$CODE", "%s", ":code", "YOUR_CODE", "your-code"),
        *("xxxx", "****", "...", "TG-xxxxxxxx", "APP_USR-****", "TG-...#12ab34", "  "),
    ],
)
def test_what_stands_for_a_missing_value_is_named(text: str):
    assert without_value(text) is not None


@pytest.mark.parametrize("text", [CODE, "1234567890123456", "SandboxOnlySecret0", "tienda", "a b"])
def test_a_value_is_not_taken_for_none(text: str):
    assert without_value(text) is None
