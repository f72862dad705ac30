"""The client that an application holds: `Linking`, or `AsyncLinking` on an event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import partial, wraps
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Concatenate, Generic, Self, TypeVar

import httpx

from .desk import Now, Observer, now_utc
from .errors import MisuseError
from .flows import Flows
from .records import Link
from .settings import Settings
from .steps import TIMEOUT, Flow, P, T, drive, drive_async, send, send_async
from .stores import PendingStore, TokenStore

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
# Each exchange on a connection of its own: an idle one that the server has just closed would
# leave it unknown whether the exchange took effect.
_LIMITS = httpx.Limits(max_keepalive_connections=0)
# No header beside the documented ones, and none that one seller's exchange left for another's.
_NO_COOKIES = DefaultCookiePolicy(allowed_domains=())

H = TypeVar("H", httpx.Client, httpx.AsyncClient)
Verb = Callable[Concatenate[Any, P], Flow[T]]


def _sync(flow: Verb[P, T]) -> Callable[Concatenate["Linking", P], T]:
    @wraps(flow)
    def method(self: "Linking", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return drive(flow(self.flows, *args, **kwargs), partial(send, self.http))

    return method


def _async(flow: Verb[P, T]) -> Callable[Concatenate["AsyncLinking", P], Coroutine[Any, Any, T]]:
    @wraps(flow)
    async def method(self: "AsyncLinking", /, *args: P.args, **kwargs: P.kwargs) -> T:
        # Whoever waits may be cancelled; what was sent must still be heard and stored.
        running = drive_async(flow(self.flows, *args, **kwargs), partial(send_async, self.http))
        task = asyncio.create_task(running)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        # What it raised is known to whoever waited, if anybody still did.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    return method


class _Holder(Generic[H]):
    _open: Callable[..., H]

    def __init__(
        self,
        settings: Settings,
        links: TokenStore,
        pending: PendingStore,
        *,
        http: H | None = None,
        now: Now = now_utc,
        observe: Observer | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            settings: Your application.
            links: Where links are kept; the same for all workers.
            pending: Where pending authorizations are kept; the same for all workers.
            http: The httpx client for `/oauth/token`, if it shall be yours; yours to close.
            now: Your clock (aware).
            observe: Called with every event's name and facts, for metrics.
        """
        self.flows = Flows(settings, links, pending, now=now, observe=observe)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.owned = http is None
        cookies = CookieJar(_NO_COOKIES)
        self.http: H = http or self._open(timeout=TIMEOUT, limits=_LIMITS, cookies=cookies)

    def auth(self, account: str) -> "SellerAuth":
        """Authentication for httpx: `client.get(url, auth=linking.auth("shop-7"))`."""
        return SellerAuth(self, account)


class Linking(_Holder[httpx.Client]):
    """Links sellers and calls the API for them, from any number of threads and processes."""

    _open = httpx.Client

    start = _sync(Flows.start)
    callback = _sync(Flows.callback)
    access = _sync(Flows.access)
    refused = _sync(Flows.refused)
    link = _sync(Flows.link)
    status = _sync(Flows.status)
    unlink = _sync(Flows.unlink)
    notified = _sync(Flows.notified)
    renew_due = _sync(Flows.renew_due)

    def close(self) -> None:
        """Close the connections."""
        if self.owned:
            self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncLinking(_Holder[httpx.AsyncClient]):
    """As `Linking`, on an event loop."""

    _open = httpx.AsyncClient

    start = _async(Flows.start)
    callback = _async(Flows.callback)
    access = _async(Flows.access)
    refused = _async(Flows.refused)
    link = _async(Flows.link)
    status = _async(Flows.status)
    unlink = _async(Flows.unlink)
    notified = _async(Flows.notified)
    renew_due = _async(Flows.renew_due)

    async def aclose(self) -> None:
        """Wait for what is under way, and close the connections."""
        # Not `gather`: cancelled itself, it would cancel what must still be heard and stored.
        if self.tasks:
            await asyncio.wait(self.tasks)
        if self.owned:
            await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class SellerAuth(httpx.Auth):
    """Attaches the seller's token, renewed when due; after a 401 renews once and retries once.

    Retried are only requests that may be repeated: by their method, or with an idempotency
    key; of others the 401 is the answer, and the next call has the new token. Raises MisuseError
    for another host than the API's, else as `Linking.access`.
    """

    def __init__(self, linking: _Holder[Any], account: str) -> None:
        """Made by `auth`."""
        self._linking, self._account = linking, account
        api = httpx.URL(linking.flows.settings.api_url)
        self._api = (api.scheme, api.host, api.port)

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        if not isinstance(self._linking, Linking):
            raise MisuseError("AsyncLinking goes with httpx.AsyncClient")
        link = self._linking.access(self._account)
        for again in (_repeatable(request), False):
            answer = yield self._signed(request, link)
            if not self._refused(answer):
                return
            link = self._linking.refused(self._account, link.access_token)
            if not again:
                return

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """See httpx.Auth."""
        if not isinstance(self._linking, AsyncLinking):
            raise MisuseError("Linking goes with httpx.Client")
        # Without a task, for it is one look into the store.
        usable = self._linking.flows.usable(self._account)
        link = await drive_async(usable, partial(send_async, self._linking.http))
        link = link or await self._linking.access(self._account)
        for again in (_repeatable(request), False):
            answer = yield self._signed(request, link)
            if not self._refused(answer):
                return
            link = await self._linking.refused(self._account, link.access_token)
            if not again:
                return

    def _signed(self, request: httpx.Request, link: Link) -> httpx.Request:
        if not self._is_api(request.url):
            raise MisuseError(f"a seller's token goes to {self._api[1]} alone: see api_url")
        request.headers["Authorization"] = f"Bearer {link.access_token}"
        return request

    def _refused(self, answer: httpx.Response) -> bool:
        # A redirect may have led elsewhere, where httpx takes no token along.
        return answer.status_code == 401 and self._is_api(answer.request.url)

    def _is_api(self, url: httpx.URL) -> bool:
        return (url.scheme, url.host, url.port) == self._api


def _repeatable(request: httpx.Request) -> bool:
    asked = request.method in _REPEATABLE or "x-idempotency-key" in request.headers
    return asked and isinstance(request.stream, httpx.ByteStream)
