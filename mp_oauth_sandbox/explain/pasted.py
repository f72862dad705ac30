"""A pasted URL in its parts, as a server would read it; nothing in it can make this fail."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from mp_oauth_sandbox.control.explain import UrlPart
from mp_oauth_sandbox.journal.masks import beginning, masked

#: So many different parameters are looked at; a longer list is told by its length.
_PARAMETERS = 40

_NAME = 40

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,20})://")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")

#: Without any address: a query by itself is known by one of these names.
_TELLING = re.compile(r"(?:^|&)(?:client_id|response_type|redirect_uri|code|state|error)=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """A URL in parts. `values` holds the decoded values of each parameter, in order.

    `query` is what the URL has between ? and #, as bytes. `broken` are the parameters whose
    percent-encoding or UTF-8 cannot be read.
    """

    scheme: str
    host: str
    path: str
    query: bytes = field(repr=False)
    fragment: bool
    credentials: bool
    values: dict[str, list[str]] = field(repr=False)
    broken: frozenset[str]
    surplus: int

    @property
    def address(self) -> str:
        """The URL without query and fragment."""
        return f"{self.scheme}://{self.host}{self.path}" if self.scheme else self.path

    def first(self, name: str) -> str | None:
        """The first value of a parameter; without a value it counts as left out."""
        return next(iter(self.values.get(name, ())), None) or None


def pasted_url(text: str) -> Pasted | None:
    """The URL, path with a query, or query that a text is; None if it is none of these."""
    address, question, rest = text.partition("?")
    scheme = _SCHEME.match(text)
    if scheme is None and not question and not text.startswith("/"):
        if not _TELLING.search(text):
            return None
        address, rest = "", text
    # A fragment may stand before any question mark; the query is then part of it.
    address, hash_before, _ = address.partition("#")
    query, hash_after, _ = ("", "", "") if hash_before else rest.partition("#")
    host, path, credentials = "", address, False
    if scheme is not None:
        host, slash, path = address[scheme.end() :].partition("/")
        path = slash + path
        credentials = "@" in host
        host = host.rpartition("@")[2]
    values, broken, surplus = _parameters(query)
    return Pasted(
        scheme=scheme.group(1).lower() if scheme else "",
        host=host.lower(),
        path=path,
        query=query.encode(),
        fragment=bool(hash_before or hash_after),
        credentials=credentials,
        values=values,
        broken=broken,
        surplus=surplus,
    )


def _parameters(query: str) -> tuple[dict[str, list[str]], frozenset[str], int]:
    values: dict[str, list[str]] = {}
    broken: set[str] = set()
    surplus = 0
    for pair in filter(None, query.split("&")):
        raw_name, _, raw = pair.partition("=")
        name, _ = _decoded(raw_name)
        if name not in values and len(values) >= _PARAMETERS:
            surplus += 1
            continue
        value, readable = _decoded(raw)
        values.setdefault(name, []).append(value)
        if not readable or _BROKEN.search(raw):
            broken.add(name)
    return values, frozenset(broken), surplus


def _decoded(raw: str) -> tuple[str, bool]:
    data = unquote_to_bytes(raw.replace("+", " "))
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace"), False


def shown_name(name: str) -> str:
    """A parameter's name, which may be anything."""
    return beginning(name, _NAME) or "(no name)"


def oddities(pasted: Pasted) -> list[UrlPart]:
    """What is wrong with the URL as such: repeated or unreadable parameters, a fragment."""
    found: list[UrlPart] = []
    for name, values in pasted.values.items():
        if len(values) > 1:
            text = f"sent {len(values)} times; which one counts is anybody's guess"
            found.append(
                UrlPart(name=shown_name(name), ok=False, text=text, remedy="Send it once.")
            )
        if name in pasted.broken:
            text = "its percent-encoding is broken, or not of UTF-8"
            remedy = "Encode the value once, with your framework's own function."
            found.append(UrlPart(name=shown_name(name), ok=False, text=text, remedy=remedy))
    if pasted.surplus:
        text = f"{pasted.surplus} more parameters, not looked at"
        found.append(UrlPart(name="(more)", ok=False, text=text, remedy="Leave them out."))
    if pasted.fragment:
        text = "what follows # never leaves the browser"
        remedy = "Encode # as %23 where it belongs to a value, else leave it out."
        found.append(UrlPart(name="#", ok=False, text=text, remedy=remedy))
    if pasted.credentials:
        text = "a user name or password stands before the host"
        found.append(UrlPart(name="@", ok=False, text=text, remedy="Leave it out."))
    return found


def shown_address(pasted: Pasted) -> str:
    """The URL without its query, bounded and masked."""
    return masked(pasted.address[:200])
