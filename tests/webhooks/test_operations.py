"""Notifications through the control API: listed, sent again, simulated, awaited."""

from collections.abc import Iterator

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

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
