"""A disk that takes no more: what was refused is not in effect, and the reason is told."""

import html
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, StoreError
from mp_oauth_sandbox.wire.errors import INTERNAL_ERROR

resource = pytest.importorskip("resource", reason="the limits of a POSIX process")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLBACK = "https://shop.example/mp"
FULL = "sandbox.db: the disk refused to read or write; check its space and its health"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


@pytest.fixture
def sandbox(data: Path) -> Iterator[Sandbox]:
    with Sandbox(live=False, data=data, start=NOON, frozen=True) as sandbox:
        sandbox.create_seller(user_id=1, nickname="ANA")
        sandbox.keep(sandbox.create_seller(user_id=2, nickname="BEA"))
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
        yield client


@contextmanager
def full_disk(data: Path) -> Iterator[None]:
    """The kernel itself lets no file of this process grow beyond the log that SQLite appends to."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    written = os.path.getsize(f"{data}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def in_effect(sandbox: Sandbox) -> tuple[object, ...]:
    return sandbox.profile, sandbox.consent, sandbox.clock(), sandbox.clock.frozen


CHANGES: dict[str, Callable[[Sandbox], object]] = {
    "profile": lambda sandbox: sandbox.change_profile(platform_id_required=True),
    "consent": lambda sandbox: sandbox.auto_consent(1),
    "advance": lambda sandbox: sandbox.clock.advance(days=1),
    "travel": lambda sandbox: sandbox.clock.travel(NOON + timedelta(days=1)),
    "resume": lambda sandbox: sandbox.clock.resume(),
    "reset": lambda sandbox: sandbox.reset(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_could_not_be_saved_is_not_in_effect_now_nor_after_a_restart(
    sandbox: Sandbox, data: Path, change: Callable[[Sandbox], object]
):
    sandbox.deny()
    sandbox.clock.advance(hours=1)
    sandbox.faults.add("refuse", cause="code_expired")
    before, sellers = in_effect(sandbox), sandbox.sellers()
    entries, faults = len(sandbox.journal), len(sandbox.faults.faults())

    with full_disk(data), pytest.raises(StoreError, match=FULL):
        change(sandbox)

    assert in_effect(sandbox) == before
    assert (sandbox.sellers(), len(sandbox.faults.faults())) == (sellers, faults)
    assert len(sandbox.journal) == entries
    sandbox.close()
    with Sandbox(live=False, data=data) as again:
        assert in_effect(again) == before
        assert again.sellers() == sellers


def test_a_clock_that_cannot_be_frozen_runs_on(data: Path):
    with Sandbox(live=False, data=data) as sandbox:
        with full_disk(data), pytest.raises(StoreError):
            sandbox.clock.freeze()

        assert not sandbox.clock.frozen


def test_once_there_is_room_the_same_change_is_made(sandbox: Sandbox, data: Path):
    with full_disk(data), pytest.raises(StoreError):
        sandbox.clock.advance(days=1)

    assert sandbox.clock.advance(days=1) == NOON + timedelta(days=1)


CALLS = [
    ("PATCH", "/profile", {"preset": "legacy"}),
    ("PUT", "/consent", {"mode": "deny"}),
    ("POST", "/clock/advance", {"seconds": 60}),
    ("POST", "/sellers", {"nickname": "CARO", "country": "AR"}),
    ("POST", "/applications", {"name": "Shop", "redirect_uris": [CALLBACK]}),
    ("POST", "/revocations", {"reason": "password_changed", "user_id": 1}),
    ("POST", "/reset", {}),
]


@pytest.mark.parametrize(("method", "path", "given"), CALLS, ids=[path for _, path, _ in CALLS])
def test_a_call_that_cannot_be_saved_says_why_and_so_does_the_journal(
    sandbox: Sandbox, client: httpx.Client, data: Path, method: str, path: str, given: object
):
    before = in_effect(sandbox), sandbox._engine.store.snapshot()

    with full_disk(data):
        answer = client.request(method, f"/_sandbox{path}", json=given)

    assert (in_effect(sandbox), sandbox._engine.store.snapshot()) == before
    assert answer.status_code == 507
    assert answer.headers["content-type"].startswith("application/json")
    told = answer.json()
    assert told["error"] == "insufficient_storage"
    assert FULL in told["message"]
    last = sandbox.journal.entries()[-1]
    assert (last.request, last.status) == (f"{method} /_sandbox{path}", 507)
    assert FULL in last.outcome


def test_health_is_degraded_until_something_is_saved_again(
    client: httpx.Client, sandbox: Sandbox, data: Path
):
    def health() -> tuple[str, str | None]:
        told = client.get("/_sandbox/health").json()
        return told["status"], told["reason"]

    assert health() == ("ok", None)
    with full_disk(data):
        client.put("/_sandbox/consent", json={"mode": "deny"})
        # Refused, and so it changes nothing: no proof that there is room.
        client.post("/oauth/token", json={"grant_type": "client_credentials", "client_id": "1"})
    status, reason = health()
    assert (status, FULL in (reason or "")) == ("degraded", True)

    sandbox.deny()

    assert health() == ("ok", None)


@pytest.fixture
def shop(sandbox: Sandbox) -> Application:
    return sandbox.register_application(redirect_uris=[CALLBACK])


def exchange(client: httpx.Client, sandbox: Sandbox, shop: Application) -> dict[str, str]:
    sandbox.auto_consent(1)
    callback = client.get(sandbox.authorization_url(shop)).headers["location"]
    return {
        "grant_type": "authorization_code",
        "client_id": shop.client_id,
        "client_secret": shop.client_secret,
        "code": httpx.URL(callback).params["code"],
        "redirect_uri": CALLBACK,
    }


def test_a_code_that_could_not_be_spent_is_good_once_there_is_room(
    client: httpx.Client, sandbox: Sandbox, shop: Application, data: Path
):
    body = exchange(client, sandbox, shop)

    with full_disk(data):
        answer = client.post("/oauth/token", json=body)

    assert (answer.status_code, answer.content) == (500, INTERNAL_ERROR)
    last = sandbox.journal.assert_refused("not_saved", kind="token", seller=1)
    assert (last.status, last.grant_type) == (500, "authorization_code")
    assert last.grant == sandbox.journal.last("authorization").grant
    assert set(last.carried) == {"code"}
    assert FULL in (last.explanation or "")
    assert client.post("/oauth/token", json=body).status_code == 200


def test_a_fault_that_loses_answers_loses_that_one_too(
    client: httpx.Client, sandbox: Sandbox, shop: Application, data: Path
):
    body = exchange(client, sandbox, shop)
    sandbox.faults.add("lose-response", on="exchange")

    with full_disk(data), pytest.raises(httpx.RemoteProtocolError):
        client.post("/oauth/token", json=body)

    assert sandbox.journal.last("token").delivery == "dropped"


def test_an_approval_that_cannot_be_saved_is_told_by_a_page_and_no_redirect(
    client: httpx.Client, sandbox: Sandbox, shop: Application, data: Path
):
    sandbox.auto_consent(1)

    with full_disk(data):
        answer = client.get(sandbox.authorization_url(shop))

    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert FULL in html.unescape(answer.text)
    sandbox.journal.assert_refused("not_saved", kind="authorization", seller=1)


def test_a_seller_s_yes_that_could_not_be_saved_can_be_said_again(
    client: httpx.Client, sandbox: Sandbox, shop: Application, data: Path
):
    def answer(path: str, page: httpx.Response, **fields: str) -> httpx.Response:
        hidden = dict(re.findall(r'name="(request|csrf)" value="([^"]*)"', page.text))
        return client.post(path, data={**hidden, **fields})

    page = client.get(sandbox.authorization_url(shop))
    location = answer("/authorization/sign-in", page, user_id="1").headers["location"]
    page = client.get(location)
    with full_disk(data):
        assert answer("/authorization/consent", page, decision="approve").status_code == 500

    again = answer("/authorization/consent", page, decision="approve")

    assert "code=" in again.headers["location"]


def test_the_journal_goes_on_in_memory_and_is_saved_when_there_is_room(
    client: httpx.Client, sandbox: Sandbox, data: Path
):
    with full_disk(data):
        for _ in range(100):
            client.get("/v1/nothing")
        assert len(sandbox.journal) == 100
        sandbox.journal.flush()

    sandbox.close()

    with Sandbox(live=False, data=data) as again:
        assert [entry.seq for entry in again.journal] == list(range(1, 101))


def test_faults_are_armed_though_their_note_cannot_be_saved(
    client: httpx.Client, sandbox: Sandbox, data: Path
):
    fault = {"kind": "refuse", "cause": "code_expired"}

    with full_disk(data):
        answer = client.post("/_sandbox/faults", json=fault)
        sandbox.journal.flush()

    assert answer.status_code in {200, 201}
    assert len(sandbox.faults.faults()) == 1
    assert "refuse" in sandbox.journal.entries()[-1].outcome
