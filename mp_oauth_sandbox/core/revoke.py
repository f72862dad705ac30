"""Revocation: what ends a link from the other side, without the integration's doing.

Source: Mercado Pago, OAuth management; Mercado Libre, Authentication and Authorization.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.notify import notice
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import NOTHING, Change, Link, Seller, View

Reason = Literal["unlinked", "password_changed", "application_deleted"]

_EXPLANATIONS: dict[Reason, str] = {
    "unlinked": "the seller unlinked the application",
    "password_changed": "the seller changed the password",
    "application_deleted": "the application was deleted",
}


def revoke(
    view: View, reason: Reason, *, now: datetime, fresh: Fresh, profile: Profile
) -> tuple[Change, bool]:
    """Decide a revocation; the outcome tells whether there was anything to revoke.

    `unlinked` ends one link, `password_changed` every link of the seller,
    `application_deleted` the application with all its links.

    Unlinking a seller who had consented notifies the application's webhook. Guess: the other
    two do not; the documents name no occasion for `application.deauthorized`.
    """
    because = _EXPLANATIONS[reason]
    match reason:
        case "unlinked" if isinstance(view.link, Link):
            ended = replace(
                view.link, epoch=view.link.epoch + 1, consented=False, revoked_because=because
            )
            told = None
            if view.application is not None and view.link.consented:
                told = notice(
                    view.application,
                    view.link.user_id,
                    "application.deauthorized",
                    now=now,
                    fresh=fresh,
                    profile=profile,
                )
            return Change(put=(ended,) if told is None else (ended, told)), True
        case "password_changed" if isinstance(view.seller, Seller):
            seller = replace(view.seller, epoch=view.seller.epoch + 1, revoked_because=because)
            return Change(put=(seller,)), True
        case "application_deleted" if view.application is not None:
            deleted = replace(
                view.application,
                status="deleted",
                epoch=view.application.epoch + 1,
                revoked_because=because,
            )
            return Change(put=(deleted,)), True
        case _:
            return NOTHING, False
