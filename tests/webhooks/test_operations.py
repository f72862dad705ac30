"""Notifications through the control API: listed, sent again, simulated, awaited."""

import hashlib
import hmac
import re
from collections.abc import Iterator

import httpx
import pytest
from msgspec.structs import replace

from mp_oauth_sandbox import Application, Sandbox, Seller

from .conftest import SECRET
from .receiver import OK, Receiver, status


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
        yield client


def test_a_simulated_one_is_delivered_listed_and_sent_again(
    client: httpx.Client, application: Application, seller: Seller
) -> None:
    wanted = {"client_id": application.client_id, "user_id": seller.user_id}
    made = client.post("/_sandbox/webhooks/simulate", json=wanted)
    assert made.status_code == 201
    assert made.json()["status"] == "pending"
    assert client.post("/_sandbox/webhooks/settle", json={}).json() == {"done": True}

    (listed,) = client.get("/_sandbox/webhooks").json()["notifications"]
    assert listed["id"] == made.json()["id"]
    assert [attempt["retry"] for attempt in listed["latest"]] == [0]
    assert listed["latest"][0]["outcome"] == "accepted"

    again = client.post(f"/_sandbox/webhooks/{listed['id']}/resend")
    client.post("/_sandbox/webhooks/settle", json={"timeout": 5})
    assert again.status_code == 200
    (listed,) = client.get("/_sandbox/webhooks").json()["notifications"]
    assert listed["attempts"] == 2


def test_the_list_is_filtered_by_application_and_state(
    client: httpx.Client, application: Application, seller: Seller
) -> None:
    wanted = {"client_id": application.client_id, "user_id": seller.user_id}
    client.post("/_sandbox/webhooks/simulate", json=wanted)
    client.post("/_sandbox/webhooks/settle", json={})

    def count(query: str) -> int:
        return len(client.get(f"/_sandbox/webhooks?{query}").json()["notifications"])

    assert count(f"client_id={application.client_id}") == 1
    assert count("client_id=1") == 0
    assert count("status=accepted") == 1
    assert count("status=pending") == 0
    refused = client.get("/_sandbox/webhooks?status=gone")
    assert (refused.status_code, refused.json()["field"]) == (400, "status")


@pytest.mark.parametrize("number", ["7", "x", "-1", "9" * 30, "%C2%B2"])
def test_sending_again_what_does_not_exist_is_a_404(client: httpx.Client, number: str) -> None:
    answer = client.post(f"/_sandbox/webhooks/{number}/resend")

    assert (answer.status_code, answer.json()["field"]) == (404, "id")


@pytest.mark.parametrize(
    ("switch", "signed"), [("lower_case", "ord01jq4s"), ("as_sent", "ORD01JQ4S")]
)
def test_a_simulated_id_of_letters_is_sent_as_it_is_and_signed_as_the_profile_says(
    sandbox: Sandbox,
    client: httpx.Client,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    switch: str,
    signed: str,
) -> None:
    sandbox.change_profile(webhook_signed_id=switch)
    wanted = {
        "client_id": application.client_id,
        "user_id": seller.user_id,
        "data_id": "ORD01JQ4S",
    }

    made = client.post("/_sandbox/webhooks/simulate", json=wanted).json()
    sandbox.webhooks.settle()

    (received,) = receiver.received
    assert made["data_id"] == received.data_id == received.body["data"]["id"] == "ORD01JQ4S"
    manifest = f"id:{signed};request-id:{received.headers['X-Request-Id']};ts:{received.ts};"
    digest = hmac.new(SECRET.encode(), manifest.encode(), hashlib.sha256).hexdigest()
    assert received.headers["X-Signature"].endswith(f",v1={digest}")


def test_each_save_makes_another_secret_where_the_profile_says_so(
    sandbox: Sandbox, client: httpx.Client, application: Application, seller: Seller
) -> None:
    sandbox.change_profile(webhook_save="new_secret")
    client_id, hook = application.client_id, application.webhook
    assert hook is not None
    path = f"/_sandbox/applications/{client_id}"
    given = {"url": hook.url, "secret": SECRET}

    saves = [client.patch(path, json={"webhook": given}).json()["webhook"] for _ in range(2)]
    wanted = {"redirect_uris": ["https://shop.example/"], "name": "Other", "webhook": given}
    made = client.post("/_sandbox/applications", json=wanted).json()["webhook"]
    client.patch(path, json={"name": "Shop"})
    now = sandbox.application(client_id)

    assert now is not None
    assert now.webhook is not None
    assert now.webhook.secret == saves[-1].get("secret"), "an edit of something else is no save"
    assert len({SECRET, made["secret"], *(one["secret"] for one in saves)}) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", one["secret"]) for one in (made, *saves))
    assert client.get(path).json()["webhook"] == {"url": hook.url, "enabled": True}
    same = replace(now.webhook, enabled=True)
    again = sandbox.update_application(client_id, lambda one: replace(one, webhook=same))
    assert again.webhook is not None
    assert again.webhook.secret != now.webhook.secret
    assert sandbox.update_application(client_id, lambda one: replace(one, webhook=None))


def test_a_save_keeps_the_secret_that_was_given_and_does_not_show_it_again(
    sandbox: Sandbox, client: httpx.Client, application: Application, receiver: Receiver
) -> None:
    given = {"url": receiver.url, "secret": "another-secret"}

    changed = client.patch(
        f"/_sandbox/applications/{application.client_id}", json={"webhook": given}
    )

    assert changed.json()["webhook"] == {"url": receiver.url, "enabled": True}
    now = sandbox.application(application.client_id)
    assert now is not None
    assert now.webhook is not None
    assert now.webhook.secret == "another-secret"


def test_what_cannot_be_simulated_names_its_field(
    sandbox: Sandbox, client: httpx.Client, application: Application, seller: Seller
) -> None:
    silent = sandbox.register_application(redirect_uris=["https://shop.example/"])

    def field(**wanted: object) -> str:
        answer = client.post("/_sandbox/webhooks/simulate", json=wanted)
        assert answer.status_code == 400
        return answer.json()["field"]

    assert field(client_id="1", user_id=seller.user_id) == "client_id"
    assert field(client_id=silent.client_id, user_id=seller.user_id) == "client_id"
    assert field(client_id=application.client_id, user_id=1) == "user_id"
    assert field(client_id=application.client_id, user_id=1, action="x") == "action"
    ids = {"client_id": application.client_id, "user_id": seller.user_id}
    for data_id in ("", "a b", "x" * 65, "a&type=x", "ñ"):
        assert field(**ids, data_id=data_id) == "data_id"


def test_moving_the_clock_and_revoking_wait_until_everything_due_is_answered(
    sandbox: Sandbox,
    client: httpx.Client,
    application: Application,
    seller: Seller,
    receiver: Receiver,
):
    receiver.answer = lambda _: status(500)
    sandbox.webhooks.simulate(application, seller)

    def attempts_after(path: str, **body: object) -> int:
        assert client.post(f"/_sandbox{path}", json={**body, "settle": True}).status_code == 200
        return sum(one.attempts for one in sandbox.webhooks.list())

    assert attempts_after("/clock/advance", seconds=15 * 60) == 2
    assert attempts_after("/clock/travel", to="2026-06-12T14:00:00Z") == 4
    ids = {"client_id": application.client_id, "user_id": seller.user_id}
    client.get(sandbox.authorization_url(application))
    assert attempts_after("/revocations", reason="unlinked", **ids) == 5


def test_what_does_not_settle_in_time_is_a_504_that_says_what_is_missing(
    sandbox: Sandbox,
    client: httpx.Client,
    application: Application,
    seller: Seller,
    receiver: Receiver,
):
    receiver.answer = lambda _: None
    sandbox.webhooks.simulate(application, seller)

    answer = client.post("/_sandbox/webhooks/settle", json={"timeout": 0.05})

    assert answer.status_code == 504
    assert answer.json()["error"] == "gateway_timeout"
    assert f"(application.authorized) to {receiver.url} is not" in answer.json()["message"]
    assert client.get("/_sandbox/health").status_code == 200


def test_to_wait_no_time_succeeds_when_there_is_nothing_to_wait_for(
    sandbox: Sandbox,
    client: httpx.Client,
    application: Application,
    seller: Seller,
    receiver: Receiver,
):
    def settled_at_once() -> int:
        return client.post("/_sandbox/webhooks/settle", json={"timeout": 0}).status_code

    assert settled_at_once() == 200
    sandbox.webhooks.simulate(application, seller)
    client.post("/_sandbox/webhooks/settle", json={})
    # By now there is a thread that delivers, and nothing for it to do.
    assert [settled_at_once() for _ in range(200)] == [200] * 200
    sandbox.webhooks.settle(0)
    assert client.get("/_sandbox/journal?kind=token&wait=0").json()["entries"] == []

    receiver.answer = lambda _: None
    sandbox.webhooks.simulate(application, seller)
    assert settled_at_once() == 504
    with pytest.raises(TimeoutError):
        sandbox.webhooks.settle(0)


def test_what_is_delivered_once_more_is_waited_for_although_it_is_accepted(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda one: OK if one.headers["X-Retry"] == "0" else None
    sandbox.faults.add("webhook", how="duplicate")
    sandbox.webhooks.simulate(application, seller)
    receiver.wait(2)

    assert sandbox.webhooks.list()[0].status == "accepted"
    with pytest.raises(TimeoutError):
        sandbox.webhooks.settle(0)
