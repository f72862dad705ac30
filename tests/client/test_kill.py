"""Processes that are really killed, and processes that really meet."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Lifetimes, Sandbox
from mp_oauth_sandbox.client import Linked, Linking, Settings, SQLitePendingStore, SQLiteTokenStore
from mp_oauth_sandbox.client.vault import LEASE
from mp_oauth_sandbox.journal import Entry

from .machine_worker import Orders

WORKER = Path(__file__).with_name("machine_worker.py")
CALLBACK = "http://localhost:8000/mp/callback"
LIFETIME = timedelta(minutes=20)
MARGIN = LIFETIME / 10
AFTER_A_CRASH = LEASE + timedelta(seconds=1)


@dataclass
class Shop:
    """A live sandbox, and a shop whose processes share a file; no clock moves by itself."""

    sandbox: Sandbox
    settings: dict[str, Any]
    database: Path

    def linking(self) -> Linking:
        return Linking(
            Settings(**self.settings),
            SQLiteTokenStore(self.database),
            SQLitePendingStore(self.database),
            now=self.sandbox.clock,
        )

    def begin(self) -> tuple[str, str]:
        """A callback's query, and the binding that is in the browser's session."""
        with self.linking() as linking:
            start = linking.start("A")
        return httpx.get(start.url).headers["location"].partition("?")[2], start.binding

    def link(self) -> None:
        query, binding = self.begin()
        with self.linking() as linking:
            assert isinstance(linking.callback(query, account="A", binding=binding), Linked)

    @contextmanager
    def process(self, do: str, **more: Any) -> Iterator["subprocess.Popen[str]"]:
        orders = Orders(
            do=do,
            database=str(self.database),
            settings=self.settings,
            now=self.sandbox.clock().isoformat(),
            **more,
        )
        process = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(asdict(orders))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, do: str, **more: Any) -> Any:
        with self.process(do, **more) as process:
            return json.loads(said(process))

    def killed_between_receive_and_save(self, do: str, **more: Any) -> None:
        with self.process(do, hangs=True, **more) as process:
            assert said(process) == "received"
            process.kill()
            assert process.wait() < 0

    def exchanges(self, grant_type: Any) -> list[Entry]:
        return self.sandbox.journal.query(grant_type=grant_type)


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Sandbox(frozen=True) as sandbox:
        app = sandbox.register_application(
            redirect_uris=[CALLBACK], lifetimes=Lifetimes(access_token=LIFETIME)
        )
        sandbox.auto_consent(sandbox.create_seller())
        settings = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uri": CALLBACK,
            "auth_url": f"{sandbox.url}/authorization",
            "api_url": sandbox.url,
        }
        yield Shop(sandbox, settings, tmp_path / "links.db")


def test_after_a_kill_between_receive_and_save_of_a_renewal_the_status_is_true(shop: Shop):
    shop.link()
    shop.sandbox.clock.advance(LIFETIME - MARGIN)
    shop.killed_between_receive_and_save("use")
    # The old access token lives: nobody has to know.
    assert shop.run("use") == {"outcome": "200", "status": "renewing"}
    shop.sandbox.clock.advance(MARGIN)
    assert shop.run("use") == {"outcome": "NeedsRelinkError", "status": "needs_relink"}
    assert shop.run("use") == {"outcome": "NeedsRelinkError", "status": "needs_relink"}
    causes = [one.cause for one in shop.exchanges("refresh_token")]
    assert causes == [None, "refresh_replaced"]


def test_a_kill_costs_no_link_where_a_refresh_token_works_again(shop: Shop):
    shop.sandbox.change_profile(refresh_reusable=True)
    shop.link()
    shop.sandbox.clock.advance(LIFETIME - MARGIN)
    shop.killed_between_receive_and_save("use")
    shop.sandbox.clock.advance(AFTER_A_CRASH)
    assert shop.run("use") == {"outcome": "200", "status": "linked"}
    assert len(shop.exchanges("refresh_token")) == 2


def test_after_a_kill_between_receive_and_save_of_an_exchange_nobody_is_linked(shop: Shop):
    query, binding = shop.begin()
    shop.killed_between_receive_and_save("callback", query=query, binding=binding)
    shop.sandbox.clock.advance(AFTER_A_CRASH)
    for _ in range(2):
        again = shop.run("callback", query=query, binding=binding)
        assert again == {"outcome": "commit_unknown", "status": "unlinked"}
    assert shop.run("use") == {"outcome": "NotLinkedError", "status": "unlinked"}
    assert len(shop.exchanges("authorization_code")) == 1
    shop.link()
    assert shop.run("use") == {"outcome": "200", "status": "linked"}


@pytest.mark.parametrize("late", [timedelta(), MARGIN], ids=["due", "expired"])
def test_of_eight_processes_with_eight_threads_one_renews(late: timedelta, shop: Shop):
    shop.link()
    shop.sandbox.clock.advance(LIFETIME - MARGIN + late)
    with ExitStack() as running:
        processes = [
            running.enter_context(shop.process("use together", threads=8)) for _ in range(8)
        ]
        for process in processes:
            assert said(process) == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        results = [json.loads(said(process)) for process in processes]
    assert results == [["200"] * 8] * 8
    assert len(shop.exchanges("refresh_token")) == 1
    shop.sandbox.journal.assert_no_refusals()
