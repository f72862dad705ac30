"""The sandbox as the driver sees it: its control API, over a socket or without one."""

import msgspec

from mp_oauth_sandbox.control import types as calls
from mp_oauth_sandbox.control.caller import Caller
from mp_oauth_sandbox.core.consent import ConsentMode
from mp_oauth_sandbox.journal import Entry

_PAGE = 1000


class _Page(msgspec.Struct):
    """A page of the journal, read back as the entries that it was made from."""

    entries: list[Entry]
    next: int


class Control(Caller):
    """A sandbox's control API: sellers, consent, clock, journal, reset."""

    def health(self) -> calls.HealthOut:
        """Whether it answers, and its version. Raises SandboxError if it does not."""
        return self.call("GET", "health", gives=calls.HealthOut)

    def reset(self) -> None:
        """Return to the state right after its start."""
        self.call("POST", "reset", gives=calls.Done)

    def create_seller(self, country: str = "AR") -> calls.SellerOut:
        """A new test seller."""
        return self.call("POST", "sellers", {"country": country}, gives=calls.SellerOut)

    def applications(self) -> list[calls.ApplicationOut]:
        """The applications there are."""
        return self.call("GET", "applications", gives=calls.ApplicationsOut).applications

    def sellers(self) -> list[calls.SellerOut]:
        """The sellers there are, owners of applications among them."""
        return self.call("GET", "sellers", gives=calls.SellersOut).sellers

    def consent(self) -> calls.ConsentOut:
        """How sellers answer now."""
        return self.call("GET", "consent", gives=calls.ConsentOut)

    def set_consent(self, mode: ConsentMode, seller: int | None = None) -> None:
        """How sellers answer from now on."""
        body: dict[str, object] = {"mode": mode, "seller": seller}
        self.call("PUT", "consent", body, gives=calls.ConsentOut)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self.call("POST", "clock/advance", {"seconds": seconds}, gives=calls.ClockOut)

    def set_lifetimes(self, client_id: str, **seconds: int) -> None:
        """Change lifetimes of an application's future codes and tokens, in seconds."""
        path = f"applications/{client_id}"
        self.call("PATCH", path, {"lifetimes": seconds}, gives=calls.ApplicationOut)

    def journal(self, *, after: int = 0) -> list[Entry]:
        """Every journal entry with a higher number than `after`, oldest first."""
        entries: list[Entry] = []
        while True:
            path = f"journal?after={after}&limit={_PAGE}"
            page = self.call("GET", path, gives=_Page)
            entries += page.entries
            if len(page.entries) < _PAGE:
                return entries
            after = page.next
