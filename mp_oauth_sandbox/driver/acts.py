"""Who acts in a play, what they hold, and what one act led to."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from mp_oauth_sandbox.driver.browser import Browser, Page
from mp_oauth_sandbox.driver.monitors import LogInSession, is_exchange
from mp_oauth_sandbox.journal import Entry


@dataclass(slots=True, kw_only=True)
class Actor:
    """A person: an account at the integration, and a browser. `login` counts the logins."""

    name: str
    browser: Browser
    account: str | None = None
    login: int = 0
    must_log_in: bool = True

    @property
    def session(self) -> LogInSession:
        """The browser and which of its logins."""
        return self.name, self.login


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A callback URL that is held, to be delivered, altered or dropped."""

    url: str

    def get(self, parameter: str) -> str | None:
        """The first value of a parameter, None if it is absent."""
        return next((value for name, value in self._parameters() if name == parameter), None)

    def changed(self, **parameters: str | None) -> "Callback":
        """The same callback with parameters replaced, or removed with None."""
        kept = [(name, value) for name, value in self._parameters() if name not in parameters]
        kept += [(name, value) for name, value in parameters.items() if value is not None]
        base = self.url.partition("?")[0]
        return Callback(url=f"{base}?{urlencode(kept, encoding='latin-1', errors='replace')}")

    def _parameters(self) -> list[tuple[str, str]]:
        return parameters_of(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one act led to: the page the browser shows, and the journal's entries of it."""

    page: Page
    entries: Sequence[Entry]

    @property
    def token_requests(self) -> int:
        """How many times the integration asked for tokens, well or badly."""
        return sum(entry.kind == "token" for entry in self.entries)

    @property
    def tokens_issued(self) -> int:
        """How many codes were exchanged with success."""
        return sum(is_exchange(entry) and entry.cause is None for entry in self.entries)

    @property
    def calls(self) -> int:
        """How many resource calls arrived."""
        return sum(entry.kind == "resource" for entry in self.entries)


def parameters_of(url: str) -> list[tuple[str, str]]:
    """The query's parameters; bytes outside ASCII survive as Latin-1."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, encoding="latin-1")
