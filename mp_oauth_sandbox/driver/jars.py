"""Cookie jars that follow a browser's rules.

HTTP clients' jars do not: they ignore SameSite and withhold Secure cookies from
http://localhost, so an integration would meet cookies that no browser sends. The rules
here are those of RFC 6265bis as Chromium applies them, and a test compares the two.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

SameSite = Literal["strict", "lax", "none", "unset"]

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SAME_SITE: Final[dict[str, SameSite]] = {"strict": "strict", "lax": "lax", "none": "none"}

#: Chromium sends a cookie without SameSite on a cross-site POST while it is this young.
LAX_POST_AGE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie. `host_only` ones go to the very host that set them."""

    name: str
    value: str
    host: str
    host_only: bool
    path: str
    secure: bool
    same_site: SameSite
    expires: datetime | None
    created: datetime
    serial: int


class CookieJar:
    """The cookies of one browser. Ports do not separate them; hosts do."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now` is the browser's clock (aware), by which cookies expire."""
        self._now = now
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._stored = 0

    def store(self, url: str, set_cookie: Iterable[str]) -> None:
        """Take the Set-Cookie headers of an answer from `url`; what is invalid is dropped."""
        for header in set_cookie:
            self._stored += 1
            cookie = parse(header, url, now=self._now(), serial=self._stored)
            if cookie is None:
                continue
            key = (cookie.host, cookie.path, cookie.name)
            self._cookies.pop(key, None)
            if cookie.expires is None or cookie.expires > cookie.created:
                self._cookies[key] = cookie

    def sent(self, url: str, *, method: str = "GET", initiator: str | None = None) -> list[Cookie]:
        """The cookies of a top-level navigation, in the order they are sent.

        Args:
            url: Where it goes.
            method: GET or another; after a redirect the method it has become.
            initiator: The URL of the page that began it; None if a person typed it.
        """
        now = self._now()
        self._cookies = {
            key: cookie
            for key, cookie in self._cookies.items()
            if cookie.expires is None or cookie.expires > now
        }
        same_site = initiator is None or site_of(initiator) == site_of(url)
        sent = [
            cookie
            for cookie in self._cookies.values()
            if _reaches(cookie, url)
            and (same_site or _crosses_sites(cookie, method=method, now=now))
        ]
        return sorted(sent, key=lambda cookie: (-len(cookie.path), cookie.serial))

    def __iter__(self) -> Iterator[Cookie]:
        """Every cookie that is kept, in no particular order."""
        return iter(tuple(self._cookies.values()))

    def header(self, url: str, *, method: str = "GET", initiator: str | None = None) -> str | None:
        """The Cookie header of a top-level navigation, None without cookies."""
        sent = self.sent(url, method=method, initiator=initiator)
        return (
            "; ".join(f"{one.name}={one.value}" if one.name else one.value for one in sent) or None
        )


def parse(header: str, url: str, *, now: datetime, serial: int = 0) -> Cookie | None:
    """One Set-Cookie header as a browser understands it; None if it refuses the cookie."""
    pair, *rest = header.split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not equals:
        name, value = "", name
    attributes: dict[str, str] = {}
    for attribute in rest:
        key, _, given = attribute.partition("=")
        attributes[key.strip().lower()] = given.strip()
    parts = urlsplit(url)
    host = parts.hostname or ""
    domain = attributes.get("domain", "").lstrip(".").lower()
    if domain and not _may_set_for(host, domain):
        return None
    path = attributes.get("path", "")
    if not path.startswith("/"):
        path = parts.path.rpartition("/")[0] or "/"
    secure = "secure" in attributes
    same_site = _SAME_SITE.get(attributes.get("samesite", "").lower(), "unset")
    if secure and not _is_trustworthy(url):
        return None
    if same_site == "none" and not secure:
        return None
    if not _prefix_holds(name, secure=secure, domain=domain, path=path):
        return None
    return Cookie(
        name=name,
        value=value,
        host=domain or host,
        host_only=not domain or _is_single(domain),
        path=path,
        secure=secure,
        same_site=same_site,
        expires=_expires(attributes, now),
        created=now,
        serial=serial,
    )


def site_of(url: str) -> str:
    """Scheme and registrable domain of a URL; two URLs are same-site if these are equal.

    Without the Public Suffix List every last label counts as a suffix, which is right for
    hosts of tests (localhost, addresses, names under .test) and for plain .com domains.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not _is_single(host):
        host = ".".join(host.split(".")[-2:])
    return f"{parts.scheme}://{host}"


def _reaches(cookie: Cookie, url: str) -> bool:
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path or "/"
    if cookie.secure and not _is_trustworthy(url):
        return False
    if host != cookie.host and (cookie.host_only or not host.endswith(f".{cookie.host}")):
        return False
    below = cookie.path if cookie.path.endswith("/") else f"{cookie.path}/"
    return path == cookie.path or path.startswith(below)


def _crosses_sites(cookie: Cookie, *, method: str, now: datetime) -> bool:
    if cookie.same_site in {"none", "strict"}:
        return cookie.same_site == "none"
    if method.upper() in _SAFE_METHODS:
        return True
    return cookie.same_site == "unset" and now - cookie.created < LAX_POST_AGE


def _is_trustworthy(url: str) -> bool:
    """Over https, or on this machine: there browsers take Secure cookies over http too."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_single(host: str) -> bool:
    """An address or a name of one label: nothing is below or above it."""
    try:
        ip_address(host)
    except ValueError:
        return "." not in host
    return True


def _may_set_for(host: str, domain: str) -> bool:
    return domain == host or (not _is_single(domain) and host.endswith(f".{domain}"))


def _prefix_holds(name: str, *, secure: bool, domain: str, path: str) -> bool:
    lowered = name.lower()
    if lowered.startswith("__secure-"):
        return secure
    if lowered.startswith("__host-"):
        return secure and not domain and path == "/"
    return True


def _expires(attributes: dict[str, str], now: datetime) -> datetime | None:
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdigit():
        # Browsers keep nothing for longer than 400 days.
        return now + timedelta(seconds=min(int(age), 400 * 86_400) if age[0] != "-" else -1)
    try:
        until = parsedate_to_datetime(attributes.get("expires", ""))
    except ValueError:
        return None
    return until if until.tzinfo else until.replace(tzinfo=UTC)
