"""A process of a shop: it links and calls the API over SQLite as it is told, and may hang.

Told by one JSON object as its argument, it writes lines: "ready" when it is, "received" when it
hangs with tokens that it has not kept yet, and at last its results as JSON.
"""

import json
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from mp_oauth_sandbox.client import (
    Link,
    Linking,
    LinkingError,
    Settings,
    SQLitePendingStore,
    SQLiteTokenStore,
)


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a worker does, and what its clock says all the time."""

    do: str
    database: str
    settings: dict[str, Any]
    now: str
    hangs: bool = False
    threads: int = 1
    query: str = ""
    binding: str = ""


def say(what: object) -> None:
    sys.stdout.write(f"{what if isinstance(what, str) else json.dumps(what)}\n")
    sys.stdout.flush()


class Hanging(SQLiteTokenStore):
    """Never keeps tokens that it has not seen before."""

    def replace(self, record: Link, /, *, expected: int) -> bool:
        old = self.get(record.account)
        if record.access_token is not None and (
            old is None or old.access_token != record.access_token
        ):
            say("received")
            threading.Event().wait()
        return super().replace(record, expected=expected)


def use(linking: Linking) -> str:
    """What comes of a call of the API: a status, or the name of an error."""
    url = f"{linking.flows.settings.api_url}/users/me"
    with httpx.Client(auth=linking.auth("A"), timeout=30) as client:
        try:
            return str(client.get(url).status_code)
        except LinkingError as error:
            return type(error).__name__


def use_together(linking: Linking, threads: int) -> list[str]:
    """As many calls at once as there are threads; they begin when a line is read."""
    results: list[str] = []
    start = threading.Barrier(threads + 1)

    def one() -> None:
        start.wait()
        results.append(use(linking))

    running = [threading.Thread(target=one) for _ in range(threads)]
    for thread in running:
        thread.start()
    say("ready")
    sys.stdin.readline()
    start.wait()
    for thread in running:
        thread.join()
    return results


def main(orders: Orders) -> None:
    now = datetime.fromisoformat(orders.now)
    store = Hanging if orders.hangs else SQLiteTokenStore
    with Linking(
        Settings(**orders.settings),
        store(orders.database),
        SQLitePendingStore(orders.database),
        now=lambda: now,
    ) as linking:
        if orders.do == "callback":
            outcome = linking.callback(orders.query, account="A", binding=orders.binding)
            say({"outcome": outcome.reason, "status": linking.status("A")})
        elif orders.do == "use":
            say({"outcome": use(linking), "status": linking.status("A")})
        else:
            say(use_together(linking, orders.threads))


if __name__ == "__main__":
    main(Orders(**json.loads(sys.argv[1])))
