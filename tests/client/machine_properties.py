"""The properties, each a method with its number, judged while things happen.

They are judged by the sandbox's journal (whose tokens were issued, presented and used, in
which order, and what was refused for which true cause), and by what the journal cannot know:
which browser delivered what, for whom the API was called, and what the store was told.
"""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta

from mp_oauth_sandbox.client import (
    Link,
    Linked,
    LinkingError,
    NotLinked,
    NotLinkedError,
    Reason,
    SellerError,
)
from mp_oauth_sandbox.client.vault import LEASE
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.driver.monitors import (
    Happenings,
    no_expired_token_is_used,
    state_is_bound,
)
from mp_oauth_sandbox.driver.verdicts import Verdict
from mp_oauth_sandbox.journal import Entry

from .machine_flights import Begun, Family, Flight, Presentation, StoreFailedError
from .machine_world import World

#: A spent state is remembered for so long after it has expired.
REMEMBERED = timedelta(days=1)


class Violation(AssertionError):
    """A property does not hold. `number` is the property's."""

    def __init__(self, number: str, what: str, world: World) -> None:
        super().__init__(f"{number}: {what}\n{world.told()}")
        self.number = number


class Properties:
    """A watcher that objects; to the breach of one property alone, if it is told so."""

    def __init__(self, world: World, *, only: str | None = None) -> None:
        self.world = world
        self.only = only
        #: Families of tokens whose link was ended, with the tick at which.
        self.gone: dict[Family, int] = {}
        #: When an account's link last became another one, or was lost.
        self.changed: dict[str, int] = {}
        #: What each account's link was when nobody was renewing it.
        self.settled: dict[str, str] = {}
        #: By a callback, and the state of the link that it kept: what that link has replaced, and
        #: what the replaced one was when nobody was renewing it.
        self.replaced: dict[tuple[Flight, str | None], tuple[Link, str]] = {}
        #: When a refused linking last put back a link that is being renewed, by account.
        self.leased_again: dict[str, int] = {}
        self.winners: dict[tuple[str, str], Flight] = {}
        self.verifiers: dict[str, str] = {}
        self.urls: list[str] = []

    def violated(self, number: str, what: str) -> None:
        if self.only in {None, number}:
            self.world.broken = True
            raise Violation(number, what, self.world)

    # ---- what happens ----

    def started(self, begun: Begun, url: str) -> None:
        self.urls.append(url)
        self.p13_challenges(begun)

    def presenting(self, one: Presentation) -> None:
        if one.kind == "code":
            self.p13_verifiers(one)
            self.p5_states_expire(one)
            self.p6_sessions(one.flight)
        else:
            if not self._leases_were_lost(one):
                self.p22_no_token_is_presented_twice(one)
                self.p26_consumed_tokens(one)
            if not one.again:
                self.p23_the_newest_is_presented(one)
                self.p29_nothing_is_renewed_after_the_end(one)

    def arrived(self, one: Presentation) -> None:
        if one.kind == "code":
            self.p1_state_is_bound(one)
            self.p2_one_exchange(one)

    def heard(self, one: Presentation) -> None:
        """The next steps of its flow show what it makes of an answer."""

    def using(self, flight: Flight, token: str, entry: Entry) -> None:
        self.p14_no_expired_token(entry)
        self.p19_no_other_token(token, entry)
        self.p20_one_retry(flight)
        self.p28_own_tokens(flight, token, entry)
        self.p29_no_token_of_an_ended_link(token)

    def kept(self, flight: Flight, old: Link | None, new: Link) -> None:
        if flight.delivery is not None and flight.account == new.account:
            self.p6_sessions(flight)
        self.p7_approved_by_the_account(flight, new)
        self.p15_expiry(flight, old, new)
        self.p24_only_refusals_lose(flight, old, new)
        self.p27_answers(old, new)
        self.p29_ends(flight, old, new)
        lost = new.status in {"unlinked", "needs_relink"}
        if old is None or old.linked_at != new.linked_at or lost:
            self.changed[new.account] = self.world.ticks

    def over(self, flight: Flight) -> None:
        self.p19_failures_are_clean(flight)
        if flight.faulted:
            return
        if flight.kind == "callback":
            self.p5_only_old_states_expire(flight)
            self.p11_the_same_again(flight)
        if flight.kind in {"use", "renew_due"}:
            self.p24_refusals_lose(flight)
        if flight.kind == "use":
            self.p20_one_retry(flight)
            self.p20_then_success_or_lost(flight)
        if flight.kind == "unlink" and flight.error is None:
            self.p29_unlinking_ends(flight)
        if flight.kind == "notified":
            self.p29_events(flight)

    # ---- callbacks ----

    def p1_state_is_bound(self, one: Presentation) -> None:
        """In the words of the driver's monitor."""
        world = self.world
        if one.entry is None:
            return
        record = Happenings(
            entries=[one.entry],
            deliveries=world.deliveries,
            issued=world.issued,
            codes=world.codes,
            clocks_together=world.steady,
        )
        for finding in state_is_bound(record):
            self.violated("P1", finding.what)

    def p2_one_exchange(self, one: Presentation) -> None:
        delivery = one.flight.delivery
        assert delivery is not None
        of_state = [
            other
            for flight in self.world.flights
            if flight.delivery is not None and flight.delivery.state == delivery.state
            for other in flight.presented
            if other.arrived is not None
        ]
        if len(of_state) > 1:
            self.violated("P2", "a state has led to more than one exchange")

    def p5_states_expire(self, one: Presentation) -> None:
        flight = one.flight
        if flight.begun is None:
            return self.violated("P1", "a code is exchanged with a state that nobody issued")
        lifetime = self.world.settings.state_lifetime
        if min(flight.times) - flight.begun.started_at >= lifetime:
            self.violated("P5", "a code is exchanged although its state had expired")
        return None

    def p5_only_old_states_expire(self, flight: Flight) -> None:
        outcome = flight.outcome
        if not isinstance(outcome, NotLinked) or outcome.reason is not Reason.STATE_EXPIRED:
            return
        assert flight.begun is not None
        if max(flight.times) - flight.begun.started_at < self.world.settings.state_lifetime:
            self.violated("P5", "a state is called expired before its time")

    def p6_sessions(self, flight: Flight) -> None:
        delivery, begun = flight.delivery, flight.begun
        if delivery is None or begun is None or delivery.session != begun.session:
            self.violated("P6", "a callback has an effect in a session that did not begin it")

    def p7_approved_by_the_account(self, flight: Flight, new: Link) -> None:
        family = self.world.family(new.access_token)
        if new.access_token is None:
            return None
        if family is None:
            return self.violated("P27", "a token is kept that no answer granted")
        begun = family.begun
        own = begun.account == new.account and begun.seller == new.seller_id == family.seller
        # Without PKCE nothing tells another's code that comes with one's own state.
        if not own and self.world.settings.pkce:
            self.violated("P7", f"{new.account} holds what {begun.account} approved")
        return None

    def p11_the_same_again(self, flight: Flight) -> None:
        world, delivery, begun = self.world, flight.delivery, flight.begun
        if delivery is None or begun is None or not flight.own:
            return
        key = (begun.state, delivery.code or "")
        winner = self.winners.get(key)
        if isinstance(flight.outcome, Linked) and any(
            one.told == "granted" for one in flight.presented
        ):
            self.winners[key] = flight
            return
        if winner is None or isinstance(flight.outcome, Linked):
            return
        assert winner.ended is not None
        kept = winner.last.over or 0
        untouched = self.changed.get(begun.account, 0) <= kept
        remembered = begun.started_at + world.settings.state_lifetime + REMEMBERED
        # Who waits for longer than a lease gives up.
        in_time = flight.began > winner.ended or (
            max(flight.times) - winner.last.claimed_at < LEASE - timedelta(seconds=20)
            and flight.sleeps < 1000
        )
        if untouched and in_time and max(flight.times) < remembered:
            self.violated("P11", f"the same callback again comes to {flight.outcome}")

    def p13_challenges(self, begun: Begun) -> None:
        if (begun.challenge is not None) != self.world.settings.pkce:
            self.violated("P13", "a challenge is missing, or nobody wanted one")
        others = [one for one in self.world.begun if one is not begun]
        if begun.challenge is not None and begun.challenge in {one.challenge for one in others}:
            self.violated("P13", "a challenge comes twice")
        if begun.state in {one.state for one in others}:
            self.violated("P3", "a state comes twice")

    def p13_verifiers(self, one: Presentation) -> None:
        verifier = one.fields.get("code_verifier")
        begun = one.flight.begun
        if begun is None:
            return
        if verifier is None:
            if begun.challenge is not None:
                self.violated("P13", "a code is exchanged without its verifier")
            return
        digest = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        if digest.rstrip(b"=").decode() != begun.challenge:
            self.violated("P13", "the verifier is not that of the state's challenge")
        if self.verifiers.setdefault(verifier, begun.state) != begun.state:
            self.violated("P13", "a verifier is used for two states")
        if any(verifier in url for url in self.urls):
            self.violated("P13", "a verifier stands in a URL")

    # ---- expiry ----

    def p14_no_expired_token(self, entry: Entry) -> None:
        """In the words of the driver's monitor; after a jump of the client's clock by so much."""
        world = self.world
        record = Happenings(
            entries=[entry], deliveries=(), issued={}, codes={}, clocks_together=world.steady
        )
        for finding in no_expired_token_is_used(record):
            late = timedelta(seconds=int(entry.facts.get("expired_seconds", "0")))
            # Set back since it was issued: so much later it thinks that the token expires.
            tolerated = max(world.skews) - world.skew
            if finding.verdict is Verdict.VIOLATED or late > tolerated:
                self.violated("P14", f"a token was used {late} after its expiry")

    def p15_expiry(self, flight: Flight, old: Link | None, new: Link) -> None:
        """Stored is the moment of the answer plus its expires_in, at most some steps early."""
        world = self.world
        if new.access_token is None or (old and old.access_token == new.access_token):
            return
        one = world.granting.get(world.labels.get(new.access_token, ""))
        if one is None or one.flight.worker.number != flight.worker.number:
            return
        lifetime = world.lifetime_told(one)
        times = [*one.flight.times, *flight.times, world.now()]
        # Links begin at a whole millisecond, as notifications do.
        first, last = min(times) - timedelta(milliseconds=1), max(times)
        if not first <= new.expires_at - lifetime <= last:
            self.violated("P15", f"{new.expires_at} is kept for a token that lives {lifetime}")

    # ---- using ----

    def p19_no_other_token(self, token: str, entry: Entry) -> None:
        if "platform_token" in entry.facts or self.world.family(token) is None:
            self.violated("P19", "the API is called with a token that is nobody's of ours")

    def p19_failures_are_clean(self, flight: Flight) -> None:
        expected = (LinkingError, StoreFailedError) if flight.store_failed else (LinkingError,)
        if flight.error is not None and not isinstance(flight.error, expected):
            self.violated("P19", f"{flight.kind} fails with {flight.error!r}")

    def p20_one_retry(self, flight: Flight) -> None:
        tokens = [token for token, _ in flight.used]
        if len(tokens) > 2 or len(set(tokens)) < len(tokens):
            self.violated("P20", "after a 401 the same token, or a third one, is tried")
        arrived = [
            (one.uses, self.world.family(one.secret))
            for one in flight.presented
            if one.arrived is not None
        ]
        # In longer the new token may have expired in its turn.
        at_once = max(flight.times) - min(flight.times) < timedelta(seconds=30)
        if len(set(arrived)) < len(arrived) and at_once and not flight.store_failed:
            self.violated("P20", "one call of the API renews again and again")

    def p20_then_success_or_lost(self, flight: Flight) -> None:
        """A token that a 401 asked for, and that gets a 401: no third one is asked for."""
        if len(flight.used) < 2 or flight.used[1][1].status != 401:
            return
        second = self.world.granting.get(self.world.labels.get(flight.used[1][0], ""))
        own = second is not None and second.flight is flight and second.uses == 1
        third = [one for one in flight.presented if one.uses == 2]
        # Its client takes an hour for long enough to try anew.
        if (
            second
            and own
            and third
            and third[0].claimed_at - second.claimed_at < timedelta(minutes=59)
        ):
            self.violated("P20", "after two 401s a third token is asked for")

    def p28_own_tokens(self, flight: Flight, token: str, entry: Entry) -> None:
        family = self.world.family(token)
        if family is None or not self.world.settings.pkce:
            return
        if family.begun.account != flight.account or family.begun.seller != family.seller:
            self.violated("P28", f"the API is called for {flight.account} with another's token")
        if entry.user_id is not None and entry.user_id != family.seller:
            self.violated("P28", "a token answers for another seller")

    # ---- renewing ----

    def p22_no_token_is_presented_twice(self, one: Presentation) -> None:
        """Never while it is under way elsewhere, nor after an answer that was heard in full."""
        world = self.world
        earlier = [
            other for other in world.presented.get(one.secret, []) if other.fate != "never sent"
        ]
        for other in earlier:
            if other.over is None:
                if one.claimed_at < other.claimed_at + LEASE - self._spread():
                    self.violated("P22", "a refresh token is presented by two at the same time")
            elif not (other.cut_short or other.in_vain):
                number = "P24" if other.told == "refused" else "P22"
                self.violated(number, f"a refresh token comes again after: {other.told}")

    def p23_the_newest_is_presented(self, one: Presentation) -> None:
        """What is presented is what was kept last of its family."""
        world = self.world
        family = world.family(one.secret)
        if family is None:
            return self.violated("P23", "a refresh token is presented that nobody issued")
        link = world.links.get(family.begun.account)
        if world.settings.pkce and (link is None or link.refresh_token != one.secret):
            self.violated("P23", "a refresh token is presented that is not the one kept")
        kept = [
            world.granting[label]
            for label in family.issued
            if label in world.granting and world.granting[label].kept
        ]
        if kept and not kept[-1].cut_short and world.labels[one.secret] not in family.issued[-2:]:
            # Lost answers lie between.
            newest = kept[-1].entry
            assert newest is not None
            if newest.facts.get("issued_refresh_token") != world.labels[one.secret]:
                self.violated("P23", "an older refresh token is presented than the one kept last")
        return None

    def p24_only_refusals_lose(self, flight: Flight, old: Link | None, new: Link) -> None:
        """Transient outcomes and refusals of the application never end a link.

        A linking that is refused for a seller that is taken puts back what its own link has
        replaced: what had been lost before is not lost by that.
        """
        if self._put_back(flight, old, new):
            return
        before = self.settled.get(new.account)
        if old is not None and flight.kind == "callback" and new.state_hash != old.state_hash:
            self.replaced[flight, new.state_hash] = old, before or old.status
        if new.status != "renewing":
            self.settled[new.account] = new.status
        if old is None or new.status != "needs_relink" or before == "needs_relink":
            return
        told = [one.told for one in flight.presented if one.secret == old.refresh_token]
        refused = [entry for _, entry in flight.used if entry.status == 401]
        expired = old.renew_at is None and self.world.now() >= old.expires_at
        if "refused" not in told and not refused and not expired:
            self.violated("P24", f"a link is given up after: {told or 'nothing'}")

    def _put_back(self, flight: Flight, old: Link | None, new: Link) -> bool:
        """Whether a refused linking puts back, as it was, what its own link has replaced."""
        known = None if old is None else self.replaced.get((flight, old.state_hash))
        if known is None:
            return False
        replaced, before = known
        if new != replace(replaced, generation=new.generation):
            return False
        self.settled[new.account] = before
        if new.status == "renewing":
            self.leased_again[new.account] = self.world.ticks
        return True

    def p24_refusals_lose(self, flight: Flight) -> None:
        """invalid_grant always ends one, unless another worker has taken over.

        Or unless what it had claimed was put back by a refused linking meanwhile: that is renewed
        once its lease is over, as after a crash.
        """
        for one in flight.presented:
            family = self.world.family(one.secret)
            if one.told != "refused" or family is None or one.cut_short:
                continue
            others = [
                other
                for other in self.world.presented[one.secret]
                if other is not one and (other.over is None or other.over >= one.asked)
            ]
            link = self.world.links.get(family.begun.account)
            if others or link is None or link.refresh_token != one.secret:
                continue
            if link.status == "renewing" and self.leased_again.get(link.account, 0) >= one.asked:
                continue
            if link.status != "needs_relink" or link.renew_at is not None:
                self.violated("P24", f"after invalid_grant the link is {link.status}")

    def p26_consumed_tokens(self, one: Presentation) -> None:
        """A consumed token comes at most once more, and once more for each answer not heard."""
        earlier = self.world.presented.get(one.secret, [])
        consumed = min((other.arrived or 0 for other in earlier if other.consumed), default=None)
        if consumed is None or self.world.sandbox.profile.refresh_reusable:
            return
        heard = [
            other
            for other in earlier
            if other.asked > consumed
            and not (other.cut_short or other.in_vain)
            and other.over is not None
            and other.over <= one.asked
        ]
        if heard:
            self.violated("P26", "a consumed refresh token is presented again and again")

    def p27_answers(self, old: Link | None, new: Link) -> None:
        if new.access_token in self.world.foreign:
            self.violated("P27", "the tokens of another seller are kept")
        if old is None or old.linked_at != new.linked_at or new.status == "unlinked":
            return
        if old.status == "unlinked":
            return
        if old.refresh_token is not None and new.refresh_token is None:
            self.violated("P27", "a refresh token is forgotten")
        if old.seller_id != new.seller_id:
            self.violated("P27", "a link changes its seller")

    # ---- ends ----

    def p29_ends(self, flight: Flight, old: Link | None, new: Link) -> None:
        world = self.world
        family = world.family(new.access_token) or world.family(new.refresh_token)
        if family in self.gone and new.status != "unlinked":
            self.violated("P29", "a link that was ended comes back")
        if new.status != "unlinked" or old is None or old.status == "unlinked":
            return
        ended = world.family(old.access_token) or world.family(old.refresh_token)
        if flight.kind == "notified" and flight.event is not None:
            if not flight.genuine:
                self.violated("P29", "a forged event ends a link")
            if ended and flight.event.created_at + self._apart() < ended.exchanged_at:
                self.violated("P29", "an event that is older than the link ends it")
            if flight.event.seller != old.seller_id:
                self.violated("P29", "an event ends the link of another seller")
        elif flight.kind not in {"unlink", "callback"}:
            self.violated("P29", f"{flight.kind} unlinks")
        if ended is not None:
            self.gone[ended] = world.ticks

    def p29_no_token_of_an_ended_link(self, token: str) -> None:
        if self.world.family(token) in self.gone:
            self.violated("P29", "a token is used although its link was ended")

    def p29_nothing_is_renewed_after_the_end(self, one: Presentation) -> None:
        if self.world.family(one.secret) in self.gone:
            self.violated("P29", "a link is renewed although it was ended")

    def p29_unlinking_ends(self, flight: Flight) -> None:
        link = self.world.links.get(flight.account or "")
        for met in flight.met:
            if link is not None and link.linked_at == met.linked_at and link.status != "unlinked":
                self.violated("P29", "an account was unlinked, and its link is there")

    def p29_events(self, flight: Flight) -> None:
        """A genuine event that is newer than the link has ended it."""
        event = flight.event
        if event is None or flight.error is not None:
            return
        if not flight.genuine:
            self.violated("P29", "a forged event is accepted")
        for met in flight.met:
            family = self.world.family(met.access_token) or self.world.family(met.refresh_token)
            link = self.world.links.get(met.account)
            if family is None or link is None or link.linked_at != met.linked_at:
                continue
            newer = family.exchanged_at + self._apart() < event.created_at
            if newer and link.status != "unlinked":
                self.violated("P29", "an event that is newer than the link changes nothing")

    def _leases_were_lost(self, one: Presentation) -> bool:
        """Whether a worker has stalled for a whole lease: what it hears then may undo anything.

        One that could not send a request, and stalls, goes on with it.
        """
        lease = LEASE - self._spread()
        earlier = self.world.presented.get(one.secret, [])
        return (one.again and self.world.now() >= one.claimed_at + lease) or any(
            other.held >= lease for other in earlier
        )

    def _spread(self) -> timedelta:
        """How far the client's clock has jumped at most."""
        return max(self.world.skews) - min(self.world.skews)

    def _apart(self) -> timedelta:
        """How far the two clocks have been apart at most."""
        return max(abs(skew) for skew in self.world.skews)

    # ---- at the end ----

    def p25_the_status_is_true(self, account: str) -> None:
        """Linked if and only if the API can be called, after whatever happened.

        A first call lets the client learn what happened behind its back. A link that is lost
        may use its last access token while that lives, but could not be renewed.
        """
        world = self.world
        for worker in range(len(world.workers)):
            world.run(world.use(account, worker=worker))
        status = world.status(account)
        flight = world.run(world.use(account))
        link = world.links.get(account)
        works = flight.outcome == 200 and flight.error is None
        if works != (status == "linked") and not (works and status == "needs_relink"):
            self.violated("P25", f"{account} is {status}, and a call gives {flight.outcome}")
        if not works and not isinstance(flight.error, SellerError):
            self.violated("P25", f"{account} fails with {flight.error!r}")
        if (status == "unlinked") != isinstance(flight.error, NotLinkedError):
            self.violated("P25", f"{account} is {status}, and fails with {flight.error!r}")
        if link is None or account in world.lied:
            return
        if status == "needs_relink" and link.refresh_token is not None:
            self.p25_nothing_is_given_up(link)
        if status == "linked":
            self.p22_one_survives(link)

    def p25_nothing_is_given_up(self, link: Link) -> None:
        facts = self.world.sandbox.explain(link.refresh_token or "").facts
        if facts.get("now") == "accepted":
            self.violated("P25", f"{link.account} is given up, and could be renewed")

    def p22_one_survives(self, link: Link) -> None:
        """The refresh token that is kept works, unless Mercado Pago has ended it."""
        world = self.world
        if link.renew_at is None:
            return
        world.wait_until(link.renew_at)
        flight = world.run(world.use(link.account))
        refused = [one for one in flight.presented if one.told == "refused"]
        for one in refused:
            cause = None if one.entry is None else one.entry.cause
            cut = any(other.cut_short for other in world.presented[one.secret])
            if cause is Cause.REFRESH_REPLACED and not cut:
                self.violated("P22", "the refresh token that is kept was replaced by another")
        if not refused and flight.outcome != 200:
            self.violated("P25", f"{link.account} was linked, and its renewal fails")

    def one_seller_for_one_account(self) -> None:
        """Unless that is allowed; a callback that was killed may leave two."""
        world = self.world
        cut = any(flight.faulted for flight in world.flights if flight.kind == "callback")
        if world.settings.if_taken == "allow" or cut:
            return
        links = [world.links.get(account) for account in "AB"]
        linked = [one.seller_id for one in links if one is not None and one.status == "linked"]
        if len(set(linked)) < len(linked):
            self.violated("P27", "two accounts are linked to one seller")
