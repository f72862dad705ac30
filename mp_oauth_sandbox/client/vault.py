"""Links kept alive: tokens handed out, renewed in time by one worker at a time, and given up.

A renewal is: claim the link (swap in a lease), ask for a new pair, swap that in. Whoever finds
the lease taken waits, and uses what the winner stored. Unlinking is a swap too, and so wins.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from . import errors
from .desk import Desk
from .records import Link, Status
from .settings import Settings
from .steps import Flow, Sleep
from .tokens import Tokens, read_tokens, refresh_request

#: Longer than any exchange takes. After a crash a link waits this long for its next renewal.
LEASE: Final = timedelta(seconds=60)
#: Between attempts after failures, and at most if Mercado Pago asks for more (Retry-After).
_LONGEST_PAUSE: Final = timedelta(minutes=5)
_LONGEST_WAIT: Final = timedelta(hours=1)
#: A 401 within this for a token that a 401 had asked for: the link is of no use for as long.
_PROVEN: Final = timedelta(hours=1)
#: By one call: a token that is dead when it comes is not asked for again and again.
_MOST_RENEWALS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewals:
    """What a run of `renew_due` did, in links. `stopped`: before its end, see there."""

    renewed: int = 0
    postponed: int = 0
    lost: int = 0
    stopped: bool = False


class Vault(Desk):
    """The flows about links that exist."""

    def usable(self, account: str) -> Flow[Link | None]:
        """The link if its token can be used as it is: one look into the store."""
        link = yield from self._ask(self.links.get, account)
        now = self.now()
        if link is None or link.access_token is None or now >= link.expires_at:
            return None
        return link if link.renew_at is None or now < link.renew_at else None

    def access(self, account: str, *, refused: str | None = None) -> Flow[Link]:
        """A link whose token can be used now, renewed if it is due.

        `refused` is a token that got a 401. Raises SellerError, or, if there is no token to
        go on with, ProviderError, ConfigurationError or NotSavedError.
        """
        pause, waited, renewals = 0.02, 0.0, 0
        failed: errors.LinkingError | None = None
        while True:
            if failed is None and (kept := self._unsaved.pop(account, None)) is not None:
                with suppress(errors.NotSavedError):
                    yield from self._keep(*kept)
            link = yield from self._ask(self.links.get, account)
            if link is None or link.status == "unlinked":
                raise errors.NotLinkedError(f"account {account!r} is not linked")
            now = self.now()
            alive = link.access_token not in {None, refused} and now < link.expires_at
            if link.renew_at is None:
                if alive:
                    return link
                yield from self._lose(link, link.reason or "expired", drop=True)
                raise errors.NeedsRelinkError(f"account {account!r} must link again")
            leased = _lies_ahead(link.leased_until, now, within=2 * LEASE)
            held = _lies_ahead(link.retry_at, now, within=2 * _LONGEST_WAIT)
            if alive and (leased or held or now < link.renew_at):
                return link
            if leased and failed is None and waited <= LEASE.total_seconds():
                yield Sleep(pause)
                waited, pause = waited + pause, min(2 * pause, 0.25)
                continue
            if held and failed is None and link.status == "needs_relink":
                raise errors.NeedsRelinkError(f"account {account!r} must link again")
            if leased or held or failed:
                why = f"renewals pause: {link.reason or 'another worker is at it'}"
                raise failed or errors.UnavailableError(why, sent=False, retry_after=held or 1)
            if renewals == _MOST_RENEWALS:
                raise errors.UnavailableError("renewed tokens are dead at once", sent=True)
            renewals += 1
            try:
                yield from self._renew(link, refused=refused is not None or not link.access_token)
            except (errors.ProviderError, errors.ConfigurationError, errors.NotSavedError) as error:
                # Look again: meanwhile the old token may have expired, or been unlinked.
                failed = error

    def refused(self, account: str, token: str | None) -> Flow[Link]:
        """After a 401 for that token: the link with another one. Raises as `access`."""
        link = yield from self._ask(self.links.get, account)
        now = self.now()
        young = link is not None and abs(now - link.issued_at) < _PROVEN
        if link is not None and young and link.after_refusal and link.access_token == token:
            # Not for ever: perhaps it is the API that is ill. No token until then, and no storm.
            lost = changed(link, status="needs_relink", access_token=None, retry_at=now + _PROVEN)
            if (yield from self._ask(self.links.replace, lost, expected=link.generation)):
                self._warn("lost", lost, reason="refused")
        return (yield from self.access(account, refused=token))

    def link(self, account: str) -> Flow[Link | None]:
        """The account's link with the status that is true now; None if it never had one."""
        link = yield from self._ask(self.links.get, account)
        if link is None or link.status == "unlinked":
            return link
        now = self.now()
        if link.renew_at is None and now >= link.expires_at:
            return replace(link, status="needs_relink")
        leased = _lies_ahead(link.leased_until, now, within=2 * LEASE)
        return link if leased or link.status == "needs_relink" else replace(link, status="linked")

    def status(self, account: str) -> Flow[Status]:
        """The status of the account's link; `unlinked` also if it never had one."""
        link = yield from self.link(account)
        return "unlinked" if link is None else link.status

    def unlink(self, account: str) -> Flow[bool]:
        """Forget the account's tokens, whatever is under way; False if it was not linked."""
        link = yield from self._ask(self.links.get, account)
        return link is not None and (yield from self._end(link, reason="asked"))

    def renew_due(self, *, limit: int = 1000, per_second: float = 5.0) -> Flow[Renewals]:
        """Renew what is due, one after the other; for a scheduler, daily or more often.

        Stays under the rate, pauses when Mercado Pago asks for it (429), and stops if that is
        for long, or if it is the application that is refused. Any number of workers may run it.
        """
        if not per_second > 0:
            raise errors.MisuseError("per_second: must be more than 0")
        due = yield from self._ask(self.links.due, self.now(), limit)
        renewed = postponed = lost = 0
        pause, stopped = 0.0, False
        for one in due:
            try:
                link = yield from self._ask(self.links.get, one.account)
                if link is None or link.due_at is None or self.now() < link.due_at:
                    continue
                yield Sleep(pause)
                pause = 1 / per_second
                yield from self._renew(link, refused=False)
                after = yield from self._ask(self.links.get, one.account)
                renewed += after is not None and after.issued_at > link.issued_at
                lost += after is not None and after.status == "needs_relink"
            except Exception as error:  # noqa: BLE001 - a record's trouble is not the next one's
                postponed += 1
                wait = (error.retry_after or 1) if isinstance(error, errors.UnavailableError) else 0
                stopped = isinstance(error, errors.ConfigurationError) or wait > 60
                if stopped:
                    break
                pause = max(pause, wait)
        return Renewals(renewed=renewed, postponed=postponed, lost=lost, stopped=stopped)

    # ---- one renewal ----

    def _renew(self, link: Link, *, refused: bool) -> Flow[None]:
        """Claim, ask, keep; what came of it is in the store.

        Raises ProviderError, ConfigurationError or NotSavedError for what may pass.
        """
        if (kept := self._unsaved.pop(link.account, None)) is not None:
            # Its refresh token is spent already.
            return (yield from self._keep(*kept))
        spent, asked_at = link.refresh_token or "", self.now()
        claimed = changed(link, status="renewing", leased_until=asked_at + LEASE)
        if not (yield from self._ask(self.links.replace, claimed, expected=link.generation)):
            return
        answer = yield from self._send(refresh_request(self.settings, refresh_token=spent))
        try:
            tokens = read_tokens(answer)
            if tokens.seller_id not in {None, link.seller_id}:
                raise errors.UnavailableError("the answer is about another seller", sent=True)
        except errors.GrantRefusedError:
            # In vain if another worker has taken the lease over: then what that one stores counts.
            yield from self._lose(claimed, "invalid_grant", drop=refused)
            return
        except errors.LinkingError as error:
            yield from self._postpone(claimed, error)
            raise
        new = replace(with_tokens(link, tokens, self.settings, at=asked_at), after_refusal=refused)
        if link.live_mode != new.live_mode or not set(link.scopes) <= set(new.scopes):
            self._warn("permissions_changed", new)
        yield from self._keep(spent, new)

    def _keep(self, spent: str | None, new: Link) -> Flow[None]:
        """Swap a new pair in, unless the link was unlinked or linked anew meanwhile."""
        try:
            while True:
                current = yield from self._patiently(self.links.get, new.account)
                # Without a new refresh token it would bring one back that was refused meanwhile.
                again = current and current.status == "needs_relink" and new.refresh_token == spent
                if current is None or again or current.refresh_token != spent:
                    return
                kept, expected = replace(new, generation=current.generation + 1), current.generation
                if (yield from self._patiently(self.links.replace, kept, expected=expected)):
                    self._tell("renewed", kept)
                    return
        except errors.NotSavedError:
            self._unsaved[new.account] = (spent, new)
            self._warn("not_saved", new)
            raise

    def _postpone(self, claimed: Link, error: errors.LinkingError) -> Flow[None]:
        """Give the lease back, and hold the next attempt off for longer each time."""
        now = self.now()
        pause = min(timedelta(seconds=2 ** min(claimed.failures, 9)), _LONGEST_PAUSE)
        if now < claimed.expires_at:
            # Tried once more when the token dies: an outage that is over by then costs no call.
            pause = min(pause, claimed.expires_at - now)
        if isinstance(error, errors.UnavailableError) and error.retry_after is not None:
            pause = max(pause, min(timedelta(seconds=error.retry_after), _LONGEST_WAIT))
        status = "linked" if claimed.access_token else "needs_relink"
        back = changed(claimed, status=status, retry_at=now + pause, reason=str(error))
        back = replace(back, failures=claimed.failures + 1)
        yield from self._ask(self.links.replace, back, expected=claimed.generation)
        self._warn("renewal_failed", back, problem=str(error), failures=back.failures)

    def _lose(self, link: Link, reason: str, *, drop: bool) -> Flow[None]:
        """Its refresh token is not presented again; with `drop`, nor is its access token."""
        kept = None if drop else link.access_token
        if (link.status, link.access_token) == ("needs_relink", kept):
            return
        lost = changed(link, status="needs_relink", renew_at=None, access_token=kept, reason=reason)
        if (yield from self._ask(self.links.replace, lost, expected=link.generation)):
            self._warn("lost", lost, reason=reason)

    def _end(self, link: Link, *, reason: str) -> Flow[bool]:
        """Unlink, unless it was linked anew meanwhile."""
        current: Link | None = link
        while current is not None and current.linked_at == link.linked_at:
            if current.status == "unlinked":
                return False
            gone = unlinked(current, reason=reason)
            if (yield from self._ask(self.links.replace, gone, expected=current.generation)):
                self._tell("unlinked", gone, reason=reason)
                return True
            current = yield from self._ask(self.links.get, link.account)
        return False


def changed(link: Link, **values: Any) -> Link:  # noqa: ANN401 - fields of Link
    """The link in its next generation, with no lease and no pause unless one is given."""
    reset = {"generation": link.generation + 1, "leased_until": None, "retry_at": None}
    return replace(link, **{**reset, **values})


def unlinked(link: Link, *, reason: str) -> Link:
    """The link without its tokens."""
    gone = changed(link, status="unlinked", access_token=None, refresh_token=None, reason=reason)
    return replace(gone, renew_at=None)


def _lies_ahead(at: datetime | None, now: datetime, *, within: timedelta) -> float:
    """Seconds until then, 0 if it is past, or so far off that a clock must have gone back."""
    ahead = timedelta() if at is None else at - now
    return ahead.total_seconds() if timedelta() < ahead <= within else 0.0


def with_tokens(link: Link, tokens: Tokens, settings: Settings, *, at: datetime) -> Link:
    """The link with a new pair; what the answer leaves out stays as it was."""
    expires_at = at + tokens.lifetime
    refresh_token = tokens.refresh_token or link.refresh_token
    margin = min(tokens.lifetime * settings.margin_share, settings.margin_at_most)
    return changed(
        link,
        status="linked",
        access_token=tokens.access_token,
        refresh_token=refresh_token,
        issued_at=at,
        expires_at=expires_at,
        renew_at=None if refresh_token is None else expires_at - margin,
        scopes=tokens.scopes or link.scopes,
        live_mode=link.live_mode if tokens.live_mode is None else tokens.live_mode,
        public_key=tokens.public_key or link.public_key,
        failures=0,
        after_refusal=False,
        reason=None,
    )
