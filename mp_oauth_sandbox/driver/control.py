"""The sandbox as the driver sees it: its control API, over a socket or without one."""

from typing import TypeVar

import httpx
import msgspec

from mp_oauth_sandbox.driver.browser import Network
from mp_oauth_sandbox.driver.errors import SandboxError
from mp_oauth_sandbox.engine import ConsentMode
from mp_oauth_sandbox.journal import Entry
from mp_oauth_sandbox.web import calls

Out = TypeVar("Out")

_PAGE = 1000


class _Page(msgspec.Struct):
    """A page of the journal, read back as the entries that it was made from."""

    entries: list[Entry]
    next: int


class Control:
    """A sandbox's control API: sellers, consent, clock, journal, reset."""

    def __init__(self, url: str, *, network: Network, token: str | None = None) -> None:
        """`url` is where the sandbox is; `token` its control token, if it has one."""
        self.url = url.rstrip("/")
        self._network = network
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def health(self) -> calls.HealthOut:
        """Whether it answers, and its version. Raises SandboxError if it does not."""
        return self._call("GET", "health", gives=calls.HealthOut)

    def reset(self) -> None:
        """Return to the state right after its start."""
        self._call("POST", "reset", gives=calls.Done)

    def create_seller(self, country: str = "AR") -> calls.SellerOut:
        """A new test seller."""
        return self._call("POST", "sellers", {"country": country}, gives=calls.SellerOut)

    def applications(self) -> list[calls.ApplicationOut]:
        """The applications there are."""
        return self._call("GET", "applications", gives=calls.ApplicationsOut).applications

    def sellers(self) -> list[calls.SellerOut]:
        """The sellers there are, owners of applications among them."""
        return self._call("GET", "sellers", gives=calls.SellersOut).sellers

    def consent(self) -> calls.ConsentOut:
        """How sellers answer now."""
        return self._call("GET", "consent", gives=calls.ConsentOut)

    def set_consent(self, mode: ConsentMode, seller: int | None = None) -> None:
        """How sellers answer from now on."""
        body: dict[str, object] = {"mode": mode, "seller": seller}
        self._call("PUT", "consent", body, gives=calls.ConsentOut)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self._call("POST", "clock/advance", {"seconds": seconds}, gives=calls.ClockOut)

    def set_lifetimes(self, client_id: str, **seconds: int) -> None:
        """Change lifetimes of an application's future codes and tokens, in seconds."""
        path = f"applications/{client_id}"
        self._call("PATCH", path, {"lifetimes": seconds}, gives=calls.ApplicationOut)

    def journal(self, *, after: int = 0) -> list[Entry]:
        """Every journal entry with a higher number than `after`, oldest first."""
        entries: list[Entry] = []
        while True:
            path = f"journal?after={after}&limit={_PAGE}"
            page = self._call("GET", path, gives=_Page)
            entries += page.entries
            if len(page.entries) < _PAGE:
                return entries
            after = page.next

    def _call(
        self, method: str, path: str, body: dict[str, object] | None = None, *, gives: type[Out]
    ) -> Out:
        url = f"{self.url}/_sandbox/{path}"
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        try:
            response = self._network.send(
                httpx.Request(method, url, headers=headers, content=content)
            )
        except httpx.TransportError as error:
            raise SandboxError(
                f"no sandbox answers at {self.url} ({error}); start one with "
                "`mp-oauth-sandbox serve`, or leave out sandbox.url to have one started"
            ) from error
        if response.status_code not in {200, 201}:
            raise SandboxError(f"{method} {url}: {response.status_code} {response.text[:300]}")
        try:
            return msgspec.json.decode(response.content, type=gives)
        except msgspec.DecodeError as error:
            raise SandboxError(f"{url} does not answer as this version's sandbox does") from error
