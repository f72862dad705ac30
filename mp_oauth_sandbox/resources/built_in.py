"""The rows every table starts with: just enough to see whose token an integration uses.

Keys and their order are those of official SDKs' fixtures (PHP for a preference, Java for a
payment and a search), without the parts that only a real payment has. There is no payment
logic: what was asked is repeated, and every payment is approved.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.messages import TokenAccepted
from mp_oauth_sandbox.core.registration import SITES
from mp_oauth_sandbox.resources.users_me import profile_of

#: The zone of dates in public captures.
_ZONE = timezone(timedelta(hours=-4))

_CURRENCIES = {
    "AR": "ARS",
    "BR": "BRL",
    "CL": "CLP",
    "CO": "COP",
    "MX": "MXN",
    "PE": "PEN",
    "UY": "UYU",
}

_PREFERENCE = (
    "additional_info",
    "auto_return",
    "back_urls",
    "binary_mode",
    "expires",
    "external_reference",
    "items",
    "marketplace_fee",
    "metadata",
    "notification_url",
    "payer",
    "payment_methods",
)
_PAYMENT = (
    "payment_method_id",
    "currency_id",
    "description",
    "payer",
    "metadata",
    "external_reference",
    "transaction_amount",
    "application_fee",
    "installments",
    "statement_descriptor",
    "notification_url",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCall:
    """One request for a resource: whose token, when, and the JSON object that was sent.

    `fresh` draws randomness, for what needs an id of its own.
    """

    token: TokenAccepted
    now: datetime
    sent: Mapping[str, object]
    fresh: Callable[[], Fresh]


MakeBody = Callable[[ResourceCall], object]


def users_me(asked: ResourceCall) -> object:
    """GET /users/me: the token's seller."""
    return profile_of(asked.token.seller)


def preference(asked: ResourceCall) -> object:
    """POST /checkout/preferences: of the token's seller, made by the token's application."""
    seller = asked.token.seller
    preference_id = f"{seller.user_id}-{asked.fresh().public_keys()[0]}"
    paying = f"mercadopago.example/checkout/v1/redirect?pref_id={preference_id}"
    body: dict[str, object] = {
        "additional_info": "",
        "auto_return": "",
        "back_urls": {"failure": "", "pending": "", "success": ""},
        "binary_mode": False,
        "client_id": asked.token.whose.client_id,
        "collector_id": seller.user_id,
        "date_created": _moment(asked.now),
        "expires": False,
        "external_reference": "",
        "id": preference_id,
        "init_point": f"https://www.{paying}",
        "items": [],
        "marketplace": f"MP-MKT-{asked.token.whose.client_id}",
        "marketplace_fee": 0,
        "metadata": {},
        "notification_url": None,
        "operation_type": "regular_payment",
        "payer": {},
        "payment_methods": {},
        "sandbox_init_point": f"https://sandbox.{paying}",
        "site_id": SITES[seller.country],
    }
    return body | _repeated(asked, _PREFERENCE)


def payment(asked: ResourceCall) -> object:
    """POST /v1/payments: approved, and collected by the token's seller."""
    seller, at = asked.token.seller, _moment(asked.now)
    body: dict[str, object] = {
        # Unique within a sandbox, and of 11 digits like those in captures.
        "id": 10_000_000_000 + asked.fresh().serial,
        "date_created": at,
        "date_approved": at,
        "date_last_updated": at,
        "operation_type": "regular_payment",
        "payment_method_id": "master",
        "payment_type_id": "credit_card",
        "status": "approved",
        "status_detail": "accredited",
        "currency_id": _CURRENCIES[seller.country],
        "description": None,
        "live_mode": asked.token.live_mode,
        "collector_id": seller.user_id,
        "payer": {},
        "metadata": {},
        "external_reference": None,
        "transaction_amount": 0,
        "transaction_amount_refunded": 0,
        "installments": 1,
        "captured": True,
        "notification_url": None,
        "refunds": [],
    }
    return body | _repeated(asked, _PAYMENT)


def no_payments(_asked: ResourceCall) -> object:
    """GET /v1/payments/search: nothing, whatever was paid; add a resource to find something."""
    return {"paging": {"total": 0, "limit": 30, "offset": 0}, "results": []}


#: Method, path, status, answer, and whether X-Idempotency-Key is honoured.
BUILT_IN: tuple[tuple[str, str, int, MakeBody, bool], ...] = (
    ("GET", "/users/me", 200, users_me, False),
    ("POST", "/checkout/preferences", 201, preference, False),
    ("POST", "/v1/payments", 201, payment, True),
    ("GET", "/v1/payments/search", 200, no_payments, False),
)


def _repeated(asked: ResourceCall, names: tuple[str, ...]) -> dict[str, object]:
    return {name: asked.sent[name] for name in names if name in asked.sent}


def _moment(at: datetime) -> str:
    return at.astimezone(_ZONE).isoformat(timespec="milliseconds")
