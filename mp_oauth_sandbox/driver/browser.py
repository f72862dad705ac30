"""A browser without a screen: it navigates with a cookie jar, and stops where it is told to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, cast
from urllib.parse import urljoin, urlsplit

import httpx

from mp_oauth_sandbox.driver.errors import IntegrationError
from mp_oauth_sandbox.driver.jars import CookieJar

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
_MOST_REDIRECTS: Final = 20


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Network:
    """How requests travel: some origins through a transport of their own, others over sockets."""

    def __init__(
        self, routes: Mapping[str, httpx.BaseTransport], *, timeout_seconds: float = 30.0
    ) -> None:
        """`routes` maps an origin to the transport that answers for it in this process."""
        self._routes = dict(routes)
        self._timeout = httpx.Timeout(timeout_seconds).as_dict()
        self._sockets: httpx.HTTPTransport | None = None

    def send(self, request: httpx.Request) -> httpx.Response:
        """The whole answer to one request. Raises httpx.TransportError."""
        transport = self._routes.get(origin_of(str(request.url)))
        if transport is None:
            if self._sockets is None:
                self._sockets = httpx.HTTPTransport()
            transport = self._sockets
        request.extensions = {**request.extensions, "timeout": self._timeout}
        response = transport.handle_request(request)
        response.request = request
        try:
            response.read()
        finally:
            response.close()
        return response

    def close(self) -> None:
        """Close the sockets; transports given to it are their owners'."""
        if self._sockets is not None:
            self._sockets.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the browser shows at the end of a navigation.

    `held` is a redirect that was not followed, for the script to decide about.
    """

    url: str
    status: int
    text: str = field(repr=False, default="")
    held: str | None = field(repr=False, default=None)
    problem: str | None = None
    """Why there is no page at all: a timeout or a dropped connection."""


class Browser:
    """One person's browser: top-level navigations with the cookies a browser would send."""

    def __init__(
        self,
        network: Network,
        *,
        jar: CookieJar,
        home: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`headers` go along with every request to the origin of `home`, and to no other."""
        self._network = network
        self._home = origin_of(home)
        self.jar = jar
        self.headers = dict(headers or {})

    def go(
        self,
        url: str,
        *,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        initiator: str | None = None,
        hold: Callable[[str], bool],
    ) -> Page:
        """Navigate and follow redirects up to the first that `hold` claims.

        Args:
            url: Where to.
            method: GET or POST.
            form: Fields of a form post.
            content: A JSON body.
            initiator: The page that began the navigation; None if it was typed.
            hold: Says of a redirect's target whether to stop before it.

        Raises:
            IntegrationError: It redirects for ever.
        """
        for _ in range(_MOST_REDIRECTS):
            request = self._request(url, method, form, content, initiator)
            try:
                response = self._network.send(request)
            except httpx.TransportError as error:
                return Page(url=url, status=0, problem=f"{type(error).__name__}: {error}")
            self.jar.store(url, response.headers.get_list("set-cookie"))
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or location is None:
                return Page(url=url, status=response.status_code, text=response.text)
            target = urljoin(url, location)
            if hold(target):
                return Page(url=url, status=response.status_code, text=response.text, held=target)
            if response.status_code not in _KEEP_METHOD:
                method, form, content = "GET", None, None
            url = target
        raise IntegrationError(f"{urlsplit(url).path} redirects more than {_MOST_REDIRECTS} times")

    def _request(
        self,
        url: str,
        method: str,
        form: Mapping[str, str] | None,
        content: bytes | None,
        initiator: str | None,
    ) -> httpx.Request:
        headers = {"accept": "text/html,application/json;q=0.9,*/*;q=0.8"}
        if origin_of(url) == self._home:
            headers |= self.headers
        if (cookies := self.jar.header(url, method=method, initiator=initiator)) is not None:
            headers["cookie"] = "; ".join(filter(None, (headers.get("cookie"), cookies)))
        if content is not None:
            headers["content-type"] = "application/json"
        if method != "GET":
            headers["origin"] = origin_of(initiator or url)
        return httpx.Request(method, url, headers=headers, data=form, content=content)


def at_pointer(text: str, pointer: str) -> object:
    """The value at a JSON pointer (RFC 6901) in a JSON text.

    Raises LookupError if the text is not JSON or has nothing there.
    """
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise LookupError("the answer is not JSON") from error
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = cast("dict[str, object]", value)[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit():
            items = cast("list[object]", value)
            if int(key) >= len(items):
                raise LookupError(f"the answer has nothing at {pointer}")
            value = items[int(key)]
        else:
            raise LookupError(f"the answer has nothing at {pointer}")
    return value
