"""Properties that are watched in every script, as far as the wire can show them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict
from mp_oauth_sandbox.journal import Entry

#: A browser and which of its logins: what a state is issued to.
LogInSession = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackDelivery:
    """A callback opened in a browser, between two numbers of the journal.

    `ended` is None while its answer is awaited.
    """

    session: LogInSession
    state: str | None
    code: str | None
    begun: int
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """All that monitors judge by.

    `issued` says to which sessions a state was issued, `codes` which code a short id in
    the journal stands for. `clocks_together` is False once the sandbox's clock was moved
    without the integration's.
    """

    entries: Sequence[Entry]
    deliveries: Sequence[CallbackDelivery]
    issued: Mapping[str, set[LogInSession]]
    codes: Mapping[str, str]
    clocks_together: bool


def watch(record: Happenings) -> list[Finding]:
    """What every monitor finds."""
    return [*state_is_bound(record), *no_expired_token_is_used(record)]


def state_is_bound(record: Happenings) -> Iterator[Finding]:
    """P1: a code is exchanged only if its state was issued to the same browser and login.

    Violated when a code is exchanged and no delivery of it begun so far carried a state
    issued to the same jar and login. Source: RFC 6749 section 10.12.
    """
    genuine = set(record.codes.values())
    for entry in record.entries:
        if not is_exchange(entry):
            continue
        code = record.codes.get(entry.facts.get("code", ""))
        begun = [delivery for delivery in record.deliveries if delivery.begun < entry.seq]
        # A code that the sandbox never issued can't be told from others like it.
        of_it = [
            delivery
            for delivery in begun
            if (delivery.code == code if code is not None else delivery.code not in genuine)
        ]
        if code is None and not of_it:
            continue
        if not any(_own(delivery, record) for delivery in of_it):
            yield Finding(
                check="P1",
                verdict=Verdict.VIOLATED,
                what="a code was exchanged although the state that came with it was not issued "
                "to that browser session",
                do="keep each state in the browser's session when linking starts, and exchange "
                "the code only if the callback's state equals it; then forget it",
                entry=entry.seq,
            )


def no_expired_token_is_used(record: Happenings) -> Iterator[Finding]:
    """P14: no resource call carries a token past its expiry, as the sandbox judges it.

    It can be judged only while both clocks move together.
    """
    for entry in record.entries:
        if entry.kind != "resource" or entry.cause is not Cause.TOKEN_EXPIRED:
            continue
        if record.clocks_together:
            yield Finding(
                check="P14",
                verdict=Verdict.VIOLATED,
                what="the API was called with an access token that had expired",
                do="store when each token expires (answer time + expires_in), and refresh "
                "before that; if the refresh fails, fail cleanly instead of using the old one",
                entry=entry.seq,
            )
        else:
            yield Finding(
                check="P14",
                verdict=Verdict.NOT_CHECKED,
                what="an expired token was used, but only the sandbox's clock was moved",
                do="offer move_clock, or shorten the lifetimes instead of moving the clock",
                entry=entry.seq,
            )


def is_exchange(entry: Entry) -> bool:
    """Whether this is a token request for a code, complete or not."""
    return entry.kind == "token" and entry.grant_type in {"authorization_code", None}


def _own(delivery: CallbackDelivery, record: Happenings) -> bool:
    return delivery.state is not None and delivery.session in record.issued.get(
        delivery.state, set()
    )
