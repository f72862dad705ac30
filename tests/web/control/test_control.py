"""The control API does what its OpenAPI document says, and its errors name the field."""

import json
import re
from typing import Any, get_args

import httpx
import jsonschema
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller
from mp_oauth_sandbox.core.records import NotificationStatus
from mp_oauth_sandbox.core.registration import SITES
from mp_oauth_sandbox.core.revoke import REVOCATIONS, Reason

CALLBACK = "https://shop.example/mp/callback"


def call(client: httpx.Client, line: str, body: object = None) -> httpx.Response:
    method, path = line.split(" ")
    if body is None:
        return client.request(method, f"/_sandbox{path}")
    return client.request(method, f"/_sandbox{path}", json=body)


def field_at_fault(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    error = answer.json()
    assert error["error"] == "invalid_input"
    assert error["message"]
    return error["field"]


# ---- the calls whose shape is fixed ----


def test_an_application_comes_with_everything_an_integration_needs(client: httpx.Client) -> None:
    answer = call(client, "POST /applications", {"name": "Shop", "redirect_uris": [CALLBACK]})
    assert answer.status_code == 201
    made = answer.json()
    assert made["client_id"].isdigit()
    assert len(made["client_secret"]) == 32
    assert made["public_key"].startswith("APP_USR-")
    assert made["access_token"].startswith(f"APP_USR-{made['client_id']}-")
    assert made["access_token"].endswith(f"-{made['owner']}")
    bearer = {"Authorization": f"Bearer {made['access_token']}"}
    assert client.get("/users/me", headers=bearer).json()["id"] == made["owner"]


def test_an_application_can_be_described_in_full(client: httpx.Client, seller: Seller) -> None:
    wanted = {
        "name": "Shop",
        "redirect_uris": [CALLBACK, "http://localhost:8000/callback"],
        "pkce_required": True,
        "application_type": "online",
        "activated": False,
        "client_id": "1234567890123456",
        "client_secret": "a-secret-of-ours",
        "owner": seller.user_id,
        "lifetimes": {"authorization_code": 0, "access_token": 60},
        "scopes": ["read", "offline_access"],
        "webhook": {"url": "http://localhost:8000/hook", "secret": "signs-it"},
    }
    answer = call(client, "POST /applications", wanted)
    assert answer.status_code == 201
    made = answer.json()
    assert made["client_id"] == "1234567890123456"
    assert made["client_secret"] == "a-secret-of-ours"
    assert made["owner"] == seller.user_id
    assert made["pkce_required"] is True
    assert made["application_type"] == "online"
    assert made["activated"] is False
    assert made["scopes"] == ["offline_access", "read"]
    assert made["webhook"] == {"url": "http://localhost:8000/hook", "enabled": True}
    assert made["lifetimes"] == {
        "authorization_code": 0,
        "access_token": 60,
        "refresh_token": "6 months",
        "client_credentials_token": 21600,
    }


def test_a_seller_has_a_user_id_chosen_or_given(client: httpx.Client) -> None:
    chosen = call(client, "POST /sellers", {"country": "br"})
    assert chosen.status_code == 201
    assert chosen.json()["country"] == "BR"
    given = {"country": "CL", "nickname": "Tienda Ñandú", "user_id": 42}
    answer = call(client, "POST /sellers", given)
    assert answer.status_code == 201
    assert answer.json() == given | {"collaborator_of": None}
    operator = call(client, "POST /sellers", {"country": "CL", "collaborator_of": 42})
    assert operator.json()["collaborator_of"] == 42


def test_a_code_lifetime_of_zero_seconds_expires_every_code(
    client: httpx.Client, sandbox: Sandbox, seller: Seller
) -> None:
    sandbox.auto_consent(seller)
    wanted = {"name": "S", "redirect_uris": [CALLBACK], "lifetimes": {"authorization_code": 0}}
    app = call(client, "POST /applications", wanted).json()
    location = client.get(
        "/authorization",
        params={
            "client_id": app["client_id"],
            "response_type": "code",
            "redirect_uri": CALLBACK,
        },
    ).headers["location"]
    exchange = client.post(
        "/oauth/token",
        json={
            "grant_type": "authorization_code",
            "client_id": app["client_id"],
            "client_secret": app["client_secret"],
            "code": httpx.URL(location).params["code"],
            "redirect_uri": CALLBACK,
        },
    )
    assert exchange.status_code == 400
    assert sandbox.journal.last().cause == "code_expired"


def test_consent_is_chosen_and_read_back(client: httpx.Client, seller: Seller) -> None:
    wanted = {"mode": "auto", "seller": seller.user_id}
    assert call(client, "PUT /consent", wanted).json() == wanted
    assert call(client, "GET /consent").json() == wanted
    for mode in ("deny", "page"):
        assert call(client, "PUT /consent", {"mode": mode}).json() == {
            "mode": mode,
            "seller": None,
        }


def test_auto_consent_without_a_seller_takes_the_first(
    client: httpx.Client, seller: Seller
) -> None:
    assert call(client, "PUT /consent", {"mode": "auto"}).json()["seller"] == seller.user_id


def test_the_clock_moves_stops_and_runs_on(client: httpx.Client, sandbox: Sandbox) -> None:
    call(client, "POST /clock/freeze")
    before = sandbox.clock()
    moved = call(client, "POST /clock/advance", {"seconds": 1.5}).json()
    assert moved["frozen"] is True
    assert (sandbox.clock() - before).total_seconds() == 1.5
    assert call(client, "GET /clock").json() == moved
    travelled = call(client, "POST /clock/travel", {"to": "2100-01-01T00:00:00-03:00"}).json()
    assert travelled["now"] == "2100-01-01T03:00:00.000Z"
    assert call(client, "POST /clock/resume").json()["frozen"] is False


def test_health_says_version_profile_and_time(client: httpx.Client) -> None:
    health = call(client, "GET /health").json()
    assert health["status"] == "ok"
    assert health["profile"] == "default"
    assert set(health) == {"status", "version", "profile", "now", "reason", "modes"}


# ---- journal and reset ----


def test_the_journal_is_read_in_pages(client: httpx.Client) -> None:
    for _ in range(5):
        client.get("/users/me")
    first = call(client, "GET /journal?after=0&limit=2").json()
    assert [entry["seq"] for entry in first["entries"]] == [1, 2]
    assert first["next"] == 2
    rest = call(client, f"GET /journal?after={first['next']}&limit=100").json()
    assert [entry["seq"] for entry in rest["entries"]] == [3, 4, 5]
    none = call(client, f"GET /journal?after={rest['next']}").json()
    assert none == {"entries": [], "next": 5}
    assert call(client, "GET /journal?limit=0").json() == {"entries": [], "next": 0}


def test_without_after_the_newest_entries_are_told_and_paging_goes_on_from_there(
    client: httpx.Client,
) -> None:
    for _ in range(105):
        client.get("/users/me")
    client.get("/users/me", headers={"Authorization": "Bearer nonsense"})

    page = call(client, "GET /journal").json()

    assert [entry["seq"] for entry in page["entries"]] == list(range(7, 107))
    assert page["entries"][-1]["cause"] == "token_malformed"
    assert page["next"] == 106
    assert call(client, "GET /journal?limit=2").json()["next"] == 106
    assert call(client, "GET /journal?after=106").json() == {"entries": [], "next": 106}
    client.get("/users/me")
    later = call(client, "GET /journal?after=106").json()
    assert [entry["seq"] for entry in later["entries"]] == [107]
    oldest = call(client, "GET /journal?after=0&limit=2").json()
    assert [entry["seq"] for entry in oldest["entries"]] == [1, 2]


def test_after_a_reset_next_falls_back_so_that_readers_start_over(client: httpx.Client) -> None:
    for _ in range(3):
        client.get("/users/me")
    assert call(client, "POST /reset").json() == {"done": True}
    assert call(client, "GET /journal?after=3").json() == {"entries": [], "next": 0}
    client.get("/users/me")
    assert call(client, "GET /journal?after=3").json() == {"entries": [], "next": 1}
    assert len(call(client, "GET /journal?after=0").json()["entries"]) == 1


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=1.5", "after=", "limit=%C2%B2"])
def test_a_journal_query_that_is_no_number_is_refused(client: httpx.Client, query: str) -> None:
    assert field_at_fault(call(client, f"GET /journal?{query}")) == query.partition("=")[0]


def test_reset_returns_to_the_start(client: httpx.Client, sandbox: Sandbox) -> None:
    kept = sandbox.register_application(redirect_uris=[CALLBACK])
    sandbox.keep(kept)
    call(client, "POST /sellers", {"country": "AR", "user_id": 7})
    call(client, "PUT /consent", {"mode": "deny"})
    call(client, "PATCH /profile", {"redirect_status": 303})
    call(client, "POST /clock/advance", {"seconds": 10**6})
    call(client, "POST /reset")
    assert sandbox.seller(7) is None
    assert sandbox.application(kept.client_id) == kept
    assert call(client, "GET /consent").json()["mode"] == "page"
    assert call(client, "GET /profile").json()["redirect_status"] == 302


# ---- applications and profile, edited ----


def test_an_application_is_edited_in_part(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    path = f"/applications/{application.client_id}"
    changed = call(client, f"PATCH {path}", {"name": "Otra", "lifetimes": {"access_token": 5}})
    assert changed.status_code == 200
    assert changed.json()["name"] == "Otra"
    assert changed.json()["redirect_uris"] == [CALLBACK]
    call(client, f"PATCH {path}", {"lifetimes": {"refresh_token": 7}})
    after = call(client, f"GET {path}").json()
    assert after["lifetimes"]["access_token"] == 5
    assert after["lifetimes"]["refresh_token"] == 7
    hook = {"url": "https://shop.localhost/hook", "secret": "s"}
    assert call(client, f"PATCH {path}", {"webhook": hook}).json()["webhook"]
    assert call(client, f"PATCH {path}", {"webhook": None}).json()["webhook"] is None
    blocked = call(client, f"PATCH {path}", {"status": "blocked", "pkce_required": True}).json()
    assert (blocked["status"], blocked["pkce_required"]) == ("blocked", True)
    assert sandbox.application(application.client_id).status == "blocked"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": [CALLBACK, "nonsense"]}, "redirect_uris[1]"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"status": "deleted"}, "status"),
        ({"client_id": "1"}, "client_id"),
        ({"lifetimes": {"access_token": -1}}, "lifetimes.access_token"),
        ({"webhook": {"url": "https://a.example"}}, "webhook.secret"),
        ({"webhook": {"url": "javascript:alert(1)", "secret": "s"}}, "webhook.url"),
        ({"webhook": {"url": "https://shop.example/hook", "secret": "s"}}, "webhook.url"),
        ({"webhook": {"url": "http://localhost/", "secret": "s", "enabled": 1}}, "webhook.enabled"),
        ({"lifetimes": None}, "lifetimes"),
    ],
)
def test_an_edit_that_cannot_be_names_its_field(
    client: httpx.Client, application: Application, change: dict[str, object], field: str
) -> None:
    path = f"/applications/{application.client_id}"
    before = call(client, f"GET {path}").json()
    assert field_at_fault(call(client, f"PATCH {path}", change)) == field
    assert call(client, f"GET {path}").json() == before


def test_a_deleted_application_stays_deleted(
    client: httpx.Client, application: Application
) -> None:
    deletion = {"reason": "application_deleted", "client_id": application.client_id}
    ended = call(client, "POST /revocations", deletion).json()
    assert ended == {
        "reason": "application_deleted",
        "ended": "application",
        "client_id": application.client_id,
        "user_id": None,
        "explanation": "the application was deleted",
        "source": "MP, OAuth management: deleting the application",
        "client_secret": None,
    }
    path = f"/applications/{application.client_id}"
    assert call(client, f"GET {path}").json()["status"] == "deleted"
    assert field_at_fault(call(client, f"PATCH {path}", {"status": "active"})) == "client_id"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_application_that_does_not_exist_is_a_404(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/_sandbox/applications/99", json={})
    assert answer.status_code == 404
    assert answer.json()["field"] == "client_id"


def test_a_profile_is_taken_whole_or_changed_by_single_switches(client: httpx.Client) -> None:
    strict = call(client, "PATCH /profile", {"preset": "strict"}).json()
    assert (strict["name"], strict["surplus_fields"]) == ("strict", "refuse")
    changed = call(client, "PATCH /profile", {"refresh_reusable": True, "retry_after": 30}).json()
    assert changed == strict | {"refresh_reusable": True, "retry_after": 30}
    both = call(client, "PATCH /profile", {"preset": "legacy", "redirect_status": 303}).json()
    assert (both["name"], both["token_type"], both["redirect_status"]) == ("legacy", "bearer", 303)
    assert both["refresh_reusable"] is False
    assert call(client, "GET /profile").json() == both
    assert call(client, "GET /health").json()["profile"] == "legacy, 1 switches changed"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"refresh_reuse": True}, "refresh_reuse"),
        ({"redirect_status": 301}, "redirect_status"),
        ({"refresh_reusable": 1}, "refresh_reusable"),
        ({"preset": "nonsense"}, "preset"),
        ({"preset": None}, "preset"),
        ({"retry_after": "soon"}, "retry_after"),
    ],
)
def test_a_switch_that_cannot_be_names_its_field(
    client: httpx.Client, change: dict[str, object], field: str
) -> None:
    before = call(client, "GET /profile").json()
    assert field_at_fault(call(client, "PATCH /profile", change)) == field
    assert call(client, "GET /profile").json() == before


@pytest.mark.parametrize("reason", REVOCATIONS)
def test_a_revocation_ends_the_sellers_tokens(
    client: httpx.Client, application: Application, seller: Seller, sandbox: Sandbox, reason: Reason
) -> None:
    sandbox.auto_consent(seller)
    location = client.get(sandbox.authorization_url(application)).headers["location"]
    tokens = client.post(
        "/oauth/token",
        json={
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "code": httpx.URL(location).params["code"],
            "redirect_uri": CALLBACK,
        },
    ).json()
    row = REVOCATIONS[reason]
    wanted: dict[str, object] = {"reason": reason}
    if row.concerns != "application":
        wanted["user_id"] = seller.user_id
    if row.concerns != "seller":
        wanted["client_id"] = application.client_id

    answer = call(client, "POST /revocations", wanted)

    assert answer.status_code == 200
    assert answer.json()["ended"] == row.concerns
    assert answer.json()["explanation"] == row.explanation
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/users/me", headers=bearer).status_code == 401
    assert row.explanation in (sandbox.journal.last().explanation or "")


def test_a_rotated_secret_is_in_the_answer(
    client: httpx.Client, application: Application, sandbox: Sandbox
) -> None:
    wanted = {"reason": "secret_rotated", "client_id": application.client_id}

    secret = call(client, "POST /revocations", wanted).json()["client_secret"]

    own = {"grant_type": "client_credentials", "client_id": application.client_id}
    assert client.post("/oauth/token", json=own | {"client_secret": secret}).status_code == 200
    old = own | {"client_secret": application.client_secret}
    assert client.post("/oauth/token", json=old).json()["error"] == "invalid_client"
    assert "before it was rotated" in (sandbox.journal.last().explanation or "")


@pytest.mark.parametrize(
    ("line", "body", "allowed"),
    [
        ("POST /revocations", {"reason": "boredom"}, "unlinked, password_changed"),
        ("PUT /consent", {"mode": "maybe"}, "auto, page, deny"),
        ("PATCH /applications/123", {"status": "deleted"}, "active, blocked"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_those_that_are(
    client: httpx.Client, line: str, body: object, allowed: str
) -> None:
    app = {"name": "A", "redirect_uris": [CALLBACK], "client_id": "123"}
    call(client, "POST /applications", app)

    assert f"allowed are {allowed}" in call(client, line, body).json()["message"]


# ---- errors ----


@pytest.mark.parametrize(
    ("line", "body", "field"),
    [
        ("POST /applications", {"redirect_uris": [CALLBACK]}, "name"),
        ("POST /applications", {"name": "S"}, "redirect_uris"),
        ("POST /applications", {"name": 1, "redirect_uris": [CALLBACK]}, "name"),
        ("POST /applications", {"name": "S", "redirect_uris": CALLBACK}, "redirect_uris"),
        ("POST /applications", {"name": "S", "redirect_uris": [1]}, "redirect_uris[0]"),
        ("POST /applications", {"name": "S", "redirect_uris": ["x"]}, "redirect_uris[0]"),
        ("POST /applications", {"name": "S", "redirect_uris": [CALLBACK], "extra": 1}, "extra"),
        (
            "POST /applications",
            {"name": "S", "redirect_uris": [CALLBACK], "client_id": "x"},
            "client_id",
        ),
        (
            "POST /applications",
            {"name": "S", "redirect_uris": [CALLBACK], "client_secret": "a b"},
            "client_secret",
        ),
        ("POST /applications", {"name": "S", "redirect_uris": [CALLBACK], "owner": 1}, "owner"),
        (
            "POST /applications",
            {"name": "S", "redirect_uris": [CALLBACK], "owner": 10**40},
            "owner",
        ),
        (
            "POST /applications",
            {"name": "S", "redirect_uris": [CALLBACK], "lifetimes": {"code": 1}},
            "lifetimes.code",
        ),
        (
            "POST /applications",
            {"name": "S", "redirect_uris": [CALLBACK], "lifetimes": {"access_token": 10**30}},
            "lifetimes.access_token",
        ),
        ("POST /sellers", {}, "country"),
        ("POST /sellers", {"country": "US"}, "country"),
        ("POST /sellers", {"country": "AR", "nickname": "<b>"}, "nickname"),
        ("POST /sellers", {"country": "AR", "user_id": 0}, "user_id"),
        ("POST /sellers", {"country": "AR", "user_id": 2**63}, "user_id"),
        ("POST /sellers", {"country": "AR", "collaborator_of": 10**40}, "collaborator_of"),
        ("PUT /consent", {"mode": "maybe"}, "mode"),
        ("PUT /consent", {"mode": "auto", "seller": 10**40}, "seller"),
        ("PUT /consent", {"mode": "auto"}, "seller"),
        ("POST /clock/advance", {}, "seconds"),
        ("POST /clock/advance", {"seconds": "1"}, "seconds"),
        ("POST /clock/advance", {"seconds": -1}, "seconds"),
        ("POST /clock/advance", {"seconds": 1e308}, "clock"),
        ("POST /clock/advance", {"seconds": 10**12}, "clock"),
        ("POST /clock/travel", {"to": "yesterday"}, "to"),
        ("POST /clock/travel", {"to": "2030-01-01T00:00:00"}, "to"),
        ("POST /clock/travel", {"to": "2001-01-01T00:00:00Z"}, "clock"),
        ("POST /clock/travel", {"to": "9999-12-31T23:59:59Z"}, "clock"),
        ("POST /clock/travel", {"to": "9999-12-31T23:59:59-23:59"}, "clock"),
        ("POST /revocations", {"reason": "boredom"}, "reason"),
        ("POST /revocations", {"reason": "unlinked", "client_id": "1", "user_id": 1}, "user_id"),
        ("POST /revocations", {"reason": "unlinked", "client_id": "1"}, "user_id"),
        ("POST /revocations", {"reason": "unused", "user_id": 1}, "client_id"),
        ("POST /revocations", {"reason": "secret_rotated"}, "client_id"),
        (
            "POST /revocations",
            {"reason": "secret_rotated", "client_id": "1", "user_id": 1},
            "user_id",
        ),
        ("POST /revocations", {"reason": "sessions_cleaned", "client_id": "1"}, "user_id"),
        ("POST /revocations", {"reason": "password_changed", "user_id": 10**40}, "user_id"),
    ],
)
def test_an_error_names_the_field(
    client: httpx.Client, line: str, body: object, field: str
) -> None:
    assert field_at_fault(call(client, line, body)) == field


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b'{"seconds": NaN}', b'{"seconds": Infinity}', b"\xff\xfe", b"[1]"],
)
def test_a_body_that_is_not_json_is_named_as_such(client: httpx.Client, body: bytes) -> None:
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    answer = client.post("/_sandbox/clock/advance", content=body, headers=json_type)
    assert field_at_fault(answer) == "body"


@pytest.mark.parametrize("body", [b'{"seconds": 1e999}', b'{"seconds": 1' + b"0" * 5000 + b"}"])
def test_a_number_beyond_all_numbers_is_refused(client: httpx.Client, body: bytes) -> None:
    json_type = {"Content-Type": "application/json"}
    answer = client.post("/_sandbox/clock/advance", content=body, headers=json_type)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_only_json_is_taken(client: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = client.post("/_sandbox/clock/advance", content=b'{"seconds": 1}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["field"] == "Content-Type"


def test_a_taken_id_names_its_field(
    client: httpx.Client, application: Application, seller: Seller
) -> None:
    wanted = {"name": "S", "redirect_uris": [CALLBACK], "client_id": application.client_id}
    assert field_at_fault(call(client, "POST /applications", wanted)) == "client_id"
    again = {"country": "AR", "user_id": seller.user_id}
    assert field_at_fault(call(client, "POST /sellers", again)) == "user_id"


def test_what_does_not_exist_is_a_404_and_a_wrong_method_a_405(client: httpx.Client) -> None:
    for path in ("/nothing", "/", "/applications/1/2", "/health/"):
        answer = call(client, f"GET {path}")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), path
    answer = call(client, "DELETE /applications")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert call(client, "PATCH /consent", {}).headers["allow"] == "GET, HEAD, PUT"


def test_a_head_request_is_a_get_without_a_body(client: httpx.Client) -> None:
    answer = client.head("/_sandbox/health")
    assert answer.status_code == 200
    assert answer.content == b""


# ---- the document, held against the implementation ----

LIVES: dict[str, list[tuple[str, object]]] = {
    "GET /health": [("/health", None)],
    "POST /applications": [
        ("/applications", {"name": "S", "redirect_uris": [CALLBACK]}),
        (
            "/applications",
            {
                "name": "S",
                "redirect_uris": [CALLBACK],
                "lifetimes": {"refresh_token": 5},
                "webhook": {"url": "https://shop.localhost/hook", "secret": "s"},
                "scopes": [],
            },
        ),
    ],
    "GET /applications": [("/applications", None)],
    "GET /applications/{client_id}": [("/applications/123", None)],
    "PATCH /applications/{client_id}": [
        ("/applications/123", {}),
        ("/applications/123", {"name": "B", "webhook": None, "status": "active"}),
    ],
    "POST /sellers": [("/sellers", {"country": "AR"})],
    "GET /sellers": [("/sellers", None), ("/sellers?limit=1&after=5", None)],
    "PUT /consent": [
        ("/consent", {"mode": "auto", "seller": 5}),
        ("/consent", {"mode": "page", "seller": None}),
    ],
    "GET /consent": [("/consent", None)],
    "POST /sessions": [("/sessions", None)],
    "GET /clock": [("/clock", None)],
    "POST /clock/advance": [
        ("/clock/advance", {"seconds": 0.5}),
        ("/clock/advance", {"seconds": 0.5, "settle": True}),
    ],
    "POST /clock/travel": [("/clock/travel", {"to": "2100-01-01T00:00:00Z"})],
    "POST /clock/freeze": [("/clock/freeze", None)],
    "POST /clock/resume": [("/clock/resume", None)],
    "POST /revocations": [
        ("/revocations", {"reason": "password_changed", "user_id": 5}),
        ("/revocations", {"reason": "password_changed", "user_id": 5, "settle": True}),
    ],
    "GET /profile": [("/profile", None)],
    "PATCH /profile": [
        ("/profile", {"preset": "strict"}),
        ("/profile", {"retry_after": None, "default_scopes": ["read"], "redirect_status": 303}),
    ],
    "GET /journal": [("/journal?after=0&limit=5", None), ("/journal?wait=1&kind=token", None)],
    "GET /journal/in-flight": [("/journal/in-flight", None)],
    "GET /webhooks": [
        ("/webhooks", None),
        ("/webhooks?client_id=123", None),
        ("/webhooks?status=pending", None),
    ],
    "POST /webhooks/{id}/resend": [("/webhooks/{id}/resend", None)],
    "POST /webhooks/simulate": [
        ("/webhooks/simulate", {"client_id": "123", "user_id": 5}),
        (
            "/webhooks/simulate",
            {"client_id": "123", "user_id": 5, "action": "application.deauthorized"},
        ),
    ],
    "POST /webhooks/settle": [("/webhooks/settle", {}), ("/webhooks/settle", {"timeout": 5})],
    "POST /faults": [
        ("/faults", {"kind": "lose-response", "on": "refresh", "times": 1}),
        ("/faults", {"kind": "refuse", "status": 429, "retry_after": 3, "times": "always"}),
        ("/faults", {"kind": "gate", "waiting": 2, "order": [2, 1]}),
    ],
    "GET /faults": [("/faults", None)],
    "DELETE /faults": [("/faults", None)],
    "DELETE /faults/{id}": [("/faults/f1", None)],
    "POST /sequences": [
        ("/sequences", {"on": "refresh", "steps": ["503", "fine", {"kind": "slow", "seconds": 1}]})
    ],
    "POST /resources": [
        ("/resources", {"method": "GET", "path": "/v1/payments/{id}", "body": {"id": "$path.id"}}),
        ("/resources", {"method": "DELETE", "path": "/a", "status": 204, "headers": {"x-a": "b"}}),
    ],
    "GET /resources": [("/resources?after=1&limit=2", None)],
    "DELETE /resources/{id}": [("/resources/1", None)],
    "POST /explain": [
        ("/explain", {"what": "APP_USR-1-010100-" + "0" * 32 + "-5"}),
        ("/explain", {"what": "/authorization?client_id=123&response_type=code"}),
    ],
    "POST /leaks": [("/leaks", {"text": "nothing, %3Cb%3E &amp; a2V5"})],
    "POST /reset": [("/reset", None)],
    "GET /openapi.json": [("/openapi.json", None)],
}


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    return call(client, "GET /openapi.json").json()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path.removeprefix('/_sandbox')}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def holds(document: dict[str, Any], content: dict[str, Any], value: object) -> None:
    schema = content["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.validate(value, whole, cls=jsonschema.Draft202012Validator)


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert set(document) == {"openapi", "info", "security", "paths", "components"}
    assert {"title", "version"} <= set(document["info"])
    found = operations(document)
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(ids)
    for line, operation in found.items():
        assert operation["summary"], line
        wanted = {part[1:-1] for part in line.split("/") if part.startswith("{")}
        named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert wanted == named
        assert "4XX" in operation["responses"]
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, f"{name} is never used"
    for reference in text.split('"#/components/schemas/')[1:]:
        assert reference.partition('"')[0] in document["components"]["schemas"]


def test_every_route_is_in_the_document_and_the_other_way_round(
    client: httpx.Client, document: dict[str, Any]
) -> None:
    assert set(operations(document)) == set(LIVES)
    for path, methods in document["paths"].items():
        real = {method.upper() for method in methods}
        heads = {"HEAD"} if "GET" in real else set()
        answer = client.request("TRACE", re.sub(r"\{\w+\}", "1", path))
        assert answer.status_code == 405, path
        assert set(answer.headers["allow"].split(", ")) == real | heads


def test_the_words_that_a_field_may_have_are_in_the_document(document: dict[str, Any]) -> None:
    def words(line: str, name: str) -> list[str]:
        given = operations(document)[line]["parameters"]
        schema = next(one["schema"] for one in given if one["name"] == name)
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema["enum"]

    schemas = document["components"]["schemas"]
    assert schemas["SellerIn"]["properties"]["country"]["enum"] == list(SITES)
    assert schemas["ApplicationOut"]["properties"]["status"]["enum"]
    assert "code_expired" in words("GET /journal", "cause")
    assert "webhook" in words("GET /journal", "kind")
    assert "refresh_token" in words("GET /journal", "grant_type")
    assert words("GET /webhooks", "status") == sorted(get_args(NotificationStatus))


def test_the_control_token_is_a_security_scheme_that_health_does_without(
    document: dict[str, Any],
) -> None:
    (scheme,) = document["components"]["securitySchemes"]
    assert {scheme: []} in document["security"]
    for line, operation in operations(document).items():
        assert operation.get("security") == ([] if line == "GET /health" else None)


@pytest.mark.parametrize("line", LIVES)
def test_requests_and_answers_are_as_the_document_says(
    client: httpx.Client, document: dict[str, Any], line: str
) -> None:
    operation = operations(document)[line]
    call(client, "POST /sellers", {"country": "AR", "user_id": 5})
    hook = {"url": "http://127.0.0.1:1/", "secret": "s"}
    app = {"name": "A", "redirect_uris": [CALLBACK], "client_id": "123", "webhook": hook}
    call(client, "POST /applications", app)
    told = call(client, "POST /webhooks/simulate", {"client_id": "123", "user_id": 5}).json()
    call(client, "POST /faults", {"kind": "drip", "on": "/nothing"})
    client.post("/oauth/token", json={"grant_type": "nonsense"})
    for path, body in LIVES[line]:
        if "requestBody" in operation:
            assert operation["requestBody"]["required"] is True
            holds(document, operation["requestBody"], body)
        else:
            assert body is None
        path = path.replace("{id}", str(told["id"]))
        answer = call(client, f"{line.split(' ')[0]} {path}", body)
        assert str(answer.status_code) in operation["responses"], answer.text
        holds(document, operation["responses"][str(answer.status_code)], answer.json())
    refused = client.request(
        line.split(" ")[0],
        f"/_sandbox{LIVES[line][0][0]}",
        content=b"",
        headers={"Origin": "https://evil.example"},
    )
    holds(document, operation["responses"]["4XX"], refused.json())


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("POST /applications", {"name": "A", "redirect_uris": [CALLBACK], "surplus": 1}),
        ("POST /applications", {"name": "A"}),
        ("PATCH /applications/{client_id}", {"status": "deleted"}),
        ("POST /clock/advance", {"seconds": -1}),
        ("PUT /consent", {"mode": "maybe"}),
        ("PATCH /profile", {"nonsense": 1}),
        ("PATCH /profile", {"redirect_status": 301}),
    ],
)
def test_what_the_document_forbids_is_refused(
    client: httpx.Client, document: dict[str, Any], line: str, body: object
) -> None:
    call(client, "POST /applications", {**LIVES["POST /applications"][0][1], "client_id": "123"})  # type: ignore[dict-item]
    with pytest.raises(jsonschema.ValidationError):
        holds(document, operations(document)[line]["requestBody"], body)
    answer = call(client, line.replace("{client_id}", "123"), body)
    assert answer.status_code == 400
    holds(document, operations(document)[line]["responses"]["4XX"], answer.json())
