"""What the driver is told of an integration: URLs and tolerances, and nothing of its language."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Status = Literal["linked", "needs-relink", "unlinked", "none"]

#: What stands for the account's name in a login and in URLs.
PLACEHOLDER = "{account}"

_Path = Annotated[str, Meta(pattern="^(/|https?://)")]


class Login(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a browser gets logged in as an account.

    A request to `url` (a form or a JSON body), headers that go along with every request,
    or both. Every value may hold `{account}`. `accounts` lists the only accounts there
    are; without it any name will do.
    """

    url: _Path | None = None
    method: Literal["GET", "POST"] = "POST"
    form: dict[str, str] | None = None
    json: dict[str, str] | None = None
    headers: dict[str, str] = {}
    accounts: list[str] = []

    def __post_init__(self) -> None:
        """Refuse a login that cannot log anybody in."""
        if self.url is None and not self.headers:
            raise ValueError("give `url` (with `form` or `json`), or `headers`")
        if self.form is not None and self.json is not None:
            raise ValueError("give `form` or `json`, not both")
        texts = [self.url or "", *self.headers.values()]
        texts += [*(self.form or {}).values(), *(self.json or {}).values()]
        if not any(PLACEHOLDER in text for text in texts):
            raise ValueError(f"no value holds {PLACEHOLDER}, so every account would be the same")


class StatusPage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the integration says whether the logged-in account is linked.

    With `pointer` (a JSON pointer) the value there must match one of the four patterns as
    a whole; without, the first pattern found in the page's text counts.
    """

    url: _Path
    pointer: Annotated[str, Meta(pattern="^/")] | None = None
    linked: str = "linked|true"
    needs_relink: str = "needs[-_ ]relink"
    unlinked: str = "unlinked|false"
    none: str = "none|null"

    def __post_init__(self) -> None:
        """Refuse a pattern that is none."""
        for name in ("linked", "needs_relink", "unlinked", "none"):
            try:
                re.compile(getattr(self, name))
            except re.error as error:
                raise ValueError(f"`{name}` is not a regular expression: {error}") from error

    def read(self, value: object) -> Status | None:
        """The status that a value or page stands for, None if no pattern matches it."""
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        patterns: list[tuple[Status, str]] = [
            ("needs-relink", self.needs_relink),
            ("unlinked", self.unlinked),
            ("linked", self.linked),
            ("none", self.none),
        ]
        matches = re.fullmatch if self.pointer else re.search
        return next((name for name, pattern in patterns if matches(pattern, text)), None)


class Tolerances(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the integration declares about itself.

    `settle_seconds` is how long after an answer it may still be at work; `synchronous`
    says that it never is. `timeout_seconds` is how long its answer may take.
    """

    settle_seconds: Annotated[float, Meta(ge=0, le=60)] = 0.2
    synchronous: bool = False
    timeout_seconds: Annotated[float, Meta(gt=0, le=600)] = 30.0

    @property
    def settle(self) -> float:
        """Seconds to wait before judging that something did not happen."""
        return 0.0 if self.synchronous else self.settle_seconds


class Endpoints(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The URLs of an integration; paths are below `base_url`.

    `start_url` begins linking and ends in a redirect to the authorization URL, or answers
    JSON with that URL at `start_pointer`. `callback_path` is the path of the registered
    redirect URI. What is optional and left out makes the checks that need it
    "not checked".
    """

    base_url: Annotated[str, Meta(pattern=r"^https?://[^/?#]+/?$")]
    start_url: _Path
    callback_path: Annotated[str, Meta(pattern="^/")]
    login: Login
    start_method: Literal["GET", "POST"] = "GET"
    start_pointer: Annotated[str, Meta(pattern="^/")] | None = None
    trigger_url: _Path | None = None
    trigger_method: Literal["GET", "POST"] = "POST"
    unlink_url: _Path | None = None
    status: StatusPage | None = None
    health_url: _Path | None = None
    tolerances: Tolerances = Tolerances()

    @property
    def origin(self) -> str:
        """The base URL without a final slash."""
        return self.base_url.rstrip("/")

    @property
    def callback(self) -> str:
        """The registered redirect URI."""
        return self.origin + self.callback_path

    def absolute(self, url: str) -> str:
        """A URL or path of the description as a URL."""
        return self.origin + url if url.startswith("/") else url
