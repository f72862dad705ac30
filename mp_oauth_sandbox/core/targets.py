"""Where notifications may go: this machine, and hosts that somebody has allowed by name."""

import re
from collections.abc import Set
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from mp_oauth_sandbox.core.records import Webhook
from mp_oauth_sandbox.core.registration import InvalidInputError

#: Printable ASCII without spaces, quotes, brackets and backslash: fit for a request line.
_URL = re.compile(r"https?://[!#$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]+", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9._\-]+|[0-9a-f:.]+", re.ASCII)
_MAXIMUM_LENGTH = 2048
_MAXIMUM_SECRET = 256


def check_webhook(webhook: Webhook | None, allowed: Set[str]) -> None:
    """Raise InvalidInputError for a webhook that can never be delivered to.

    `allowed` are host names beyond this machine's own, in lower case.
    """
    if webhook is None:
        return
    problem = target_problem(webhook.url, allowed)
    if problem is not None:
        raise InvalidInputError("webhook.url", problem)
    if not 1 <= len(webhook.secret) <= _MAXIMUM_SECRET or not webhook.secret.isprintable():
        raise InvalidInputError(
            "webhook.secret", f"must be 1 to {_MAXIMUM_SECRET} printable characters"
        )


def target_problem(url: str, allowed: Set[str]) -> str | None:
    """Why nothing may be sent to this URL, and what to do about it; None if it may."""
    if len(url) > _MAXIMUM_LENGTH or not _URL.fullmatch(url):
        return "it must be an http or https URL of at most 2048 printable ASCII characters"
    parts = parsed(url)
    if parts is None or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        return "its host or port is malformed"
    if parts.username is not None or parts.password is not None:
        return "it must not contain a user name or password"
    if "#" in url:
        return "it must not have a fragment (#...)"
    host = parts.hostname
    if not is_loopback(host) and host not in allowed:
        return (
            f"{host} is not this machine (localhost, *.localhost, 127.0.0.1, ::1); to send there"
            f" allow it: Sandbox(allow_webhook_hosts=[{host!r}]), or serve --allow-webhook-host"
            f" {host}"
        )
    return None


def parsed(url: str) -> SplitResult | None:
    """The URL in parts, None where its host or port cannot be read."""
    try:
        parts = urlsplit(url)
        malformed = parts.netloc.endswith(":") or parts.port == 0
    except ValueError:
        return None
    return None if malformed else parts


def is_local_name(host: str) -> bool:
    """Whether a name always means this machine, without asking anybody: RFC 6761 section 6.3."""
    return host == "localhost" or host.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: a name of it, or a loopback address written out."""
    if is_local_name(host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
