"""What the client must be told, checked when it is told."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

from .errors import ConfigurationError

# Source: Mercado Pago, split payments, "create configuration". Chile's is not `.com.cl`; any other
# country (ISO 3166) uses the generic host.
_ENDINGS: Final = "AR com.ar, BR com.br, CL cl, CO com.co, MX com.mx, PE com.pe, UY com.uy"
#: The authorization hosts by country.
AUTHORIZATION_HOSTS: Final = {c[:2]: f"auth.mercadopago.{c[3:]}" for c in _ENDINGS.split(", ")}
#: Names without a dot are machines of one's own too: a container.
_OWN_HOST: Final = re.compile(r"127(\.\d+){3}|::1|[^.:]+|.+\.localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Your application, as registered, and how it wants to link. Raises ConfigurationError.

    Args:
        client_id: The application number: digits.
        client_secret: The application's secret, never an access token.
        redirect_uri: Exactly as registered: https (or http on this machine), no query.
        auth_url: The authorization endpoint; None for the seller's country's at Mercado Pago.
        api_url: Where `/oauth/token` is, and where a seller's token may be sent; nowhere else.
        pkce: Whether to send an S256 challenge and its verifier (RFC 7636).
        test_token: Whether to ask for sandbox credentials in the exchange.
        webhook_secrets: Of your webhook; two while one replaces the other.
        notification_tolerance: How old, or how far ahead, a notification's signature may be.
        state_lifetime: How long a seller may take; a code lives ten minutes.
        margin_share: How early tokens are renewed, as a share of their lifetime.
        margin_at_most: How early at most.
        if_taken: What to do when another account has linked the same seller already.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    auth_url: str | None = None
    api_url: str = "https://api.mercadopago.com"
    pkce: bool = True
    test_token: bool = False
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    notification_tolerance: timedelta = timedelta(minutes=5)
    state_lifetime: timedelta = timedelta(minutes=10)
    margin_share: float = 0.1
    margin_at_most: timedelta = timedelta(days=15)
    if_taken: Literal["refuse", "move", "allow"] = "refuse"

    def __post_init__(self) -> None:
        """Refuse what cannot work, naming the setting and the remedy."""
        for name in ("client_id", "client_secret", "redirect_uri", "api_url"):
            value = getattr(self, name)
            if not isinstance(value, str) or value.strip() != value or not value:
                raise ConfigurationError(f"{name}: must be a text, without blanks around it")
        if not (self.client_id.isascii() and self.client_id.isdigit()):
            raise ConfigurationError("client_id: must be the application number, digits only")
        if self.client_secret in {"undefined", "None", "null"}:
            raise ConfigurationError("client_secret: is missing")
        if self.client_secret.startswith(("APP_USR-", "TEST-")):
            raise ConfigurationError("client_secret: is an access token; take the Client Secret")
        if isinstance(self.webhook_secrets, str) or not all(self.webhook_secrets):
            raise ConfigurationError("webhook_secrets: must be a tuple of secrets, none empty")
        for name in ("redirect_uri", "api_url", *(("auth_url",) if self.auth_url else ())):
            _check_url(name, getattr(self, name))
        for name in ("notification_tolerance", "state_lifetime", "margin_at_most"):
            value = getattr(self, name)
            if not isinstance(value, timedelta) or value <= timedelta():
                raise ConfigurationError(f"{name}: must be a timedelta, longer than nothing")
        if not 0 < self.margin_share < 1:
            raise ConfigurationError("margin_share: must lie between 0 and 1")
        if self.if_taken not in {"refuse", "move", "allow"}:
            raise ConfigurationError("if_taken: must be refuse, move or allow")

    def authorization_endpoint(self, country: str | None) -> str:
        """The authorization endpoint for a seller of that country (ISO 3166, None if unknown)."""
        host = AUTHORIZATION_HOSTS.get((country or "").upper(), "auth.mercadopago.com")
        return self.auth_url or f"https://{host}/authorization"

    def api(self, path: str) -> str:
        """The URL of an endpoint of the API."""
        return self.api_url.rstrip("/") + path


def _check_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.scheme not in {"https", "http"}:
        raise ConfigurationError(f"{name}: must be a whole URL, such as https://shop.example/path")
    if parts.scheme == "http" and not _OWN_HOST.fullmatch(host):
        raise ConfigurationError(f"{name}: must be https beyond this machine")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(f"{name}: must have no query, fragment or user; use state instead")
