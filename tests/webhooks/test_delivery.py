"""What a receiver hears, when, and how often."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import freezegun
import httpx
import pytest

from mp_oauth_sandbox import Application, InvalidInputError, Sandbox, Seller, Webhook
from mp_oauth_sandbox.webhooks import delivery

from .conftest import SECRET, START, link, register
from .receiver import OK, Receiver, status


@pytest.fixture
def own_threads() -> Callable[[], list[str]]:
    """The threads that deliver for this test: another sandbox of this process may have its own."""
    others = set(threading.enumerate())
    return lambda: [
        thread.name
        for thread in threading.enumerate()
        if "webhooks" in thread.name and thread not in others
    ]


# ---- the request ----


def test_an_exchange_is_told_byte_for_byte_as_in_the_official_sample(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    link(sandbox, application)
    sandbox.webhooks.settle()

    (received,) = receiver.received
    (told,) = sandbox.webhooks.list()
    headers = received.headers
    body = (
        '{"action":"application.authorized","api_version":"v1","data":{"id":"123456789"},'
        f'"date_created":"2026-06-12T13:14:01.351Z","id":{told.notification_id},'
        '"live_mode":true,"type":"mp-connect","user_id":123456789}'
    )
    assert received.raw.decode() == (
        "POST /?data.id=123456789&type=mp-connect HTTP/1.1\r\n"
        f"Host: {receiver.host}\r\n"
        "Accept: */*\r\n"
        "Accept-Encoding: *\r\n"
        "Connection: keep-alive\r\n"
        "Content-Length: 197\r\n"
        "Content-Type: application/json\r\n"
        "User-Agent: restclient-node/5.1.10\r\n"
        f"X-Request-Id: {headers['X-Request-Id']}\r\n"
        "X-Rest-Pool-Name: /services/webhooks.js\r\n"
        "X-Retry: 0\r\n"
        f"X-Signature: {headers['X-Signature']}\r\n"
        "X-Socket-Timeout: 22000\r\n"
        f"\r\n{body}"
    )
    assert headers["X-Signature"].startswith(f"ts={int(START.timestamp())},v1=")
    assert told.status == "accepted"
    assert len(str(told.notification_id)) == 12


def test_a_path_and_a_query_of_ones_own_are_kept(
    sandbox: Sandbox, seller: Seller, receiver: Receiver
):
    application = register(sandbox, f"{receiver.url}mp/hook?shop=1")

    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()

    (received,) = receiver.received
    assert received.line == "POST /mp/hook?shop=1&data.id=123456789&type=mp-connect HTTP/1.1"


def test_an_unlinked_seller_is_told_once(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    link(sandbox, application)
    sandbox.clock.advance(seconds=1)

    sandbox.unlink(application, seller)
    sandbox.unlink(application, seller)
    sandbox.webhooks.settle()

    first, second = (received.body for received in receiver.received)
    assert [first["action"], second["action"]] == [
        "application.authorized",
        "application.deauthorized",
    ]
    assert (second["user_id"], second["data"]) == (123456789, {"id": "123456789"})
    assert first["id"] != second["id"]
    assert second["date_created"] == "2026-06-12T13:14:02.351Z"


def test_a_test_token_is_told_without_live_mode(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    link(sandbox, application, test_token=True)
    sandbox.webhooks.settle()

    assert receiver.received[0].body["live_mode"] is False


def test_switches_change_the_unit_of_ts_and_what_data_id_names(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    sandbox.change_profile(webhook_ts="milliseconds", webhook_data_id="client_id")

    link(sandbox, application)
    sandbox.webhooks.settle()

    (received,) = receiver.received
    assert received.ts == int(START.timestamp()) * 1000 + 351
    assert received.data_id == received.body["data"]["id"] == application.client_id


def test_the_consent_can_be_the_moment_instead_of_the_exchange(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    sandbox.change_profile(webhook_authorized_at="consent")

    with httpx.Client(transport=sandbox.transport()) as http:
        http.get(sandbox.authorization_url(application))
    sandbox.webhooks.settle()
    assert len(receiver.received) == 1

    link(sandbox, application)
    sandbox.webhooks.settle()
    assert len(receiver.received) == 2  # another consent, and no more for its exchange


def test_the_same_seed_makes_the_same_requests(receiver: Receiver):
    def one_life() -> None:
        with Sandbox(live=False, start=START, frozen=True, seed=1) as sandbox:
            sandbox.auto_consent(sandbox.create_seller())
            link(sandbox, register(sandbox, receiver.url))
            sandbox.webhooks.settle()

    one_life()
    one_life()

    first, second = receiver.received
    assert first.raw == second.raw


# ---- on and off ----


def test_nothing_is_told_without_a_webhook_or_with_one_that_is_off(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    off = Webhook(url=receiver.url, secret=SECRET, enabled=False)
    sandbox.update_application(application.client_id, lambda one: replace(one, webhook=off))
    link(sandbox, application)
    sandbox.update_application(application.client_id, lambda one: replace(one, webhook=None))
    link(sandbox, application)

    sandbox.webhooks.settle()
    assert (receiver.received, sandbox.webhooks.list()) == ([], [])

    on = replace(off, enabled=True)
    sandbox.update_application(application.client_id, lambda one: replace(one, webhook=on))
    link(sandbox, application)
    sandbox.webhooks.settle()
    assert len(receiver.received) == 1


def test_a_webhook_that_goes_away_ends_what_waits_for_it(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda _: status(500)
    link(sandbox, application)
    sandbox.webhooks.settle()
    sandbox.update_application(application.client_id, lambda one: replace(one, webhook=None))

    sandbox.clock.advance(minutes=15)
    sandbox.webhooks.settle()

    assert sandbox.webhooks.list()[0].status == "given_up"
    assert sandbox.journal.last("webhook").outcome == "given up: there is no webhook any more"
    assert len(receiver.received) == 1


def test_exchanges_without_a_webhook_start_no_thread(
    own_threads: Callable[[], list[str]], sandbox: Sandbox, seller: Seller
):
    application = register(sandbox, "http://localhost/")
    sandbox.update_application(application.client_id, lambda one: replace(one, webhook=None))

    for _ in range(1000):
        link(sandbox, application)

    assert own_threads() == []


# ---- retries ----


def due_after(sandbox: Sandbox, receiver: Receiver, *, days: float) -> list[timedelta]:
    """How long after the first attempt each of them came, by its own timestamp."""
    sandbox.webhooks.settle()
    sandbox.clock.advance(days=days)
    sandbox.webhooks.settle(20)
    first = receiver.received[0].ts
    assert [r.headers["X-Retry"] for r in receiver.received] == [
        str(n) for n in range(len(receiver.received))
    ]
    return [timedelta(seconds=received.ts - first) for received in receiver.received]


def test_what_is_not_confirmed_is_sent_again_for_as_long_as_it_takes(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda _: status(500)
    link(sandbox, application)

    came = due_after(sandbox, receiver, days=30)

    gaps = [later - earlier for earlier, later in pairwise(came)]
    quarter = timedelta(minutes=15)
    assert gaps[:6] == [quarter] * 3 + [quarter * 2, quarter * 4, quarter * 8]
    assert gaps[-1] == timedelta(days=4)
    (told,) = sandbox.webhooks.list()
    assert (told.status, told.attempts, len(told.latest)) == ("pending", len(came), 10)
    assert len({received.body["id"] for received in receiver.received}) == 1
    assert len({received.headers["X-Request-Id"] for received in receiver.received}) == len(came)


def test_the_plan_of_2022_ends(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    sandbox.change_profile(webhook_retries="2022")
    receiver.answer = lambda _: status(404)
    link(sandbox, application)

    came = due_after(sandbox, receiver, days=30)

    gaps = [later - earlier for earlier, later in pairwise(came)]
    assert gaps == [
        timedelta(minutes=5),
        timedelta(minutes=45),
        timedelta(hours=6),
        timedelta(days=2),
        timedelta(days=4),
    ]
    assert sandbox.webhooks.list()[0].status == "given_up"
    assert [r.headers["X-Socket-Timeout"] for r in receiver.received] == ["22000", *["5000"] * 5]
    assert sandbox.journal.last("webhook").outcome == "not accepted: 404, given up"


def test_the_next_attempt_is_planned_by_the_one_before_and_ends_with_its_acceptance(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda received: (
        status(201) if received.headers["X-Retry"] == "2" else status(202)
    )
    link(sandbox, application)

    came = due_after(sandbox, receiver, days=1)

    assert came == [timedelta(), timedelta(minutes=15), timedelta(minutes=30)]
    entries = [entry for entry in sandbox.journal if entry.kind == "webhook"]
    assert [entry.outcome for entry in entries] == [
        "not accepted: 202, next attempt 2026-06-12T13:29:01.351Z",
        "not accepted: 202, next attempt 2026-06-12T13:44:01.351Z",
        "accepted",
    ]
    last = entries[-1]
    assert last.request == f"POST {receiver.url} application.authorized"
    assert (last.status, last.client_id, last.user_id, last.delivery) == (
        201,
        application.client_id,
        123456789,
        "delivered",
    )
    assert last.facts == {
        "notification": str(receiver.received[0].body["id"]),
        "due": "2026-06-12T13:44:01.351Z",
        "retry": "2",
        "request_id": receiver.received[2].headers["X-Request-Id"],
    }


def test_attempts_of_several_notifications_come_in_the_order_in_which_they_are_due(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda _: status(500)
    link(sandbox, application)
    sandbox.webhooks.settle()
    sandbox.clock.advance(minutes=10)
    link(sandbox, application)
    sandbox.webhooks.settle()

    sandbox.clock.advance(minutes=60)
    sandbox.webhooks.settle()

    stamps = [received.ts for received in receiver.received]
    assert stamps == sorted(stamps)
    one, two = (told.notification_id for told in sandbox.webhooks.list())
    assert [r.body["id"] for r in receiver.received] == [one, two, one, two, one, two, one, two]


def test_advancing_the_clock_does_not_wait_for_receivers(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda _: None
    link(sandbox, application)
    receiver.wait(1)

    sandbox.clock.advance(days=1)

    with pytest.raises(TimeoutError, match=r"did not settle within 0\.05 s: attempt 1 of notif"):
        sandbox.webhooks.settle(0.05)
    assert len(receiver.received) == 1


def test_a_clock_that_runs_brings_the_next_attempt_by_itself(receiver: Receiver):
    receiver.answer = lambda received: OK if received.headers["X-Retry"] == "1" else status(503)
    with Sandbox(live=False) as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        link(sandbox, register(sandbox, receiver.url))
        sandbox.webhooks.settle()

        sandbox.clock.advance(minutes=14, seconds=59.8)

        receiver.wait(2)
        sandbox.webhooks.settle()
        assert sandbox.webhooks.list()[0].status == "accepted"


def test_a_test_that_freezes_its_own_time_does_not_hold_deliveries_up(receiver: Receiver):
    with freezegun.freeze_time("2020-01-01"), Sandbox(live=False) as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        link(sandbox, register(sandbox, receiver.url))
        sandbox.webhooks.settle()

    assert datetime.fromtimestamp(receiver.received[0].ts, UTC).year > 2020


# ---- answers of every kind ----


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (status(302).replace(b"\r\n\r\n", b"\r\nLocation: /again\r\n\r\n"), "not accepted: 302"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "accepted"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000, "accepted"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "accepted"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "not accepted: 204"),
        (b"HTTP/1.0 201 Created\r\n\r\n", "accepted"),
        (b"HTTP/1.1 204 No Content\r\n\r\nbut here is one", "not accepted: 204"),
        (b"", "no answer: the connection was closed at once, without an answer"),
        (b"HTTP/1.1 20", "no answer: the connection was closed, without an answer"),
        (b"220 smtp ready\r\n", "no answer: what came was not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "no answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_answer_is_judged_by_its_status_alone(
    answer: bytes,
    outcome: str,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
):
    receiver.answer = lambda _: answer

    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle(20)

    assert sandbox.journal.last("webhook").outcome.startswith(outcome)
    assert len(receiver.received) == 1


def test_nobody_listening_is_said_in_words(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.stop_listening()

    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()

    entry = sandbox.journal.last("webhook")
    assert entry.outcome == ("no answer: connection refused, next attempt 2026-06-12T13:29:01.351Z")
    assert (entry.status, entry.delivery) == (0, "disconnected")


def test_a_receiver_without_tls_is_said_in_words(sandbox: Sandbox, seller: Seller):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer_in_plain_text() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        answering = threading.Thread(target=answer_in_plain_text)
        answering.start()
        sandbox.webhooks.simulate(register(sandbox, f"https://localhost:{port}/"), seller)
        sandbox.webhooks.settle()
        answering.join()

    assert sandbox.journal.last("webhook").outcome.startswith("no answer: no TLS (")


def test_an_allowed_host_that_does_not_exist_is_said_in_words():
    with Sandbox(live=False, frozen=True, allow_webhook_hosts=["shop.invalid"]) as sandbox:
        application = register(sandbox, "http://shop.invalid/")
        sandbox.webhooks.simulate(application, sandbox.create_seller())
        sandbox.webhooks.settle(20)

        outcome = sandbox.journal.last("webhook").outcome
    assert outcome.startswith("no answer: cannot be reached (")


@pytest.mark.parametrize("drips", [False, True])
def test_the_time_for_an_answer_is_counted_in_all(
    drips: bool,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
):
    short = timedelta(milliseconds=300)
    monkeypatch.setattr("mp_oauth_sandbox.webhooks.attempt.answer_within", lambda *_: short)
    receiver.answer = lambda _: None
    stop = threading.Event()

    def drop_by_drop() -> None:
        receiver.wait(1)
        while drips and not stop.wait(0.01):
            try:
                receiver._open[0].send(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError:
                return

    dripping = threading.Thread(target=drop_by_drop)
    dripping.start()
    try:
        sandbox.webhooks.simulate(application, seller)
        sandbox.webhooks.settle(20)
    finally:
        stop.set()
        dripping.join()

    outcome = sandbox.journal.last("webhook").outcome
    assert outcome.startswith("no answer: nothing came within 0.3 s, next attempt")


def test_a_redirect_is_not_followed(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    with Receiver() as elsewhere:
        where = f"HTTP/1.1 307 Go\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        receiver.answer = lambda _: where.encode()

        sandbox.webhooks.simulate(application, seller)
        sandbox.webhooks.settle()

        assert (len(receiver.received), elsewhere.received) == (1, [])


def test_proxies_of_the_environment_are_not_used(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()

    assert sandbox.webhooks.list()[0].status == "accepted"


# ---- targets ----


def test_names_of_this_machine_are_never_looked_up(
    sandbox: Sandbox, seller: Seller, receiver: Receiver
):
    port = receiver.port
    for host in ("localhost", "shop.localhost", "LOCALHOST"):
        sandbox.webhooks.simulate(register(sandbox, f"http://{host}:{port}/"), seller)

    sandbox.webhooks.settle()

    hosts = [received.headers["Host"] for received in receiver.received]
    assert hosts == [f"localhost:{port}", f"shop.localhost:{port}", f"LOCALHOST:{port}"]


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_a_receiver_on_ipv6_alone_is_found_by_name_and_by_address(sandbox: Sandbox, seller: Seller):
    with Receiver(address="::1") as receiver:
        for url in (f"http://localhost:{receiver.port}/", receiver.url):
            sandbox.webhooks.simulate(register(sandbox, url), seller)
        sandbox.webhooks.settle()

        assert [r.headers["Host"] for r in receiver.received] == [
            f"localhost:{receiver.port}",
            receiver.host,
        ]


def test_a_name_of_this_machine_at_which_nobody_listens_says_refused(
    sandbox: Sandbox, seller: Seller, receiver: Receiver
):
    receiver.stop_listening()

    sandbox.webhooks.simulate(register(sandbox, f"http://localhost:{receiver.port}/"), seller)
    sandbox.webhooks.settle()

    outcome = sandbox.journal.last("webhook").outcome
    assert outcome.startswith("no answer: connection refused, next attempt")


@pytest.mark.parametrize("host", ["shop.example", "10.0.0.7", "169.254.169.254", "[fe80::1]", "0"])
def test_a_target_beyond_this_machine_is_refused_with_the_remedy(sandbox: Sandbox, host: str):
    with pytest.raises(InvalidInputError, match=r"webhook\.url: .*allow_webhook_hosts") as refused:
        register(sandbox, f"http://{host}/hook")

    assert refused.value.field == "webhook.url"
    assert "--allow-webhook-host" in refused.value.problem


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "http://",
        "http://localhost:99999/",
        "http://localhost:/",
        "http://user:pass@localhost/",
        "http://localhost/#part",
        "http://localhost/a b",
        "http://localhost/\r\nX: y",
        "http://localhost@shop.example/",
        "http://shop.example\\@localhost/",
        "http://localhost/" + "x" * 2048,
    ],
)
def test_a_url_that_is_none_is_refused(sandbox: Sandbox, url: str):
    with pytest.raises(InvalidInputError, match=r"webhook\.url"):
        register(sandbox, url)


@pytest.mark.parametrize("secret", ["", "x" * 257, "line\nbreak", "\ud800"])
def test_a_secret_that_is_none_is_refused(sandbox: Sandbox, secret: str):
    with pytest.raises(InvalidInputError, match=r"webhook\.secret"):
        register(sandbox, "http://localhost/", secret=secret)


def test_an_edit_is_checked_as_a_registration_is(sandbox: Sandbox, application: Application):
    away = Webhook(url="http://shop.example/", secret=SECRET)

    with pytest.raises(InvalidInputError, match=r"webhook\.url"):
        sandbox.update_application(application.client_id, lambda one: replace(one, webhook=away))


def test_a_host_is_allowed_by_name_and_checked_again_when_it_is_sent_to(tmp_path: Path):
    data = tmp_path / "mp.db"
    away = "http://shop.invalid/hook"
    with Sandbox(live=False, data=data, frozen=True, allow_webhook_hosts=["Shop.Invalid"]) as one:
        seller = one.create_seller(user_id=5)
        application = register(one, away)

    with Sandbox(live=False, data=data) as other:
        other.webhooks.simulate(application, seller)
        other.webhooks.settle()
        outcome = other.journal.last("webhook").outcome
        assert outcome.startswith("no answer: shop.invalid is not this machine")
        # Whatever else is edited, what was allowed once stays as it is.
        other.update_application(application.client_id, lambda one: replace(one, name="Otra"))


# ---- restart, reset, close ----


def test_a_plan_is_taken_up_again_after_a_restart(tmp_path: Path, receiver: Receiver):
    data = tmp_path / "mp.db"
    receiver.answer = lambda _: status(500)
    with Sandbox(live=False, data=data, start=START, frozen=True) as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        link(sandbox, register(sandbox, receiver.url))
        sandbox.webhooks.settle()
        sandbox.clock.advance(minutes=15)
        sandbox.webhooks.settle()

    receiver.answer = lambda _: OK
    with Sandbox(live=False, data=data) as sandbox:
        sandbox.webhooks.settle()
        assert len(receiver.received) == 2
        sandbox.clock.advance(minutes=15)
        sandbox.webhooks.settle()
        assert sandbox.webhooks.list()[0].status == "accepted"

    assert [received.headers["X-Retry"] for received in receiver.received] == ["0", "1", "2"]
    first, *_, last = (received.ts for received in receiver.received)
    assert last - first == 30 * 60


LINK_AND_WAIT = """
import sys, time
from mp_oauth_sandbox import Sandbox, Webhook
import httpx
data, url = sys.argv[1:]
sandbox = Sandbox(live=False, data=data)
sandbox.auto_consent(sandbox.create_seller())
hook = Webhook(url=url, secret="s")
app = sandbox.register_application(redirect_uris=["https://shop.example/"], webhook=hook)
http = httpx.Client(transport=sandbox.transport(), base_url=sandbox.url)
code = httpx.URL(http.get(sandbox.authorization_url(app)).headers["location"]).params["code"]
answer = http.post("/oauth/token", json={"grant_type": "authorization_code", "code": code,
    "client_id": app.client_id, "client_secret": app.client_secret,
    "redirect_uri": "https://shop.example/"})
print(answer.status_code, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_kill_in_the_middle_of_a_delivery_loses_no_notification(
    tmp_path: Path, receiver: Receiver
):
    data = tmp_path / "mp.db"
    receiver.answer = lambda _: None
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", LINK_AND_WAIT, str(data), receiver.url],
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "200\n"
        receiver.wait(1)
        child.send_signal(signal.SIGKILL)

    receiver.answer = lambda _: OK
    with Sandbox(live=False, data=data) as sandbox:
        sandbox.webhooks.settle()
        assert [told.status for told in sandbox.webhooks.list()] == ["accepted"]

    killed, repeated = receiver.received
    assert killed.body == repeated.body


def test_closing_cuts_off_what_hangs_and_leaves_no_thread(
    receiver: Receiver, own_threads: Callable[[], list[str]]
):
    receiver.answer = lambda _: None
    sandbox = Sandbox(live=False)
    sandbox.webhooks.simulate(register(sandbox, receiver.url), sandbox.create_seller())
    receiver.wait(1)
    assert own_threads() == ["mp-oauth-sandbox webhooks"]

    sandbox.close()

    assert own_threads() == []
    assert receiver.hung_up_on()
    sandbox.close()


def test_a_reset_drops_what_waits_and_what_is_in_flight(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    sandbox.keep(application, seller)
    receiver.answer = lambda _: None
    sandbox.webhooks.simulate(application, seller)
    receiver.wait(1)
    sandbox.webhooks.simulate(application, seller)

    sandbox.reset()
    assert receiver.hung_up_on()

    receiver.answer = lambda _: OK
    sandbox.webhooks.settle()
    assert (sandbox.webhooks.list(), len(sandbox.journal)) == ([], 0)
    assert len(receiver.received) == 1
    sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()
    assert sandbox.webhooks.list()[0].status == "accepted"


def test_a_failing_store_holds_deliveries_up_and_no_request(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(delivery, "_AFTER_A_FAILURE", 0.01)
    with monkeypatch.context() as broken:
        broken.setattr(delivery, "plan", fail)
        link(sandbox, application)
        with pytest.raises(TimeoutError):
            sandbox.webhooks.settle(0.1)
    sandbox.webhooks.settle()

    assert sandbox.webhooks.list()[0].status == "accepted"
    assert "Webhook notifications are held up by a failure" in caplog.text


def test_a_thread_that_cannot_start_fails_no_request_and_is_tried_again(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    def fail(**_: object) -> None:
        raise OSError("too many open files")

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "LoopThread", fail)
        link(sandbox, application)
    assert "their thread cannot be started" in caplog.text
    assert sandbox.webhooks.list()[0].status == "pending"

    sandbox.clock.advance(seconds=1)
    sandbox.webhooks.settle()

    assert sandbox.webhooks.list()[0].status == "accepted"


def test_a_pending_notification_is_never_forgotten_and_ended_ones_are_kept_in_number(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    receiver.answer = lambda received: status(500) if len(receiver.received) == 0 else OK
    for _ in range(1010):
        sandbox.webhooks.simulate(application, seller)

    sandbox.webhooks.settle(30)

    assert len(sandbox.webhooks.list(status="pending")) == 1
    assert len(sandbox.webhooks.list(status="accepted")) == 1000
    assert len(sandbox.webhooks.list()) == 1001


# ---- by hand ----


def test_a_notification_is_sent_again_by_hand_under_its_own_number(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    told = sandbox.webhooks.simulate(application, seller)
    sandbox.webhooks.settle()
    sandbox.clock.advance(days=1)

    sandbox.webhooks.resend(told.notification_id)
    sandbox.webhooks.settle()

    first, second = receiver.received
    assert first.body == second.body
    assert [first.headers["X-Retry"], second.headers["X-Retry"]] == ["0", "1"]
    assert second.ts - first.ts == 24 * 3600
    with pytest.raises(InvalidInputError, match="there is no notification 7"):
        sandbox.webhooks.resend(7)


def test_what_cannot_be_simulated_is_named(
    sandbox: Sandbox, application: Application, seller: Seller
):
    silent = sandbox.register_application(redirect_uris=["https://shop.example/"])

    with pytest.raises(InvalidInputError, match="has no webhook that is on"):
        sandbox.webhooks.simulate(silent, seller)
    with pytest.raises(InvalidInputError, match="there is no application 1"):
        sandbox.webhooks.simulate("1", seller)
    with pytest.raises(InvalidInputError, match="there is no seller 1"):
        sandbox.webhooks.simulate(application, 1)


def test_notifications_are_listed_by_application_and_state(
    sandbox: Sandbox, application: Application, seller: Seller, receiver: Receiver
):
    other = register(sandbox, "http://127.0.0.1:1/")
    told = sandbox.webhooks.simulate(application, seller, action="application.deauthorized")
    refused = sandbox.webhooks.simulate(other, seller)
    sandbox.webhooks.settle()

    found = sandbox.webhooks.list
    assert [one.notification_id for one in found()] == [
        told.notification_id,
        refused.notification_id,
    ]
    assert [one.notification_id for one in found(client_id=other.client_id)] == [
        refused.notification_id
    ]
    assert [one.action for one in found(status="accepted")] == ["application.deauthorized"]
    assert found(client_id=application.client_id, status="pending") == []
