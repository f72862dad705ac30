"""The journal's word for a refusal is the one that was sent, whatever the profile makes of it."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import httpx
import pytest

from mp_oauth_sandbox import Application, Cause, Sandbox
from mp_oauth_sandbox.core.profile import DEFAULT, Profile
from mp_oauth_sandbox.core.refusals import RULES
from mp_oauth_sandbox.faults import Refuse

#: Every switch that changes what a refusal looks like; sentences are tried with one of their own.
SWITCHES = (
    "error_body",
    "invalid_grant_final_period",
    "invalid_client_status",
    "forbidden_status",
    "rate_limited_body",
    "retry_after",
    "unsupported_grant_type_message",
    "invalid_scope_message",
    "unauthorized_client_message",
    "forbidden_message",
    "bad_authorization_request",
    "denial_error_description",
    "denial_echoes_state",
    "redirect_status",
    "unauthorized_body",
)


def others(name: str) -> list[object]:
    """What a switch can be beside its default."""
    hint, default = get_type_hints(Profile)[name], getattr(DEFAULT, name)
    if isinstance(default, bool):
        return [not default]
    if hint is str:
        return ["own words"]
    if hint == int | None:
        return [5]
    return [value for value in get_args(hint) if value != default]


VARIANTS: list[dict[str, Any]] = [{}, *({name: one} for name in SWITCHES for one in others(name))]


class Doors:
    """The three endpoints, each asked once by somebody."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client, app: Application) -> None:
        self.sandbox, self.http, self.app = sandbox, http, app

    def ask(self, place: str, fault: Refuse) -> httpx.Response:
        self.sandbox.faults.add(fault)
        match place:
            case "authorization":
                return self.http.get(self.sandbox.authorization_url(self.app, state="s1"))
            case "token":
                return self.http.post("/oauth/token", json={"grant_type": "refresh_token"})
            case _:
                return self.http.get("/users/me")

    def assert_word(self, answer: httpx.Response) -> str:
        """The journal's word, once it is found in the answer where words are."""
        word = self.sandbox.journal.last().error
        assert word
        if "location" in answer.headers:
            assert httpx.URL(answer.headers["location"]).params["error"] == word
        elif answer.headers["content-type"].startswith("application/json"):
            body = answer.json()
            assert body.get("error", body.get("code")) == word
        elif answer.headers["content-type"] == "text/plain":
            assert answer.text == word
        else:
            assert answer.headers["content-type"].startswith("text/html")
            assert word == "error_page"
        return word


@pytest.fixture
def doors() -> Iterator[Doors]:
    with (
        Sandbox(live=False) as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http,
    ):
        sandbox.auto_consent(sandbox.create_seller())
        yield Doors(
            sandbox, http, sandbox.register_application(redirect_uris=["https://shop.example/cb"])
        )


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_word_of_every_cause_is_the_one_in_the_answer(doors: Doors, variant: dict[str, Any]):
    doors.sandbox.change_profile(**variant)

    for cause, rule in RULES.items():
        for place in rule.endpoints:
            word = doors.assert_word(doors.ask(place, Refuse(cause=cause, on=place)))
            if not variant and (place != "authorization" or rule.shape in {"page", "redirect"}):
                assert word == rule.error


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("place", ["token", "resource"])
def test_a_failing_server_is_called_by_the_words_of_its_status(
    doors: Doors, place: str, status: int
):
    answer = doors.ask(place, Refuse(status=status, on=place))  # type: ignore[arg-type]  # one of its literals

    words = httpx.codes.get_reason_phrase(status).lower().replace(" ", "_")
    assert doors.assert_word(answer) == words


def test_the_words_differ_from_the_default_where_the_profile_says_so(doors: Doors):
    doors.sandbox.change_profile(
        unauthorized_body="invalid_token",
        rate_limited_body="too_many_requests",
        bad_authorization_request="redirect",
    )

    expected = {
        ("resource", Cause.TOKEN_EXPIRED): "not_found",
        ("token", Cause.RATE_LIMITED): "too_many_requests",
        ("authorization", Cause.REDIRECT_URI_NOT_REGISTERED): "redirect_uri_mismatch",
    }

    for (place, cause), word in expected.items():
        assert doors.assert_word(doors.ask(place, Refuse(cause=cause, on=place))) == word


def test_the_button_of_the_callback_page_writes_the_word_down_too(doors: Doors):
    sandbox, http = doors.sandbox, doors.http
    sandbox.register_application(redirect_uris=[f"{sandbox.url}/callback"])
    page = http.get("/callback", params={"code": "TG-nonsense"})
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]

    http.post("/callback", data={"csrf": csrf, "code": "TG-nonsense"})

    entry = sandbox.journal.last("token")
    assert (entry.error, entry.cause) == ("invalid_grant", Cause.CODE_UNKNOWN)
