"""The verbs of the control API that a play uses, by the names that it has for them."""

import msgspec

from mp_oauth_sandbox.control import applications, clock, consent, journal, sandbox, sellers
from mp_oauth_sandbox.control.applications import ApplicationChange, ApplicationOut, LifetimesIn
from mp_oauth_sandbox.control.caller import Caller
from mp_oauth_sandbox.control.clock import AdvanceIn
from mp_oauth_sandbox.control.consent import ConsentIn, ConsentOut
from mp_oauth_sandbox.control.journal import JournalWanted
from mp_oauth_sandbox.control.sandbox import HealthOut
from mp_oauth_sandbox.control.sellers import SellerIn, SellerOut
from mp_oauth_sandbox.control.types import Listed
from mp_oauth_sandbox.core.consent import ConsentMode
from mp_oauth_sandbox.journal import Entry


class _EntryPage(msgspec.Struct):
    """A page of the journal, read back as the entries that it was made from."""

    entries: list[Entry]
    next: int


class Control(Caller):
    """A sandbox's control API: sellers, consent, clock, journal, reset."""

    def health(self) -> HealthOut:
        """Whether it answers, and its version. Raises SandboxError if it does not."""
        return self.call(sandbox.HEALTH)

    def reset(self) -> None:
        """Return to the state right after its start."""
        self.call(sandbox.RESET)

    def create_seller(self, country: str = "AR") -> SellerOut:
        """A new test seller."""
        return self.call(sellers.CREATE, SellerIn(country=country))

    def applications(self) -> list[ApplicationOut]:
        """The applications there are."""
        pages = self.pages(applications.LIST, Listed())
        return [one for page in pages for one in page.applications]

    def sellers(self) -> list[SellerOut]:
        """The sellers there are, owners of applications among them."""
        return [one for page in self.pages(sellers.LIST, Listed()) for one in page.sellers]

    def consent(self) -> ConsentOut:
        """How sellers answer now."""
        return self.call(consent.SHOW)

    def set_consent(self, mode: ConsentMode, seller: int | None = None) -> None:
        """How sellers answer from now on."""
        self.call(consent.SET, ConsentIn(mode=mode, seller=seller))

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self.call(clock.ADVANCE, AdvanceIn(seconds=seconds))

    def set_lifetimes(self, client_id: str, **seconds: int) -> None:
        """Change lifetimes of an application's future codes and tokens, in seconds."""
        change = ApplicationChange(client_id=client_id, lifetimes=LifetimesIn(**seconds))
        self.call(applications.EDIT, change)

    def journal(self, *, after: int = 0) -> list[Entry]:
        """Every journal entry with a higher number than `after`, oldest first."""
        entries: list[Entry] = []
        while True:
            wanted = JournalWanted(after=after, limit=journal.PAGE_LIMIT)
            page = self.decoded(self.send(journal.READ, wanted), _EntryPage)
            entries += page.entries
            if len(page.entries) < journal.PAGE_LIMIT:
                return entries
            after = page.next
