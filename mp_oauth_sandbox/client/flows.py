"""Linking: from the button to the tokens, and what a notification ends."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlencode

from . import errors
from .notifications import Notification, verified
from .records import Link, Linked, NotLinked, Outcome, Pending, Reason
from .steps import Flow, Sleep
from .tokens import Tokens, code_request, read_tokens
from .vault import LEASE, Vault, unlinked, with_tokens

_KEPT: Final = {"linked", "renewing"}
#: What front ends send where there is no code.
_NO_CODE: Final = frozenset({"", "undefined", "null", "None"})
#: A spent state is remembered so long after its expiry, to say of a late callback what it is.
_REMEMBERED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where to send the browser, and what to keep in its session until it comes back."""

    url: str = field(repr=False)
    binding: str = field(repr=False)


class Flows(Vault):
    """Every flow there is."""

    def start(
        self,
        account: str,
        *,
        binding: str | None = None,
        country: str | None = None,
        scopes: Iterable[str] = (),
    ) -> Flow[Start]:
        """Begin linking the account that is logged in. Raises MisuseError.

        Args:
            account: Yours, by an id that never changes.
            binding: What an earlier start in this browser session returned, so that several
                may be under way in it; None for a new one. It must not outlive the login.
            country: The seller's (ISO 3166), for that country's pages.
            scopes: Sent only if given; Mercado Pago documents none.
        """
        if binding is not None and len(binding) < 16:
            raise errors.MisuseError("binding: must be random, as an earlier Start.binding is")
        binding = binding or secrets.token_urlsafe(32)
        state = secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48) if self.settings.pkce else None
        owner, until = _owner(account, binding), self.now() + self.settings.state_lifetime
        begun = Pending(state_hash=_hash(state), owner=owner, expires_at=until, verifier=verifier)
        yield from self._ask(self.pending.purge, self.now() - _REMEMBERED)
        if not (yield from self._ask(self.pending.replace, begun, expected=0)):
            raise errors.MisuseError("pending: its replace must say that it kept a new record")
        query = {"client_id": self.settings.client_id, "response_type": "code"}
        query |= {"platform_id": "mp", "redirect_uri": self.settings.redirect_uri, "state": state}
        if verifier is not None:
            s256 = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            query |= {"code_challenge": s256, "code_challenge_method": "S256"}
        if asked := scopes if isinstance(scopes, str) else " ".join(scopes):
            query["scope"] = asked
        url = f"{self.settings.authorization_endpoint(country)}?{urlencode(query)}"
        return Start(url=url, binding=binding)

    def callback(self, query: str | bytes, *, account: str, binding: str | None) -> Flow[Outcome]:
        """What a callback came to; the same one again gets the first one's outcome.

        Args:
            query: The raw query string of the request.
            account: The one that is logged in now.
            binding: What `start` returned, from this browser's session; None if it has none.
        """
        given = _parameters(query)
        error, code = given.get("error"), given.get("code", "")
        fingerprint = _hash(f"code {code}" if error is None else f"error {error}")
        waited = 0.0
        while True:
            pending = yield from self._ask(self.pending.get, _hash(given.get("state", "")))
            now = self.now()
            if pending is None:
                return NotLinked(reason=Reason.STATE_UNKNOWN)
            if not hmac.compare_digest(pending.owner, _owner(account, binding or "")):
                return NotLinked(reason=Reason.OTHER_SESSION)
            if pending.callback not in {None, fingerprint}:
                return NotLinked(reason=Reason.STATE_SPENT)
            if pending.callback and (known := (yield from self._known_outcome(pending, account))):
                return known
            if pending.leased_until is not None:
                if now >= pending.leased_until or waited > LEASE.total_seconds():
                    return NotLinked(reason=Reason.COMMIT_UNKNOWN)
                yield Sleep(0.05)
                waited += 0.05
                continue
            if now >= pending.expires_at:
                return NotLinked(reason=Reason.STATE_EXPIRED)
            if error is None and code in _NO_CODE:
                return NotLinked(reason=Reason.CODE_MISSING)
            spent = _next(pending, callback=fingerprint, leased_until=now + LEASE)
            if (yield from self._ask(self.pending.replace, spent, expected=pending.generation)):
                break
        refusal = Reason.DENIED if error == "access_denied" else Reason.PROVIDER_ERROR
        outcome: Outcome = NotLinked(reason=refusal)
        if error is None:
            outcome = yield from self._exchange(account, code, pending, now)
        ended = _next(spent, ended=str(outcome.reason))
        with suppress(errors.NotSavedError):  # What it came to stands all the same.
            yield from self._patiently(self.pending.replace, ended, expected=spent.generation)
        self._tell("callback", None, account=account, outcome=str(outcome.reason))
        return outcome

    def notified(
        self, query: str | bytes, headers: Mapping[str, str], body: bytes
    ) -> Flow[Notification]:
        """Verify a notification, and unlink whom it says to have unlinked.

        One that is older than the link, or comes again, changes nothing. Raises NotificationError.
        """
        told = verified(query, headers, body, settings=self.settings, now=self.now())
        unlinks = (told.type, told.action) == ("mp-connect", "application.deauthorized")
        if unlinks and told.seller_id is not None and told.created_at is not None:
            for link in (yield from self._ask(self.links.of_seller, told.seller_id)):
                if link.linked_at <= told.created_at:
                    yield from self._end(link, reason="deauthorized")
        return told

    def _known_outcome(self, pending: Pending, account: str) -> Flow[Outcome | None]:
        """How the callback that spent the state ended, if that is still true; None if not yet."""
        if pending.ended is not None and pending.ended != "linked":
            return NotLinked(reason=Reason(pending.ended))
        link = yield from self._ask(self.links.get, account)
        if link is not None and link.state_hash == pending.state_hash and link.status in _KEPT:
            return Linked(link=link)
        return None if pending.ended is None else NotLinked(reason=Reason.STATE_SPENT)

    def _exchange(self, account: str, code: str, pending: Pending, now: datetime) -> Flow[Outcome]:
        asked = code_request(self.settings, code=code, verifier=pending.verifier)
        answer = yield from self._send(asked)
        try:
            tokens = read_tokens(answer)
            if tokens.seller_id is None:
                raise errors.AnswerError("/oauth/token: user_id is missing")
            # To the millisecond, as notifications are dated.
            at = now.replace(microsecond=now.microsecond // 1000 * 1000)
            bare = Link(account=account, generation=0, seller_id=tokens.seller_id, linked_at=at)
            return (yield from self._link(replace(bare, state_hash=pending.state_hash), tokens))
        except errors.LinkingError as error:
            self._warn("exchange_failed", None, account=account, problem=str(error))
            committed = isinstance(error, errors.UnavailableError) and error.sent
            return NotLinked(reason=Reason.COMMIT_UNKNOWN if committed else Reason(error.advice))

    def _link(self, bare: Link, tokens: Tokens) -> Flow[Outcome]:
        """Keep a new link. Of two accounts that link one seller at once, at most one keeps it."""
        account, at, policy = bare.account, bare.linked_at, self.settings.if_taken
        had = yield from self._others(bare)
        if policy == "refuse" and had:
            return NotLinked(reason=Reason.SELLER_TAKEN)
        # Of two links the later one stays: later than those found, whatever their clocks say.
        since = max([at, *(one.linked_at + timedelta(milliseconds=1) for one in had)])
        # Before it is linked here: if this process dies between the two, it is linked nowhere.
        for one in had:
            yield from self._end(one, reason="moved")
        old = None
        while True:
            current = yield from self._patiently(self.links.get, account)
            if current is not None and current.state_hash == bare.state_hash:
                link = current  # The store kept it, and failed all the same.
                break
            old, expected = current, current.generation if current else 0
            link = replace(bare, generation=expected, linked_at=since)
            link = with_tokens(link, tokens, self.settings, at=at)
            if (yield from self._patiently(self.links.replace, link, expected=expected)):
                break
        others = yield from self._others(link)
        later = any((one.linked_at, one.account) > (since, account) for one in others)
        if others and (policy == "refuse" or later):
            # Two accounts at the same time. Whoever is refused can try again.
            before = unlinked(link, reason="seller_taken")
            if old is not None and (policy == "refuse" or old.seller_id != link.seller_id):
                before = replace(old, generation=before.generation)
            yield from self._ask(self.links.replace, before, expected=link.generation)
            return NotLinked(reason=Reason.SELLER_TAKEN)
        for one in others:
            yield from self._end(one, reason="moved")
        self._tell("linked", link, renewable=link.renew_at is not None)
        previous = old.seller_id if old and old.status != "unlinked" else link.seller_id
        return Linked(
            link=link, previous_seller_id=None if previous == link.seller_id else previous
        )

    def _others(self, link: Link) -> Flow[list[Link]]:
        """Links of other accounts that must not stay beside this one."""
        found: Sequence[Link] = ()
        if self.settings.if_taken != "allow":
            found = yield from self._patiently(self.links.of_seller, link.seller_id)
        return [one for one in found if one.account != link.account and one.status in _KEPT]


def _parameters(query: str | bytes) -> dict[str, str]:
    """The query's parameters; nothing if it is too long, or if one of ours comes twice."""
    text = (query.decode("latin-1") if isinstance(query, bytes) else query).removeprefix("?")
    pairs = parse_qsl(text, keep_blank_values=True) if len(text) <= 8192 else []
    ours = [(name, value) for name, value in pairs if name in {"code", "error", "state"}]
    return dict(ours) if len(dict(ours)) == len(ours) else {}


def _next(pending: Pending, **values: object) -> Pending:
    # The values are fields of Pending, which no type can say.
    return replace(pending, generation=pending.generation + 1, verifier=None, **values)  # type: ignore[arg-type]


def _owner(account: str, binding: str) -> str:
    # Callers without a type checker hand numbers in, which stores and JSON turn into text or not.
    if not isinstance(account, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise errors.MisuseError("account: must be a text, such as str(user.id)")
    return _hash(f"{len(account)} {account} {binding}")


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
