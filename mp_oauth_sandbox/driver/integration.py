"""Integrations under test: the same verbs over HTTP and in this process."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import msgspec

from mp_oauth_sandbox.driver.browser import Browser, Network, Page, at_pointer
from mp_oauth_sandbox.driver.endpoints import PLACEHOLDER, Endpoints, Status
from mp_oauth_sandbox.driver.errors import HookMissingError, IntegrationError
from mp_oauth_sandbox.hosting.transport import InProcessTransport

if TYPE_CHECKING:
    from starlette.types import ASGIApp

MoveClock = Callable[[timedelta], None]


class Integration:
    """What the driver may do to an application under test. Use one of the two kinds of it."""

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        transport: httpx.BaseTransport | None = None,
        move_clock: MoveClock | None = None,
    ) -> None:
        """`transport` answers for it in this process; `move_clock` moves its clock forward."""
        self.endpoints = endpoints
        self.transport = transport
        self._move_clock = move_clock

    # ---- what it can do ----

    @property
    def routes(self) -> dict[str, httpx.BaseTransport]:
        """Which origin is answered in this process, and by what."""
        return {} if self.transport is None else {self.endpoints.origin: self.transport}

    @property
    def moves_clock(self) -> bool:
        """Whether its clock can be moved along with the sandbox's."""
        return self._move_clock is not None

    def move_clock(self, duration: timedelta) -> None:
        """Move its clock forward. Raises HookMissingError if that is not offered."""
        if self._move_clock is None:
            raise HookMissingError(
                "move_clock", "give the adapter a callable that moves the integration's clock"
            )
        self._move_clock(duration)

    def log_in(self, browser: Browser, account: str) -> None:
        """Log a browser in. Raises IntegrationError if the login is not accepted."""
        login = self.endpoints.login
        browser.headers = {
            name: value.replace(PLACEHOLDER, account) for name, value in login.headers.items()
        }
        if login.url is None:
            return
        url = self.endpoints.absolute(login.url.replace(PLACEHOLDER, quote(account, safe="")))
        page = browser.go(
            url,
            method=login.method,
            form=_filled(login.form, account),
            content=None
            if login.json is None
            else msgspec.json.encode(_filled(login.json, account)),
            initiator=self.endpoints.origin,
            hold=_never,
        )
        _accepted(page, "integration.login.url")

    def start(self, browser: Browser, *, authorization: Callable[[str], bool]) -> str:
        """Begin linking; returns the authorization URL, as which `authorization` knows it.

        Raises IntegrationError if it leads elsewhere.
        """
        page = browser.go(
            self.endpoints.absolute(self.endpoints.start_url),
            method=self.endpoints.start_method,
            initiator=self.endpoints.origin,
            hold=authorization,
        )
        url = page.held
        if url is None and self.endpoints.start_pointer is not None:
            try:
                url = str(at_pointer(page.text, self.endpoints.start_pointer))
            except LookupError as error:
                raise IntegrationError(f"integration.start_pointer: {error}") from error
        if url is None or not authorization(url):
            seen = page.problem or f"it ends with {page.status} at {(url or page.url)[:200]}"
            raise IntegrationError(
                f"integration.start_url does not lead to the sandbox's /authorization ({seen}); "
                "configure that URL in the integration, and check that the login works"
            )
        return url

    def deliver(self, browser: Browser, callback: str, *, initiator: str | None) -> Page:
        """Open a callback URL in a browser, which follows what comes after it."""
        return browser.go(callback, initiator=initiator, hold=_never)

    def trigger(self, browser: Browser) -> Page:
        """Make it call the API for the logged-in account."""
        if self.endpoints.trigger_url is None:
            raise HookMissingError(
                "trigger_url",
                "name a URL that makes the integration call the API for the logged-in account",
            )
        return browser.go(
            self.endpoints.absolute(self.endpoints.trigger_url),
            method=self.endpoints.trigger_method,
            initiator=self.endpoints.origin,
            hold=_never,
        )

    def unlink(self, browser: Browser) -> None:
        """Remove the logged-in account's link."""
        if self.endpoints.unlink_url is None:
            raise HookMissingError(
                "unlink_url",
                "fixed accounts start out linked; name a URL that unlinks, or use {account}",
            )
        page = browser.go(
            self.endpoints.absolute(self.endpoints.unlink_url),
            method="POST",
            initiator=self.endpoints.origin,
            hold=_never,
        )
        _accepted(page, "integration.unlink_url")

    def status(self, browser: Browser) -> Status:
        """Whether it says that the logged-in account is linked."""
        matcher = self.endpoints.status
        if matcher is None:
            raise HookMissingError(
                "status", "add [integration.status] with a url that shows the link's status"
            )
        page = browser.go(
            self.endpoints.absolute(matcher.url), initiator=self.endpoints.origin, hold=_never
        )
        _accepted(page, "integration.status.url")
        try:
            value = at_pointer(page.text, matcher.pointer) if matcher.pointer else page.text
        except LookupError as error:
            raise IntegrationError(f"integration.status.pointer: {error}") from error
        status = matcher.read(value)
        if status is None:
            shown = repr(value)[:60] if matcher.pointer else "the page's text"
            raise IntegrationError(f"integration.status: no pattern matches {shown}")
        return status

    def settle(self) -> None:
        """Wait until it has done what it does after an answer."""
        if self.endpoints.tolerances.settle:
            time.sleep(self.endpoints.tolerances.settle)

    def close(self) -> None:
        """Release what belongs to this adapter."""
        if self.transport is not None:
            self.transport.close()


class HttpIntegration(Integration):
    """An integration in any language, reached by its URLs."""

    def __init__(self, endpoints: Endpoints) -> None:
        """`endpoints` as in the `[integration]` table of mp-sandbox.toml."""
        super().__init__(endpoints)

    def wait_until_up(self, network: Network, *, patience_seconds: float = 10.0) -> None:
        """Return as soon as it answers. Raises IntegrationError if it does not."""
        url = self.endpoints.absolute(self.endpoints.health_url or "/")
        until = time.monotonic() + patience_seconds
        while True:
            try:
                status = network.send(httpx.Request("GET", url)).status_code
                problem = f"it answers {status}"
            except httpx.TransportError as error:
                status, problem = 0, str(error)
            if status and (status < 400 or self.endpoints.health_url is None):
                return
            if time.monotonic() > until:
                raise IntegrationError(
                    f"the integration is not up at {url} ({problem}); start it, or correct "
                    "integration.base_url or integration.health_url"
                )
            time.sleep(0.1)


class AsgiIntegration(Integration):
    """An ASGI application in this process, without a socket.

    Its own calls to the sandbox go where its author sends them: to the live sandbox's URL,
    or through `sandbox.transport()`.
    """

    def __init__(
        self, app: "ASGIApp", endpoints: Endpoints, *, move_clock: MoveClock | None = None
    ) -> None:
        """`endpoints` say how to use it; `move_clock` moves the clock it reads, if it can."""
        super().__init__(endpoints, transport=InProcessTransport(app), move_clock=move_clock)


def _never(_url: str) -> bool:
    return False


def _filled(fields: dict[str, str] | None, account: str) -> dict[str, str] | None:
    if fields is None:
        return None
    return {name: value.replace(PLACEHOLDER, account) for name, value in fields.items()}


def _accepted(page: Page, key: str) -> None:
    if page.problem or page.status >= 400:
        raise IntegrationError(f"{key}: {page.problem or f'it answers {page.status}'}")
