"""A mode that somebody has left is seen by the next: in health, on the front page, in journals."""

from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

AS_AT_THE_START = {
    "consent": None,
    "clock": None,
    "profile": None,
    "faults": [],
    "resources": [],
    "applications": {},
    "sessions": 0,
    "told": [],
}


def modes(client: httpx.Client) -> dict[str, Any]:
    return client.get("/_sandbox/health").json()["modes"]


def front_page(client: httpx.Client) -> str:
    return unescape(client.get("/").text)


def notes(sandbox: Sandbox) -> list[str]:
    return [entry.outcome for entry in sandbox.journal if entry.kind == "control"]


CHANGES: list[tuple[str, str, dict[str, Any], str, object, str]] = [
    (
        "PUT",
        "/consent",
        {"mode": "deny"},
        "consent",
        {"mode": "deny", "seller": None},
        "consent deny (every seller refuses at once, without a page)",
    ),
    (
        "PUT",
        "/consent",
        {"mode": "auto", "seller": 5},
        "consent",
        {"mode": "auto", "seller": 5},
        "consent auto (seller 5 approves at once, without a page)",
    ),
    (
        "POST",
        "/clock/advance",
        {"seconds": 15552000},
        "clock",
        {"moved_seconds": 15552000, "frozen": False},
        "clock 180 d ahead, running",
    ),
    (
        "POST",
        "/clock/freeze",
        {},
        "clock",
        {"moved_seconds": 0, "frozen": True},
        "clock frozen",
    ),
    (
        "PATCH",
        "/profile",
        {"preset": "strict", "token_requests_per_minute": 5},
        "profile",
        {"name": "strict", "switches": {"token_requests_per_minute": 5}},
        "profile strict with token_requests_per_minute = 5",
    ),
    (
        "POST",
        "/faults",
        {"kind": "lose-response", "on": "refresh", "times": 2},
        "faults",
        ["f1 lose-response on refresh (matches 1 to 2)"],
        "1 fault armed: f1 lose-response on refresh (matches 1 to 2)",
    ),
    (
        "POST",
        "/resources",
        {"method": "GET", "path": "/users/{id}/brands", "status": 503},
        "resources",
        ["GET /users/{id}/brands answers 503"],
        "1 resource changed: GET /users/{id}/brands answers 503",
    ),
    (
        "PATCH",
        "/applications/42",
        {"lifetimes": {"access_token": 60}, "pkce_required": True},
        "applications",
        {"42": ["pkce_required", "lifetimes"]},
        "1 application edited: 42: pkce_required, lifetimes",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "name", "shown", "told"), CHANGES)
def test_what_is_not_as_at_the_start_is_in_health_and_on_the_front_page_until_a_reset(
    client: httpx.Client,
    sandbox: Sandbox,
    method: str,
    path: str,
    body: dict[str, Any],
    name: str,
    shown: object,
    told: str,
) -> None:
    kept = sandbox.register_application(redirect_uris=["https://a.example/"], client_id="42")
    sandbox.keep(kept, sandbox.create_seller(user_id=5))
    assert modes(client) == AS_AT_THE_START

    assert client.request(method, f"/_sandbox{path}", json=body).is_success

    assert modes(client) == {**AS_AT_THE_START, name: shown, "told": [told]}
    assert f"<li>{told}</li>" in front_page(client)
    sandbox.reset()
    assert modes(client) == AS_AT_THE_START
    assert told not in front_page(client)


def test_what_was_kept_as_the_start_is_no_news(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.deny()
    sandbox.clock.advance(days=1)
    sandbox.change_profile(token_type="bearer")
    sandbox.faults.add("slow", on="token", seconds=1)
    sandbox.resources.add("GET", "/a")
    sandbox.keep()
    assert modes(client) == AS_AT_THE_START

    sandbox.show_consent_page()

    assert modes(client)["told"] == ["consent page (sellers answer on the page)"]


def test_a_clock_that_stood_still_for_a_moment_is_as_at_the_start(
    client: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.clock.freeze()
    assert modes(client)["clock"]["frozen"]
    sandbox.clock.resume()

    assert modes(client) == AS_AT_THE_START


def test_a_spent_fault_is_not_armed(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add("refuse", on="token", status=503)
    client.post("/oauth/token")

    assert modes(client) == AS_AT_THE_START


def test_many_faults_are_counted_and_a_few_named(client: httpx.Client, sandbox: Sandbox) -> None:
    for _ in range(7):
        sandbox.faults.add("refuse", on="token", status=503)

    found = modes(client)

    assert len(found["faults"]) == 7
    assert found["told"][0].startswith("7 faults armed: f1 refuse")
    assert found["told"][0].endswith("; and 2 more")


def test_a_removed_resource_is_told(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.resources.remove("GET", "/v1/payments/search")

    assert modes(client)["resources"] == ["GET /v1/payments/search is removed"]


def test_a_browser_with_a_consent_of_its_own_is_counted_and_noted(
    client: httpx.Client, sandbox: Sandbox
) -> None:
    session = client.post("/_sandbox/sessions").json()["session"]
    assert modes(client) == AS_AT_THE_START
    for _ in range(2):
        client.put("/_sandbox/consent", json={"mode": "deny", "session": session})

    assert modes(client)["sessions"] == 1
    assert modes(client)["told"] == ["1 browser has a consent of its own"]
    assert notes(sandbox) == [
        "consent of one browser: deny (every seller refuses at once, without a page)"
    ]


def test_what_an_earlier_run_has_left_is_told_though_it_is_the_start(tmp_path: Path) -> None:
    with Sandbox(live=False, data=tmp_path / "a.db") as sandbox:
        sandbox.deny()
        sandbox.clock.advance(days=180)
        sandbox.change_profile(token_type="bearer")
    with Sandbox(live=False, data=tmp_path / "a.db") as sandbox:
        client = httpx.Client(transport=sandbox.transport(), base_url=sandbox.url)

        assert modes(client)["told"] == [
            "consent deny (every seller refuses at once, without a page)",
            "clock 180 d ahead, running",
            'profile default with token_type = "bearer"',
        ]


def test_a_data_file_with_nothing_unusual_in_it_is_as_at_the_start(tmp_path: Path) -> None:
    for _ in range(2):
        with Sandbox(live=False, data=tmp_path / "a.db") as sandbox:
            client = httpx.Client(transport=sandbox.transport(), base_url=sandbox.url)
            assert modes(client) == AS_AT_THE_START


# ---- the journal ----


def test_a_change_of_consent_or_profile_is_an_entry_and_no_change_is_none(
    client: httpx.Client, sandbox: Sandbox, seller: Seller
) -> None:
    for _ in range(2):
        client.put("/_sandbox/consent", json={"mode": "deny"})
    for _ in range(2):
        client.put("/_sandbox/consent", json={"mode": "auto", "seller": seller.user_id})
    for _ in range(2):
        client.patch("/_sandbox/profile", json={"retry_after": 30})

    assert notes(sandbox) == [
        "consent: deny (every seller refuses at once, without a page)",
        f"consent: auto (seller {seller.user_id} approves at once, without a page)",
        "profile: default with retry_after = 30",
    ]
    sandbox.reset()
    assert notes(sandbox) == []


def test_an_edited_application_is_an_entry_and_an_unchanged_one_is_none(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    path = f"/_sandbox/applications/{application.client_id}"
    for _ in range(2):
        client.patch(path, json={"name": "Another"})

    assert notes(sandbox) == ["application edited: name"]
    assert sandbox.journal.last("control").client_id == application.client_id


def test_a_denial_by_the_consent_mode_says_so_and_how_to_get_back(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    sandbox.deny()

    answer = client.get(sandbox.authorization_url(application))

    assert "error=access_denied" in answer.headers["location"]
    entry = sandbox.journal.last()
    assert entry.cause == "seller_denied"
    assert "the consent mode is deny" in (entry.explanation or "")
    assert "mp-oauth-sandbox consent page" in (entry.remedy or "")
    assert entry.facts["answered_by"] == "consent_mode"


def test_a_denial_by_a_browsers_own_consent_says_so(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    opened = client.post("/_sandbox/sessions").json()
    client.put("/_sandbox/consent", json={"mode": "deny", "session": opened["session"]})
    cookie = {"Cookie": f"{opened['cookie']}={opened['session']}"}

    client.get(sandbox.authorization_url(application), headers=cookie)

    entry = sandbox.journal.last()
    assert "this browser's own consent is deny" in (entry.explanation or "")
    assert "PUT /_sandbox/consent with its session" in (entry.remedy or "")
    assert entry.facts["answered_by"] == "browser_session"


def test_a_denial_by_a_fault_says_so(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    sandbox.auto_consent(seller)
    sandbox.faults.add("refuse", cause="seller_denied", on="authorization")

    client.get(sandbox.authorization_url(application))

    entry = sandbox.journal.last()
    assert "an armed fault answered" in (entry.explanation or "")
    assert "fault remove" in (entry.remedy or "")


def test_who_said_yes_for_a_seller_who_was_not_asked_is_told_too(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    sandbox.auto_consent(seller)
    client.get(sandbox.authorization_url(application))

    entry = sandbox.journal.last()
    assert entry.facts["answered_by"] == "consent_mode"
    assert str(entry).endswith(f"code issued  seller {seller.user_id}  by the consent mode")
