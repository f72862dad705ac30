"""`mp-connect` notifications: whether they are genuine, and what they say.

Source: Mercado Pago, "Configure optional notifications" (2026); the manifest is the one that
its official SDKs check. Their documents disagree whether `ts` counts seconds or milliseconds.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from .errors import NotificationError
from .settings import Settings
from .steps import MOST_BYTES
from .tokens import as_object, json_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A genuine notification. `seller_id` and `created_at` are None if it does not say."""

    type: str
    action: str
    data_id: str
    seller_id: int | None
    created_at: datetime | None


def verified(
    query: str | bytes, headers: Mapping[str, str], body: bytes, settings: Settings, now: datetime
) -> Notification:
    """The notification, if one of the settings' secrets signed it. Raises NotificationError."""
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    ids = [value for name, value in parse_qsl(text, keep_blank_values=True) if name == "data.id"]
    lower = {name.lower(): value for name, value in headers.items()}
    parts = [one.partition("=") for one in lower.get("x-signature", "").split(",")]
    named = {name.strip(): value.strip() for name, _, value in parts}
    ts, digest = named.get("ts", ""), named.get("v1", "")
    if len(ids) > 1 or not re.fullmatch(r"[0-9]{1,16}", ts) or len(body) > MOST_BYTES:
        raise NotificationError("x-signature: missing or malformed")
    # An absent value takes its whole pair with it.
    pairs = {"id": ids[0].lower() if ids else "", "request-id": lower.get("x-request-id", "")}
    manifest = "".join(f"{name}:{value};" for name, value in pairs.items() if value) + f"ts:{ts};"
    given = digest.encode("utf-8", "replace")
    signed = manifest.encode("utf-8", "surrogatepass")
    made = [hmac.new(one.encode(), signed, hashlib.sha256) for one in settings.webhook_secrets]
    if not any(hmac.compare_digest(one.hexdigest().encode(), given) for one in made):
        raise NotificationError("x-signature: made with another secret")
    # A count of seconds has ten digits until the year 2286.
    seconds = int(ts) / (1 if len(ts) < 11 else 1000)
    if abs(now.timestamp() - seconds) > settings.notification_tolerance.total_seconds():
        raise NotificationError("x-signature: too old, or a clock is wrong")
    return _read(body, data_id=ids[0] if ids else "")


def _read(body: bytes, *, data_id: str) -> Notification:
    fields = json_object(body)
    # What is signed is the query: a body about something else is not to be believed.
    if not data_id or str(as_object(fields.get("data")).get("id")) != data_id:
        raise NotificationError("the body is not about the data.id that was signed")
    seller = str(fields.get("user_id"))
    created: datetime | None = None
    try:
        created = datetime.fromisoformat(str(fields.get("date_created")))
        created = created.astimezone(UTC) if created.tzinfo else None
    # The first and the last day of the calendar are not there in every zone.
    except (ValueError, OverflowError):
        created = None
    return Notification(
        type=str(fields.get("type")),
        action=str(fields.get("action")),
        data_id=data_id,
        seller_id=int(seller) if re.fullmatch(r"[0-9]{1,18}", seller) else None,
        created_at=created,
    )
