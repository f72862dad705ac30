"""Whether a credential still stands: epochs, revocation, and how to say how old it is."""

from datetime import datetime, timedelta
from functools import lru_cache

from mp_oauth_sandbox.core.records import (
    Application,
    Credential,
    Epochs,
    Grant,
    Link,
    Seller,
    View,
)

#: Why tokens die when the profile's `reauthorization` says so.
REAUTHORIZED = "the seller authorized the application again (reauthorization)"


def epochs_now(application: Application, seller: Seller, link: Link) -> Epochs:
    """The epochs a grant issued at this moment must remember."""
    return _epochs(application.epoch, seller.epoch, link.epoch)


@lru_cache(maxsize=1024)
def _epochs(application: int, seller: int, link: int) -> Epochs:
    # Equal ones are one: nearly every grant has the same.
    return Epochs(application=application, seller=seller, link=link)


def revoked_because(view: View) -> str | None:
    """Why the grant of the viewed credential no longer stands, or None if it does."""
    grant, issuer, seller, link = view.grant, view.issuer, view.seller, view.link
    if grant is None or issuer is None or seller is None or link is None:
        return "its application or seller no longer exists"
    if grant.revoked_because is not None:
        return grant.revoked_because
    if issuer.status == "deleted":
        return "the application was deleted"
    for holder, remembered in (
        (link, grant.epochs.link),
        (seller, grant.epochs.seller),
        (issuer, grant.epochs.application),
    ):
        if holder.epoch != remembered:
            return holder.revoked_because or "it was revoked"
    return None


def displaced(grant: Grant, link: Link) -> bool:
    """Whether a newer approval of the same link pushed this one's tokens aside.

    Only what an approval made can be displaced by one: not the platform's own token, nor
    those of client credentials.
    """
    return grant.redirect_uri is not None and grant.newer_grants != link.newer_grants


def expired(credential: Credential, now: datetime) -> bool:
    """Whether a credential is past its end; the instant of expiry itself counts as past."""
    return credential.expires_at is not None and now >= credential.expires_at


def span(duration: timedelta) -> str:
    """A duration for people: "10 min 1 s", "180 d", "0 s"."""
    seconds = int(duration.total_seconds())
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def ages(credential: Credential, now: datetime) -> dict[str, str]:
    """The facts about a credential's time that explanations use; in seconds for programs."""
    age = now - credential.issued_at
    facts = {"age": span(age), "age_seconds": str(int(age.total_seconds()))}
    if credential.expires_at is not None:
        facts["lifetime"] = span(credential.expires_at - credential.issued_at)
        past = now - credential.expires_at
        facts["expired_ago"] = span(max(past, timedelta()))
        if past >= timedelta():
            facts["expired_seconds"] = str(int(past.total_seconds()))
    if credential.spent_at is not None:
        facts["spent_ago"] = span(now - credential.spent_at)
    return facts
