"""Revocation: what ends a link from the other side, without the integration's doing.

Source: Mercado Pago, OAuth management; Mercado Libre, Authentication and Authorization.
"""

from datetime import datetime
from types import MappingProxyType
from typing import Literal

from msgspec.structs import replace

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.notify import notice
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import (
    NOTHING,
    Application,
    Change,
    Grant,
    Link,
    Notification,
    Record,
    Seller,
    View,
)
from mp_oauth_sandbox.core.values import Value

Reason = Literal[
    "unlinked",
    "password_changed",
    "sessions_cleaned",
    "fraud_cleaned",
    "unused",
    "secret_rotated",
    "application_deleted",
]
Concern = Literal["link", "seller", "application"]


class Revocation(Value, frozen=True, kw_only=True):
    """One row: whose links it ends, how it is explained, and how well that is known.

    `concerns` is one link, every link of a seller, or every link of an application.
    """

    concerns: Concern
    explanation: str
    source: str


_MANAGEMENT = "MP, OAuth management"
_ML = "ML, Authentication and Authorization"

REVOCATIONS: MappingProxyType[Reason, Revocation] = MappingProxyType(
    {
        "unlinked": Revocation(
            concerns="link",
            explanation="the seller unlinked the application",
            source=f"{_MANAGEMENT}: deletes all tokens and temporary grants of the pair",
        ),
        "password_changed": Revocation(
            concerns="seller",
            explanation="the seller changed the password",
            source=f"{_MANAGEMENT}: in some flows; which, and that it ends every link of the"
            " seller, is a guess",
        ),
        "sessions_cleaned": Revocation(
            concerns="seller",
            explanation="Mercado Pago cleaned up the seller's sessions",
            source=f"{_MANAGEMENT}: session clean-up; that it ends every link of the seller is a"
            " guess",
        ),
        "fraud_cleaned": Revocation(
            concerns="seller",
            explanation="Mercado Pago cleaned up the seller's account after a suspicion of fraud",
            source=f"{_MANAGEMENT}: fraud clean-up; that it ends every link of the seller, and"
            " that the seller may link again, are guesses",
        ),
        "unused": Revocation(
            concerns="link",
            explanation="the application made no call for this seller in four months",
            source=f"{_ML}: no call to the API for 4 months; a guess for MP",
        ),
        "secret_rotated": Revocation(
            concerns="application",
            explanation="the application's client_secret was rotated",
            source=f"{_ML}: change of the client secret; a guess for MP, and so is that the"
            " owner's own access token stays",
        ),
        "application_deleted": Revocation(
            concerns="application",
            explanation="the application was deleted",
            source=f"{_MANAGEMENT}: deleting the application",
        ),
    }
)

Ended = Link | Seller | Application


def revoke(
    view: View, reason: Reason, *, now: datetime, fresh: Fresh, profile: Profile
) -> tuple[Change, Ended | None]:
    """Decide a revocation; the outcome is the record it concerns, as it is now.

    It is None where there is nothing to revoke. A rotated secret is in that record. With the
    application's own access token in the view, that token survives the rotation: it was not
    obtained with the secret, and nothing would issue another one.

    Unlinking a seller who had consented notifies the application's webhook. Guess: nothing else
    does; the documents name no occasion for `application.deauthorized`.
    """
    row = REVOCATIONS[reason]
    because = row.explanation
    match row.concerns:
        case "link" if view.link is not None:
            link = view.link
            ended = replace(link, epoch=link.epoch + 1, consented=False, revoked_because=because)
            told: tuple[Notification, ...] = ()
            if reason == "unlinked" and link.consented and view.application is not None:
                notification = notice(
                    view.application,
                    link.user_id,
                    "application.deauthorized",
                    now=now,
                    fresh=fresh,
                    profile=profile,
                )
                told = () if notification is None else (notification,)
            return Change(put=(ended, *told)), ended
        case "seller" if view.seller is not None:
            seller = replace(view.seller, epoch=view.seller.epoch + 1, revoked_because=because)
            return Change(put=(seller,)), seller
        case "application" if view.application is not None:
            known = view.application
            if reason == "secret_rotated" and known.status == "deleted":
                return NOTHING, None
            application = replace(known, epoch=known.epoch + 1, revoked_because=because)
            if reason == "application_deleted":
                application = replace(application, status="deleted")
                return Change(put=(application,)), application
            application = replace(
                application,
                client_secret=fresh.client_secret(),
                replaced_secret=known.client_secret,
            )
            return Change(put=(application, *_own_grant(view, application))), application
        case _:
            return NOTHING, None


def _own_grant(view: View, application: Application) -> tuple[Record, ...]:
    grant, token = view.grant, view.credential
    if grant is None or token is None or token.secret != application.access_token:
        return ()
    stands = grant.epochs.application == application.epoch - 1
    return (_renewed(grant, application.epoch),) if stands else ()


def _renewed(grant: Grant, application_epoch: int) -> Grant:
    return replace(grant, epochs=replace(grant.epochs, application=application_epoch))
