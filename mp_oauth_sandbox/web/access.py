"""Who may reach the pages and the control API: this machine's own, and nobody through a browser.

The API of Mercado Pago itself (token endpoint, resources) is open to any caller, as the
real one is.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.datastructures import Headers

from mp_oauth_sandbox.core.uris import LOOPBACK_HOSTS

#: RFC 9110 section 7.2. Nothing else gets into the URLs that pages show.
_HOST = re.compile(
    r"(?:(?P<name>[\w.-]+)|\[(?P<address>[0-9a-f:.]+)\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rule. `token` guards the control API where the server listens beyond loopback."""

    hosts: frozenset[str] = LOOPBACK_HOSTS
    token: str | None = field(default=None, repr=False)

    def host_problem(self, headers: Headers) -> str | None:
        """Why this Host is refused: a foreign name here means DNS rebinding or a wrong proxy."""
        host, *more = headers.getlist("host") or [""]
        if more:
            return _repeated("Host")
        if _name_in(host) in self.hosts:
            return None
        return f"the Host {host[:100]!r} is not allowed; start with --allow-host to allow it"

    def origin_problem(self, headers: Headers) -> str | None:
        """Why a request from a page of another site is refused (cross-site request forgery)."""
        for name in ("Origin", "Sec-Fetch-Site"):
            if len(headers.getlist(name)) > 1:
                return _repeated(name)
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{headers.get('host', '')}":
            return f"the Origin {origin[:100]!r} is not this sandbox"
        site = headers.get("sec-fetch-site", "none")
        if site not in {"same-origin", "none"}:
            return f"the request comes from another site (Sec-Fetch-Site: {site[:20]})"
        return None

    def local_problem(self, client: str | None) -> str | None:
        """Why a page that shows secrets is refused to another machine."""
        if self.token is None or client in {None, "127.0.0.1", "::1"}:
            return None
        return "this page is only for the machine the sandbox runs on"

    def token_problem(self, headers: Headers) -> str | None:
        """Why a control call is refused where a control token is set."""
        if self.token is None:
            return None
        sent, *more = headers.getlist("authorization") or [""]
        if more:
            return _repeated("Authorization")
        if hmac.compare_digest(sent.encode(), f"Bearer {self.token}".encode()):
            return None
        return "this sandbox listens beyond loopback: send Authorization: Bearer <control token>"


def _repeated(name: str) -> str:
    """Two of a field are never trusted: a proxy or framework may have looked at the other one."""
    return f"the request has more than one {name} field"


# Each request has one, and nearly all the same.
@lru_cache(maxsize=128)
def _name_in(host: str) -> str | None:
    """The name or address in a Host field; None if it cannot be one."""
    found = _HOST.fullmatch(host)
    return (found["name"] or found["address"]).lower() if found else None


def allowing(hosts: Iterable[str]) -> frozenset[str]:
    """The loopback names and these."""
    return LOOPBACK_HOSTS | {host.lower() for host in hosts}
