"""The resource API: whose token an integration uses shows, whatever it asks for."""

import uuid
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from mp_oauth_sandbox import Application, InvalidInputError, Sandbox, Seller, Webhook
from mp_oauth_sandbox.faults import DropBeforeCommit, LoseResponse

from .conftest import CALLBACK


@pytest.fixture
def exchange(sandbox: Sandbox, client: httpx.Client, application: Application) -> Any:
    """Link a seller; the whole answer of the exchange."""

    def link(seller: Seller, **changes: object) -> dict[str, Any]:
        sandbox.auto_consent(seller)
        location = client.get(sandbox.authorization_url(application)).headers["location"]
        body = {
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "code": httpx.URL(location).params["code"],
            "redirect_uri": CALLBACK,
            **changes,
        }
        return client.post("/oauth/token", json=body).json()

    return link


@pytest.fixture
def token(exchange: Any, seller: Seller) -> str:
    return exchange(seller)["access_token"]


def ask(
    client: httpx.Client, method: str, path: str, token: str, key: str | None = None, **json: object
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | ({"X-Idempotency-Key": key} if key else {})
    return client.request(method, path, headers=headers, json=json or None)


def test_a_preference_is_of_the_token_s_seller_and_application(
    client: httpx.Client, application: Application, seller: Seller, token: str
):
    items = [{"title": "Mate", "quantity": 1, "unit_price": 10}]

    answer = ask(client, "POST", "/checkout/preferences", token, items=items)

    body = answer.json()
    assert answer.status_code == 201
    assert body["collector_id"] == seller.user_id
    assert body["client_id"] == application.client_id
    assert body["items"] == items
    assert body["id"].startswith(f"{seller.user_id}-")
    assert body["id"] in body["init_point"]


def test_stores_and_points_of_sale_are_refused_to_an_online_application_alone(
    sandbox: Sandbox, client: httpx.Client, application: Application, exchange: Any, seller: Seller
):
    paths = [f"/users/{seller.user_id}/stores/search", "/pos"]
    for path in paths:
        sandbox.resources.add("GET", path, body={"results": []})
    token = exchange(seller)["access_token"]
    before = [ask(client, "GET", path, token).status_code for path in paths]

    sandbox.update_application(
        application.client_id, lambda one: replace(one, application_type="online")
    )
    again = exchange(seller)["access_token"]

    assert before == [200, 200]
    for one in (token, again, application.access_token):
        for method, path in product(["GET", "HEAD"], paths):
            assert ask(client, method, path, one).status_code == 403
            assert sandbox.journal.last().cause == "type_forbidden"
        assert ask(client, "GET", paths[1], one).json() == {
            "message": "At least one policy returned UNAUTHORIZED.",
            "code": "PA_UNAUTHORIZED_RESULT_FROM_POLICIES",
            "status": 403,
            "blocked_by": "PolicyAgent",
        }
        assert ask(client, "GET", "/v1/payments/search", one).status_code == 200
        assert ask(client, "GET", "/users/me", one).status_code == 200


def test_a_type_refuses_where_there_is_no_resource_and_nothing_beyond_its_paths(
    sandbox: Sandbox, client: httpx.Client
):
    app = sandbox.register_application(redirect_uris=[CALLBACK], application_type="online")

    asked = ["/pos", "/pos/1", "/pos/", "/users/7/stores", "/users/7/x/stores/search"]
    statuses = [ask(client, "GET", path, app.access_token).status_code for path in asked]
    changed = ask(client, "POST", "/pos", app.access_token)

    assert statuses == [403, 404, 404, 404, 404]
    assert changed.status_code == 404


def test_an_application_is_read_by_its_owner_alone_where_the_profile_says_so(
    sandbox: Sandbox, client: httpx.Client, application: Application, seller: Seller, token: str
):
    path = f"/applications/{application.client_id}"
    hook = Webhook(url="http://127.0.0.1:9/hook", secret="s")
    sandbox.update_application(application.client_id, lambda one: replace(one, webhook=hook))
    own = application.access_token
    off = [ask(client, method, path, own).status_code for method in ("GET", "PUT", "POST")]

    sandbox.change_profile(application_resource=True)
    read = ask(client, "GET", path, own)
    methods = ("HEAD", "PUT", "POST", "DELETE", "PATCH")
    statuses = [ask(client, method, path, own).status_code for method in methods]
    others = ask(client, "GET", path, token)

    assert off == [404, 404, 404]
    assert read.json() == {
        "id": int(application.client_id),
        "name": application.name,
        "active": True,
        "callback_url": CALLBACK,
        "callback_urls": [CALLBACK],
        "notifications_callback_url": hook.url,
        "notifications_topics": ["mp-connect"],
        "use_pkce": False,
        "sandbox_mode": False,
    }
    assert application.client_secret not in read.text
    assert statuses == [200, 403, 403, 404, 404]
    assert others.status_code == 403
    assert others.json()["code"] == "PA_UNAUTHORIZED_RESULT_FROM_POLICIES"
    assert sandbox.journal.last().cause == "application_forbidden"
    for nothing in ("/applications/1", "/applications", f"{path}/x", "/applications/%00"):
        assert ask(client, "GET", nothing, own).status_code == 404
        assert ask(client, "PUT", nothing, own).status_code == 404
    assert client.get(path).status_code == 401
    sandbox.resources.add("GET", "/applications/{id}", body={"mine": True})
    assert ask(client, "GET", path, token).json() == {"mine": True}


def test_a_payment_is_collected_by_the_token_s_seller(
    sandbox: Sandbox, client: httpx.Client, exchange: Any, seller: Seller, token: str
):
    other = sandbox.create_seller(country="BR")
    theirs = exchange(other)["access_token"]

    mine = ask(client, "POST", "/v1/payments", token, key="k", transaction_amount=10)
    wrong = ask(client, "POST", "/v1/payments", theirs, key="k", transaction_amount=10)

    assert mine.status_code == wrong.status_code == 201
    assert mine.json()["collector_id"] == seller.user_id
    assert wrong.json()["collector_id"] == other.user_id
    assert mine.json()["id"] != wrong.json()["id"]
    assert mine.json()["status"] == "approved"
    assert sandbox.journal.last().user_id == other.user_id


def test_the_same_idempotency_key_gets_the_same_payment(
    sandbox: Sandbox, client: httpx.Client, token: str
):
    keys = ["one", "one", "two"]

    ids = [ask(client, "POST", "/v1/payments", token, key=key).json()["id"] for key in keys]

    assert ids[0] == ids[1] != ids[2]
    facts = [entry.facts for entry in sandbox.journal if entry.kind == "resource"]
    assert [fact.get("idempotent_repeat") for fact in facts] == [None, "yes", None]
    assert facts[0]["idempotency_key"] == facts[1]["idempotency_key"] != "#one"


def test_a_payment_needs_an_idempotency_key_unless_the_profile_says_otherwise(
    sandbox: Sandbox, client: httpx.Client, token: str
):
    refused = ask(client, "POST", "/v1/payments", token)
    cause = sandbox.journal.last().cause
    sandbox.change_profile(payment_idempotency_key="optional")
    accepted = ask(client, "POST", "/v1/payments", token)

    assert refused.status_code == 400
    assert refused.json()["message"] == "Header X-Idempotency-Key can't be null"
    assert cause == "idempotency_key_missing"
    assert accepted.status_code == 201


def test_a_test_user_in_live_mode_is_refused_where_the_profile_says_so(
    sandbox: Sandbox, client: httpx.Client, exchange: Any, seller: Seller, token: str
):
    sandbox.change_profile(live_payment_of_test_user="refuse")
    test_token = exchange(seller, test_token=True)["access_token"]

    live = ask(client, "POST", "/v1/payments", token, key="a")
    test = ask(client, "POST", "/v1/payments", test_token, key="a")

    assert live.status_code == 500
    assert live.json()["message"] == "user_allowed_only_in_test"
    assert test.status_code == 201
    assert test.json()["live_mode"] is False


def test_a_search_finds_nothing(client: httpx.Client, token: str):
    found = ask(client, "GET", "/v1/payments/search?status=approved", token)

    assert found.json() == {"paging": {"total": 0, "limit": 30, "offset": 0}, "results": []}


@pytest.mark.parametrize("path", ["/users/me", "/v1/payments/search", "/nothing"])
def test_an_expired_token_is_refused_everywhere(
    sandbox: Sandbox, client: httpx.Client, token: str, path: str
):
    sandbox.clock.advance(days=180)

    answer = ask(client, "GET", path, token)

    assert (answer.status_code, sandbox.journal.last().cause) == (401, "token_expired")


def test_the_platform_s_own_token_shows(
    sandbox: Sandbox, client: httpx.Client, application: Application, token: str
):
    ask(client, "POST", "/checkout/preferences", application.access_token)
    own = sandbox.journal.last()
    ask(client, "POST", "/checkout/preferences", token)

    assert own.facts["platform_token"] == "yes"
    assert own.user_id == application.owner
    assert "platform_token" not in sandbox.journal.last().facts


def test_the_journal_knows_the_token_and_its_age(
    sandbox: Sandbox, client: httpx.Client, token: str
):
    sandbox.clock.freeze()
    before = int(sandbox.journal.last("token").at.timestamp())
    sandbox.clock.advance(hours=1)

    ask(client, "GET", "/users/me", token)

    entry = sandbox.journal.last("resource")
    assert int(entry.facts["age_seconds"]) == int(entry.at.timestamp()) - before
    assert entry.facts["access_token"].startswith("APP_USR-...#")
    assert token not in repr(entry)


def test_a_resource_that_is_added_answers_with_whose_token_it_was(
    sandbox: Sandbox, client: httpx.Client, application: Application, seller: Seller, token: str
):
    body = {"id": "$path.id", "collector": {"id": "$user_id"}, "apps": ["$client_id", "text"]}
    sandbox.resources.add("GET", "/v1/payments/{id}", body=body, headers={"X-Own": "1"})

    answer = ask(client, "GET", "/v1/payments/77", token)

    assert answer.headers["x-own"] == "1"
    assert answer.json() == {
        "id": "77",
        "collector": {"id": seller.user_id},
        "apps": [application.client_id, "text"],
    }


def test_the_longer_literal_path_answers(sandbox: Sandbox, client: httpx.Client, token: str):
    sandbox.resources.add("GET", "/v1/{what}/{id}", body={"row": 1})
    sandbox.resources.add("GET", "/v1/orders/{id}", body={"row": 2})

    rows = [ask(client, "GET", path, token).json()["row"] for path in ("/v1/a/1", "/v1/orders/1")]

    assert rows == [1, 2]


def test_a_resource_can_replace_a_built_in_one_until_the_reset(
    sandbox: Sandbox, client: httpx.Client, application: Application, seller: Seller, token: str
):
    sandbox.keep(application, seller)
    sandbox.resources.add("GET", "/users/me", status=503, body={"message": "later"})
    replaced = ask(client, "GET", "/users/me", token)

    sandbox.reset()

    assert (replaced.status_code, replaced.json()) == (503, {"message": "later"})
    assert "/users/me" in {row.path for row in sandbox.resources.list() if row.built_in}


def test_resources_over_http(client: httpx.Client, token: str):
    row = {"method": "GET", "path": "/v1/orders/{id}", "body": {"id": "$path.id"}}
    added = client.post("/_sandbox/resources", json=row)
    answered = ask(client, "GET", "/v1/orders/9", token).json()

    removed = client.delete(f"/_sandbox/resources/{added.json()['id']}")
    gone = ask(client, "GET", "/v1/orders/9", token)
    again = client.delete(f"/_sandbox/resources/{added.json()['id']}")

    assert (added.status_code, answered, removed.status_code) == (201, {"id": "9"}, 200)
    assert (gone.status_code, again.status_code) == (404, 404)
    paths = [one["path"] for one in client.get("/_sandbox/resources").json()["resources"]]
    assert paths == ["/users/me", "/checkout/preferences", "/v1/payments", "/v1/payments/search"]


def test_resources_from_a_file(sandbox: Sandbox, client: httpx.Client, token: str, tmp_path: Path):
    file = tmp_path / "resources.toml"
    file.write_text('[[resource]]\nmethod = "GET"\npath = "/a"\nbody = { of = "$user_id" }\n')
    sandbox.resources.load(file)

    assert ask(client, "GET", "/a", token).json().keys() == {"of"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"method": "TRACE"}, "method"),
        ({"path": "a"}, "path"),
        ({"path": "/_sandbox/x"}, "path"),
        ({"path": "/oauth/token"}, "path"),
        ({"path": "/a/{id}/{id}"}, "path"),
        ({"path": "/a?b=c"}, "path"),
        ({"status": 99}, "status"),
        ({"headers": {"Content-Length": "3"}}, "headers"),
        ({"headers": {"X-A": "a\r\nb"}}, "headers"),
        ({"body": {1j}}, "body"),
        ({"body": "$path.other"}, "body"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_by_field(
    sandbox: Sandbox, changes: dict[str, Any], field: str
):
    given: dict[str, Any] = {"method": "GET", "path": "/a/{id}"} | changes

    with pytest.raises(InvalidInputError) as caught:
        sandbox.resources.add(given.pop("method"), given.pop("path"), **given)

    assert caught.value.field == field


@pytest.mark.parametrize("text", ["", "[[resource]]\npath = '/a'", "[[resource", "x = 1"])
def test_a_file_that_cannot_be_used_adds_nothing(sandbox: Sandbox, tmp_path: Path, text: str):
    file = tmp_path / "resources.toml"
    file.write_text(text)
    if not text:
        file.unlink()
    before = sandbox.resources.list()

    with pytest.raises(InvalidInputError, match="resources"):
        sandbox.resources.load(file)

    assert sandbox.resources.list() == before


def test_a_payment_whose_answer_is_lost_is_found_again_by_its_key(
    sandbox: Sandbox, client: httpx.Client, token: str
):
    key = str(uuid.uuid4())
    sandbox.faults.add(DropBeforeCommit(on="POST /v1/payments"))
    sandbox.faults.add(LoseResponse(on="/v1/payments", first=2))

    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            ask(client, "POST", "/v1/payments", token, key=key)
    ids = {ask(client, "POST", "/v1/payments", token, key=key).json()["id"] for _ in range(2)}

    repeats = [entry.facts.get("idempotent_repeat") for entry in sandbox.journal.query()]
    assert len(ids) == 1
    assert repeats[-4:] == [None, None, "yes", "yes"]


def test_a_body_that_is_too_large_is_refused(client: httpx.Client, token: str):
    answer = ask(client, "POST", "/checkout/preferences", token, items="x" * 70_000)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_head_gets_the_head_of_get(client: httpx.Client, token: str):
    answer = client.head("/users/me", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("body", [b"[1", b"[]", b"\xff", b'"text"'])
def test_a_body_that_is_no_object_is_no_payment(
    sandbox: Sandbox, client: httpx.Client, token: str, body: bytes
):
    headers = {"Authorization": f"Bearer {token}", "X-Idempotency-Key": "k"}

    answer = client.post("/v1/payments", headers=headers, content=body)

    assert (answer.status_code, sandbox.journal.last().cause) == (400, "body_unreadable")
