"""The exact request that a notification becomes, and its signature.

Source: Mercado Pago, "Configure optional notifications" (2026), and its sample of this topic.
The sample is anonymised: its length and its two instants do not fit together, so that all
three are computed here. The signature is checked by seven official SDKs in one way.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from mp_oauth_sandbox.core.records import Notification

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How one attempt proves where it comes from.

    `secret` None leaves the signature out, `request_id` None the header and its part of what
    is signed. `ts` is the instant in the unit that receivers see.
    """

    secret: str | None = field(repr=False)
    request_id: str | None
    ts: int


def timestamp(at: datetime, unit: str) -> int:
    """An instant as `ts` counts it: `seconds` or `milliseconds` since 1970."""
    return (at - _EPOCH) // timedelta(**{unit: 1})


def manifest(*, data_id: str, request_id: str | None, ts: int) -> str:
    """What is signed; a value that is absent takes its whole pair with it."""
    request = "" if request_id is None else f"request-id:{request_id};"
    return f"id:{data_id};{request}ts:{ts};"


def signature(signing: Signing, *, data_id: str) -> str | None:
    """The value of x-signature: HMAC-SHA256 in lower-case hex. `data_id` is as it is signed."""
    if signing.secret is None:
        return None
    signed = manifest(data_id=data_id, request_id=signing.request_id, ts=signing.ts)
    digest = hmac.new(signing.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return f"ts={signing.ts},v1={digest}"


def body(notification: Notification) -> bytes:
    """Compact JSON with its keys in alphabetical order, as in the sample."""
    created = notification.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    content = {
        "action": notification.action,
        "api_version": "v1",
        "data": {"id": notification.data_id},
        "date_created": created.replace("+00:00", "Z"),
        "id": notification.notification_id,
        "live_mode": notification.live_mode,
        "type": "mp-connect",
        "user_id": notification.user_id,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def request(
    notification: Notification,
    url: str,
    signing: Signing,
    *,
    retry: int,
    answer_within: timedelta,
    signed_id: str,
) -> bytes:
    """Head and body of one attempt, headers in the order of the sample.

    `signed_id` is the notification's `data_id` as it is signed.
    """
    content = body(notification)
    parts = urlsplit(url)
    given = f"{parts.query}&" if parts.query else ""
    target = f"{parts.path or '/'}?{given}data.id={notification.data_id}&type=mp-connect"
    headers = {
        "Host": parts.netloc,
        "Accept": "*/*",
        "Accept-Encoding": "*",
        "Connection": "keep-alive",
        "Content-Length": str(len(content)),
        "Content-Type": "application/json",
        "User-Agent": "restclient-node/5.1.10",
        "X-Request-Id": signing.request_id,
        "X-Rest-Pool-Name": "/services/webhooks.js",
        "X-Retry": str(retry),
        "X-Signature": signature(signing, data_id=signed_id),
        # Guess: that it follows where Mercado Pago's older page gives later answers 5 seconds.
        "X-Socket-Timeout": str(answer_within // timedelta(milliseconds=1)),
    }
    lines = [f"POST {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode() + content
