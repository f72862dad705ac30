"""A fault has met a request if it did its work on it: not if it was merely meant for it."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox
from mp_oauth_sandbox.faults import Armed, Gate

CALLBACK = "https://shop.example/mp/callback"


class Shop:
    def __init__(self, sandbox: Sandbox, http: httpx.Client, app: Application) -> None:
        self.sandbox, self.http, self.app = sandbox, http, app
        self.add = sandbox.faults.add

    def ask(self) -> str:
        """What is heard at the token endpoint: a status, or that the connection ended."""
        secrets = {"client_id": self.app.client_id, "client_secret": self.app.client_secret}
        body = {**secrets, "grant_type": "client_credentials"}
        try:
            return str(self.http.post("/oauth/token", json=body).status_code)
        except httpx.RemoteProtocolError:
            return "lost"

    def authorize(self) -> httpx.Response:
        url = self.sandbox.authorization_url(self.app, state="s1")
        return self.http.get(url.removeprefix(self.sandbox.url))

    def told(self) -> tuple[str, ...]:
        return self.sandbox.journal.last().faults


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Sandbox(live=False) as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        app = sandbox.register_application(redirect_uris=[CALLBACK])
        with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
            yield Shop(sandbox, http, app)


def counts(armed: Armed) -> tuple[int, int, int]:
    return armed.matched, armed.used, armed.idle


def test_what_a_sequence_hides_stays_armed_until_it_can_do_its_work(shop: Shop) -> None:
    lost = shop.add("lose-response")
    shop.sandbox.faults.sequence(503, 503)

    assert [shop.ask(), shop.ask()] == ["503", "503"]
    assert counts(lost) == (2, 0, 2)
    assert not lost.spent
    assert shop.told() == ("f3 refuse (match 2)",)
    assert list(shop.sandbox.faults.never_reached()) == [lost]

    assert [shop.ask(), shop.ask()] == ["lost", "200"]
    assert counts(lost) == (4, 1, 2)
    assert lost.spent
    assert shop.sandbox.faults.never_reached() == ()


def test_what_never_did_its_work_is_said_to_have_been_hidden(shop: Shop) -> None:
    shop.add("lose-response")
    shop.add("refuse", status=503)
    shop.ask()

    with pytest.raises(AssertionError) as failed:
        shop.sandbox.faults.assert_all_reached()

    assert "f1 lose-response on token (match 1): once hidden by another fault" in str(failed.value)
    listed = shop.http.get("/_sandbox/faults").json()["faults"]
    seen = [(one["matched"], one["used"], one["idle"], one["spent"]) for one in listed]
    assert seen == [(1, 0, 1, False), (1, 1, 0, True)]


def test_a_step_is_for_its_own_request_and_not_for_a_later_one(shop: Shop) -> None:
    step, _ = shop.sandbox.faults.sequence("lose-response", "fine", "fine", 503)
    shop.add("refuse", status=500)

    assert [shop.ask() for _ in range(5)] == ["500", "200", "200", "503", "200"]
    assert (counts(step), step.spent, step.reached) == ((5, 0, 1), False, False)


def test_an_exact_fault_is_not_made_up_for(shop: Shop) -> None:
    shop.add("lose-response", exact=True)
    shop.add("refuse", status=500)

    assert [shop.ask(), shop.ask()] == ["500", "200"]


@pytest.mark.parametrize(
    ("inner", "outer", "met"),
    [
        # Whoever stands in for the decision hides all that is inside.
        ("lose-response", "refuse", [False, True]),
        ("lose-response", "drop-before-commit", [False, True]),
        ("refuse", "refuse", [False, True]),
        ("drop-before-commit", "refuse", [False, True]),
        ("gate", "refuse", [False, True]),
        ("garble", "refuse", [False, True]),
        ("slow", "drop-before-commit", [False, True]),
        # An answer that never goes out is neither garbled nor slow to arrive.
        ("garble", "lose-response", [False, True]),
        ("drip", "lose-response", [False, True]),
        ("lose-response", "garble", [True, False]),
        ("drop-before-commit", "drip", [True, False]),
        # A hang-up can be late, and what was refused can be lost.
        ("slow", "lose-response", [True, True]),
        ("refuse", "lose-response", [True, True]),
        ("refuse", "slow", [True, True]),
        ("slow", "slow", [True, True]),
        # Of two that do the same it is the outer one.
        ("lose-response", "lose-response", [False, True]),
        ("garble", "garble", [False, True]),
        ("drip", "drip", [False, True]),
        # Nothing was left to lose.
        ("drop-before-commit", "lose-response", [True, False]),
    ],
)
def test_of_two_faults_those_are_met_that_did_their_work(
    shop: Shop, inner: str, outer: str, met: list[bool]
) -> None:
    own: dict[str, dict[str, object]] = {
        "slow": {"seconds": 0.001},
        "drip": {"seconds": 0.001},
        "garble": {"how": "html"},
        "gate": {"within": 0.001},
    }
    armed = [shop.add(kind, **own.get(kind, {})) for kind in (inner, outer)]

    shop.ask()

    assert [one.reached for one in armed] == met
    assert [one.idle for one in armed] == [0 if one else 1 for one in met]
    told = [one.partition(" ")[0] for one in shop.told()]
    assert told == [one.name for one in armed if one.reached]


@pytest.mark.parametrize(
    ("inner", "outer", "met"),
    [
        ("truncated", "html", [False, True]),
        ("html", "truncated", [True, True]),
        ("missing-field", "empty", [False, True]),
        ("html", "missing-field", [True, False]),
        ("extra-fields", "missing-field", [True, True]),
        ("other-expires-in", "odd-types", [True, True]),
        ("other-user", "other-user", [True, True]),
    ],
)
def test_of_two_garbled_answers_those_count_that_left_a_trace(
    shop: Shop, inner: str, outer: str, met: list[bool]
) -> None:
    armed = [shop.add("garble", how=how) for how in (inner, outer)]

    shop.ask()

    assert [one.reached for one in armed] == met


def test_an_answer_without_the_field_is_not_garbled_and_the_next_one_is(shop: Shop) -> None:
    armed = shop.add("garble", how="other-expires-in", on="token")
    shop.add("refuse", status=503)

    assert shop.ask() == "503"
    assert counts(armed) == (1, 0, 1)
    assert shop.ask() == "200"
    assert counts(armed) == (2, 1, 1)


def test_a_drip_of_an_empty_body_is_none(shop: Shop) -> None:
    drip = shop.add("drip", seconds=0.001)
    shop.add("garble", how="empty")

    shop.ask()

    assert counts(drip) == (1, 0, 1)


@pytest.mark.parametrize(
    ("how", "met"), [("drop-code", False), ("change-code", False), ("drop-state", True)]
)
def test_a_denial_has_no_code_to_tamper_with(shop: Shop, how: str, met: bool) -> None:
    shop.sandbox.deny()
    tamper = shop.add("tamper", how=how)

    assert "error=access_denied" in shop.authorize().headers["location"]
    assert tamper.reached is met


def test_a_page_is_no_redirect_that_could_be_tampered_with(shop: Shop) -> None:
    tamper = shop.add("tamper", how="extra")
    shop.add("refuse", on="authorization", status=503, retry_after=1)
    outer = shop.add("tamper", how="drop-state")

    answer = shop.authorize()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert [counts(tamper), counts(outer)] == [(1, 0, 1), (1, 0, 1)]
    assert shop.told() == ("f2 refuse (match 1)",)
    assert "iss=" in shop.authorize().headers["location"]


def test_of_two_tampered_redirects_the_one_counts_that_is_seen(shop: Shop) -> None:
    armed = [shop.add("tamper", how=how) for how in ("change-state", "drop-state", "drop-state")]

    assert "state" not in httpx.URL(shop.authorize().headers["location"]).params
    assert [one.reached for one in armed] == [False, False, True]


def test_a_fault_for_one_grant_is_hidden_by_one_for_all_of_them(shop: Shop) -> None:
    own = shop.add("lose-response", on="client_credentials", client_id=shop.app.client_id)
    shop.add("refuse", on="token", status=429)

    assert shop.ask() == "429"
    assert counts(own) == (1, 0, 1)
    assert shop.ask() == "lost"


def test_a_gate_in_front_of_a_refusal_has_met_whom_it_held(shop: Shop) -> None:
    shop.add("refuse", status=503, times="always")
    gate = shop.add("gate", waiting=2, within=30)

    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(lambda _: shop.ask(), range(2)))

    assert heard == ["503", "503"]
    assert (counts(gate), gate.spent) == ((2, 2, 0), True)


def test_a_gate_has_met_nobody_while_it_still_holds_and_is_meant_for_no_more(shop: Shop) -> None:
    gate = shop.sandbox.faults.arm([Gate(waiting=2, within=600, times=2)])[0]
    pause = threading.Event()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shop.ask)
        while not gate.held:
            pause.wait(0.0005)
        held = counts(gate)
        assert shop.ask() == "200"
        assert first.result() == "200"

    assert held == (1, 0, 0)
    assert counts(gate) == (2, 2, 0)


def test_two_requests_at_once_cannot_share_a_fault_for_one(shop: Shop) -> None:
    shop.add("gate", waiting=1, within=600)
    refuse = shop.add("refuse", status=503)

    with ThreadPoolExecutor(4) as pool:
        heard = sorted(pool.map(lambda _: shop.ask(), range(4)))

    assert heard == ["200", "200", "200", "503"]
    assert refuse.used == 1


def test_a_request_whose_body_never_comes_meets_no_fault_of_the_answer() -> None:
    """Its token is good, but there is nobody whom an answer could reach."""
    with Sandbox() as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        app = sandbox.register_application(redirect_uris=[CALLBACK])
        garble = sandbox.faults.add("garble", on="resource")
        url = httpx.URL(sandbox.url)
        with socket.create_connection((url.host, url.port or 0), timeout=10) as sock:
            head = (
                "POST /checkout/preferences HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
                f"Authorization: Bearer {app.access_token}\r\n\r\n"
            )
            sock.sendall(head.encode())
            pause = threading.Event()
            while not garble.matched:
                pause.wait(0.0005)
        while not garble.idle:
            pause.wait(0.0005)

        assert counts(garble) == (1, 0, 1)
