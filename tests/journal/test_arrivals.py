"""An exchange is in sight from its arrival to its end, and the journal knows whose it is."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller, Webhook
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.records import Credential, CredentialKind
from mp_oauth_sandbox.faults import Gate, LoseResponse, Refuse, Slow
from mp_oauth_sandbox.journal import Entry

CALLBACK = "https://shop.example/cb"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, timeout=30) as http:
        yield http


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    return sandbox.register_application(redirect_uris=[CALLBACK])


@pytest.fixture
def seller(sandbox: Sandbox) -> Seller:
    return sandbox.create_seller(country="AR")


def code(sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller) -> str:
    sandbox.auto_consent(seller)
    answer = http.get(sandbox.authorization_url(application, state="s1"))
    return httpx.URL(answer.headers["location"]).params["code"]


def exchange(http: httpx.Client, application: Application, code: str) -> httpx.Response:
    return http.post(
        "/oauth/token",
        json={
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "code": code,
            "redirect_uri": CALLBACK,
        },
    )


def refresh(http: httpx.Client, application: Application, token: str) -> httpx.Response:
    own = {"client_id": application.client_id, "client_secret": application.client_secret}
    body = {"grant_type": "refresh_token", **own, "refresh_token": token}
    return http.post("/oauth/token", json=body)


def until(condition) -> None:
    """Wait for what another thread brings about."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.005)


def in_flight(http: httpx.Client) -> list[tuple[str, int | None]]:
    found = http.get("/_sandbox/journal/in-flight").json()["in_flight"]
    return [(one["request"], one["seq"]) for one in found]


def ended(sandbox: Sandbox, count: int) -> list[Entry]:
    """The entries, once so many have ended: an answer is heard before its entry is completed."""
    until(lambda: len([one for one in sandbox.journal if one.ended]) >= count)
    return list(sandbox.journal)


# ---- the order of things ----


def test_an_exchange_has_arrived_before_it_was_decided_and_ended_after(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
) -> None:
    sandbox.clock.freeze()
    exchange(http, application, code(sandbox, http, application, seller))
    http.get("/users/me")

    entries = ended(sandbox, 4)

    for entry in entries:
        assert 0 < entry.arrived < entry.decided
        assert entry.ended is not None
        assert entry.decided < entry.ended
    for before, after in pairwise(entries):
        assert (before.seq, before.decided) < (after.seq, after.decided)
    numbers = [number for one in entries for number in (one.arrived, one.decided, one.ended)]
    assert len(set(numbers)) == len(numbers)


def test_what_a_gate_holds_is_seen_from_its_arrival(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
) -> None:
    tokens = exchange(http, application, code(sandbox, http, application, seller)).json()
    sandbox.faults.add(Gate(on="refresh", waiting=2, within=60, order="reverse"))
    before = http.get("/_sandbox/journal/in-flight").json()["number"]
    with ThreadPoolExecutor(2) as pool:
        for held in (1, 2):
            assert len(in_flight(http)) == held - 1
            pool.submit(refresh, http, application, tokens["refresh_token"])
            if held == 1:
                until(lambda: in_flight(http) == [("POST /oauth/token", None)])
                # Its body too has come: else the second may be first at the gate.
                until(lambda: http.get("/_sandbox/faults").json()["faults"][0]["held"] == 1)

    first, second = ended(sandbox, 5)[-2:]
    assert before < second.arrived < first.arrived < first.decided < second.decided
    assert in_flight(http) == []


def test_what_is_decided_and_still_on_its_way_names_its_entry(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    sandbox.faults.add(Slow(on="/users/me", seconds=60))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(http.get, "/users/me", timeout=0.5)
        until(lambda: len(sandbox.journal) == 2)

        assert in_flight(http) == [("GET /users/me", 2)]
        assert sandbox.journal.last().ended is None

    until(lambda: in_flight(http) == [])
    assert sandbox.journal.last().delivery == "disconnected"
    assert sandbox.journal.last().ended


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
        b"GET /users/me HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
def test_nobody_who_leaves_stays_in_flight(sandbox: Sandbox, request_head: bytes) -> None:
    import socket

    port = httpx.URL(sandbox.url).port
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_head)
        until(lambda: sandbox.journal.in_flight() or len(sandbox.journal))

    until(lambda: not sandbox.journal.in_flight())


def test_a_request_in_flight_shows_no_secret(sandbox: Sandbox, http: httpx.Client) -> None:
    secret = "TG-0123456789abcdef01234567-5"
    sandbox.faults.add(Slow(on="resource", seconds=60))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(http.get, f"/v1/{secret}", timeout=0.5)
        until(lambda: in_flight(http))

        assert in_flight(http)[0][0] == "GET /v1/TG-..."


def test_a_notification_on_its_way_is_in_flight(
    sandbox: Sandbox, http: httpx.Client, seller: Seller
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as receiver:
        hook = Webhook(url=f"http://127.0.0.1:{receiver.getsockname()[1]}/hook?x=1", secret="s" * 9)
        app = sandbox.register_application(redirect_uris=[CALLBACK], webhook=hook)
        sandbox.webhooks.simulate(app, seller)
        connection, _ = receiver.accept()
        with connection:
            until(lambda: in_flight(http))
            ((request, seq),) = in_flight(http)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            sandbox.webhooks.settle()

    assert (request.partition("?")[0], seq) == (f"POST {hook.url.partition('?')[0]}", None)
    entry = sandbox.journal.last("webhook")
    assert entry.ended is not None
    assert entry.arrived < entry.decided < entry.ended
    assert in_flight(http) == []


def test_numbers_go_on_over_a_restart(tmp_path: Path) -> None:
    with Sandbox(live=False, data=tmp_path / "kept.sqlite") as first:
        first.clock.advance(seconds=1)
        last = first.journal.last("control")
    with Sandbox(live=False, data=tmp_path / "kept.sqlite") as second:
        second.clock.advance(seconds=1)
        entry = second.journal.last("control")

    assert last.ended is not None
    assert entry.seq == last.seq + 1
    assert entry.arrived > last.ended


# ---- whose it was ----


def test_a_request_tells_whose_it_is_whether_it_was_granted_or_refused(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
) -> None:
    first = code(sandbox, http, application, seller)
    tokens = exchange(http, application, first).json()
    exchange(http, application, first)
    http.get("/users/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    sandbox.clock.advance(days=181)
    http.get("/users/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    refresh(http, application, tokens["refresh_token"])
    sandbox.unlink(application, seller)
    refresh(http, application, tokens["refresh_token"])

    linking = [one for one in sandbox.journal if one.kind in {"authorization", "token", "resource"}]

    assert len(linking) == 7
    owners = {(one.client_id, one.user_id, one.grant) for one in linking}
    assert len(owners) == 1
    assert {(one[0], one[1]) for one in owners} == {(application.client_id, seller.user_id)}
    assert owners.pop()[2]


def test_a_code_of_another_application_is_told_by_who_presents_it_and_whose_it_is(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
) -> None:
    other = sandbox.register_application(redirect_uris=[CALLBACK])

    exchange(http, other, code(sandbox, http, application, seller))

    entry = sandbox.journal.last()
    assert entry.cause == "code_of_another_application"
    assert (entry.client_id, entry.user_id) == (other.client_id, seller.user_id)


@pytest.mark.parametrize("bearer", [None, "undefined", "APP_USR-1-010100-" + "0" * 32 + "-5"])
def test_what_nobody_was_ever_given_is_nobody_s(
    sandbox: Sandbox, http: httpx.Client, bearer: str | None
) -> None:
    http.get("/users/me", headers={"Authorization": f"Bearer {bearer}"} if bearer else {})

    entry = sandbox.journal.last()
    assert (entry.client_id, entry.user_id, entry.grant) == (None, None, None)


def test_what_was_carried_and_got_is_named_by_its_label(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
) -> None:
    label = sandbox._engine.mint.label
    first = code(sandbox, http, application, seller)
    tokens = exchange(http, application, first).json()
    access, renewal = tokens["access_token"], tokens["refresh_token"]
    http.get("/users/me", headers={"Authorization": f"Bearer {access}"})
    refresh(http, application, renewal)
    exchange(http, application, "undefined")

    entries = http.get("/_sandbox/journal").json()["entries"]
    told = [(one["carried"], one["got"]) for one in entries if one["kind"] != "control"]

    issued = {"access_token": label(access), "refresh_token": label(renewal)}
    assert told[:3] == [
        ({}, {"code": label(first)}),
        ({"code": label(first)}, issued),
        ({"access_token": label(access)}, {}),
    ]
    assert told[3][0] == {"refresh_token": label(renewal)}
    assert set(told[3][1]) == {"access_token", "refresh_token"}
    assert told[4] == ({"code": label("undefined")}, {})


def test_a_lost_answer_still_tells_what_was_issued(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
) -> None:
    first = code(sandbox, http, application, seller)
    sandbox.faults.add(LoseResponse(on="exchange"))
    with pytest.raises(httpx.RemoteProtocolError):
        exchange(http, application, first)

    entry = sandbox.journal.last()
    assert set(entry.got) == {"access_token", "refresh_token"}
    assert (entry.user_id, entry.delivery) == (seller.user_id, "dropped")


# ---- waiting ----


def test_a_page_is_waited_for_until_there_is_something_in_it(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.get, "/_sandbox/journal?kind=resource&after=0&wait=30")
        sandbox.clock.advance(seconds=1)
        http.post("/oauth/token")
        until(lambda: sandbox.journal.listeners)
        assert not waiting.done()
        http.get("/users/me")

        assert [one["kind"] for one in waiting.result().json()["entries"]] == ["resource"]
    until(lambda: sandbox.journal.listeners == 0)


def test_what_is_there_already_is_not_waited_for(sandbox: Sandbox, http: httpx.Client) -> None:
    http.get("/users/me")

    found = http.get("/_sandbox/journal?wait=60").json()

    assert len(found["entries"]) == 1


def test_a_wait_ends_with_its_time_and_with_a_reset(sandbox: Sandbox, http: httpx.Client) -> None:
    assert http.get("/_sandbox/journal?wait=0.01").json() == {"entries": [], "next": 0}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.get, "/_sandbox/journal?after=7&wait=60")
        until(lambda: sandbox.journal.listeners)
        sandbox.reset()

        assert waiting.result().json()["entries"] == []


@pytest.mark.parametrize("query", ["wait=61", "wait=-1", "wait=soon", "wait=1&stream=1"])
def test_a_wait_that_cannot_be_is_refused(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/_sandbox/journal?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, "wait")


def test_the_instant_of_an_entry_is_that_of_its_decision(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
):
    exchange(http, application, code(sandbox, http, application, seller))

    consent, redemption = sandbox.journal.last("authorization"), sandbox.journal.last("token")

    (issued,) = [
        record
        for record in sandbox._engine.store.snapshot()
        if isinstance(record, Credential) and record.kind is CredentialKind.CODE
    ]
    assert (consent.at, redemption.at) == (issued.issued_at, issued.spent_at)


def test_whose_a_refused_consent_is_is_told_though_nobody_is_signed_in(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
):
    operator = sandbox.create_seller(collaborator_of=seller)
    sandbox.auto_consent(operator)

    assert http.get(sandbox.authorization_url(application)).status_code == 400

    (entry,) = sandbox.journal.query(seller=operator)
    assert (entry.cause, entry.client_id) == ("operator_account", application.client_id)


def test_whose_a_consent_is_that_meets_a_refusing_fault_is_told(
    sandbox: Sandbox, http: httpx.Client, application: Application, seller: Seller
):
    sandbox.auto_consent(seller)
    sandbox.faults.add(Refuse(cause=Cause.SERVER_FAILED, on="authorization"))

    http.get(sandbox.authorization_url(application))

    (entry,) = sandbox.journal.query(seller=seller)
    assert entry.cause == Cause.SERVER_FAILED


def test_a_restart_finds_every_entry_ended_that_had_ended(tmp_path: Path):
    data = tmp_path / "sandbox.db"
    with Sandbox(data=data) as sandbox, httpx.Client(base_url=sandbox.url) as http:
        for _ in range(130):
            http.get("/users/me")
        sandbox.clock.advance(seconds=1)
        before = sandbox.journal.entries()

    with Sandbox(data=data) as sandbox:
        kept = sandbox.journal.entries()

    assert [one.seq for one in kept] == list(range(1, 132))
    assert [(one.delivery, one.ended) for one in kept] == [(o.delivery, o.ended) for o in before]
    assert all(one.ended for one in kept)
