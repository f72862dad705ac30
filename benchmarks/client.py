"""What does the reference client cost? Each figure is held against plain httpx in the same run.

    python benchmarks/client.py            about half a minute

A call is a GET that a transport in this process answers at once, so that nothing but Python is
measured. With the client, `auth=linking.auth(account)` attaches the seller's token from the
store; without, the same header is set by hand. Slices of both alternate, because the speed of
a machine drifts, and what is counted is processor time, because others use it too; medians are
printed, with the range of the slices' differences.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from mp_oauth_sandbox.client import (
    AsyncLinking,
    Link,
    Linking,
    MemoryPendingStore,
    MemoryTokenStore,
    Settings,
    SQLiteTokenStore,
    TokenStore,
)

CALLS, SLICES = 1000, 21
URL = "https://api.mercadopago.com/users/me"
SETTINGS = Settings(
    client_id="1234567890123456",
    client_secret="SandboxOnlySecret000000000000000",  # noqa: S106 - of no use elsewhere
    redirect_uri="https://shop.example/mp/callback",
)
HEADERS = {"Authorization": "Bearer APP_USR-1-010100-0-1"}


def filled(store: TokenStore, *, links: int = 1) -> TokenStore:
    """The store with so many links that are good for half a year."""
    now = datetime.now(UTC)
    for number in range(links):
        link = Link(
            account=f"shop-{number}",
            generation=1,
            status="linked",
            seller_id=number + 1,
            linked_at=now,
            issued_at=now,
            expires_at=now + timedelta(days=180),
            renew_at=now + timedelta(days=165),
            access_token="APP_USR-1-010100-0-1",  # noqa: S106 - made up
            refresh_token="TG-0-1",  # noqa: S106 - made up
        )
        store.replace(link, expected=0)
    return store


def answer(_request: httpx.Request) -> httpx.Response:
    """What the transport says to everything."""
    return httpx.Response(200)


def compare(name: str, ours: Callable[[], float], plain: Callable[[], float]) -> None:
    """Print what `ours` costs more than `plain`; both give processor seconds for CALLS calls."""
    ours(), plain()
    pairs = [(ours(), plain()) for _ in range(SLICES)]
    more = sorted((mine - theirs) / CALLS * 1e6 for mine, theirs in pairs)
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    print(
        f"{name:<44} {statistics.median(more):6.1f} us more a call"
        f"  ({more[0]:.1f} to {more[-1]:.1f})   {ratio:.2f} of plain httpx"
    )


def timed(get: Callable[[], object]) -> float:
    """Processor seconds for CALLS calls."""
    start = time.process_time()
    for _ in range(CALLS):
        get()
    return time.process_time() - start


def synchronous(name: str, store: TokenStore) -> None:
    """`Linking` with a store, against plain httpx."""
    with (
        Linking(SETTINGS, store, MemoryPendingStore()) as linking,
        httpx.Client(transport=httpx.MockTransport(answer)) as http,
    ):
        auth = linking.auth("shop-0")
        compare(
            name,
            lambda: timed(lambda: http.get(URL, auth=auth)),
            lambda: timed(lambda: http.get(URL, headers=HEADERS)),
        )


def on_a_loop(name: str, store: TokenStore) -> None:
    """`AsyncLinking` with a store, against plain httpx."""
    with asyncio.Runner() as runner:
        linking = AsyncLinking(SETTINGS, store, MemoryPendingStore())
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        auth = linking.auth("shop-0")

        async def timed_async(get: Callable[[], Awaitable[object]]) -> float:
            start = time.process_time()
            for _ in range(CALLS):
                await get()
            return time.process_time() - start

        compare(
            name,
            lambda: runner.run(timed_async(lambda: http.get(URL, auth=auth))),
            lambda: runner.run(timed_async(lambda: http.get(URL, headers=HEADERS))),
        )
        runner.run(http.aclose())
        runner.run(linking.aclose())


def main() -> None:
    """Print every figure."""
    synchronous("attach a token, memory store", filled(MemoryTokenStore()))
    synchronous("the same, among 50,000 links", filled(MemoryTokenStore(), links=50_000))
    on_a_loop("the same on an event loop, memory store", filled(MemoryTokenStore()))
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteTokenStore(Path(folder) / "links.sqlite3")
        synchronous("attach a token, SQLite store", filled(store))
        store.close()


if __name__ == "__main__":
    main()
