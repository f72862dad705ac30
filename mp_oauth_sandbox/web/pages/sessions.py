"""Browser sessions and the authorization requests that wait for a seller's answer."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.types import Scope

from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.messages import AuthorizationRequest

#: Our own cookie's name says so: cookies ignore ports, so an integration on the same host
#: sees it too.
COOKIE = "__mp_sandbox"

#: Longest unused first out; far more than people have browsers.
_KEPT = 2_000


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser: who is signed in, and the token its forms must carry.

    `consent` is how the person there answers, where a test has said so.
    """

    session_id: str = field(repr=False)
    csrf: str = field(repr=False)
    user_id: int | None = None
    consent: Consent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An authorization request on its way through sign-in and consent."""

    request_id: str
    session_id: str = field(repr=False)
    request: AuthorizationRequest
    language: str | None


def cookie_name(scope: Scope) -> str:
    """Our cookie's name; it holds the port, because cookies of one host ignore ports."""
    server = scope.get("server")
    return f"{COOKIE}_{server[1] if server else 0}"


class Sessions:
    """Both kinds, bounded, in memory."""

    def __init__(self) -> None:
        """Start with nobody signed in."""
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._pending: OrderedDict[str, Pending] = OrderedDict()

    def of(self, request: Request) -> Session | None:
        """The session of the browser that asks, if we know it."""
        # Most applications' own requests have no cookie, and most sandboxes no session.
        if not self._sessions:
            return None
        return self.find(request.cookies.get(cookie_name(request.scope)))

    def find(self, session_id: str | None) -> Session | None:
        """The session of that cookie, if we know it; it counts as used just now."""
        with self._lock:
            session = self._sessions.get(session_id or "")
            if session is not None:
                self._sessions.move_to_end(session.session_id)
            return session

    def open(self, user_id: int | None = None, *, csrf: str | None = None) -> Session:
        """A new session; a sign-in gets one too, so that none can be fixed beforehand."""
        session = Session(
            session_id=secrets.token_urlsafe(24),
            csrf=csrf or secrets.token_urlsafe(24),
            user_id=user_id,
        )
        with self._lock:
            self._sessions[session.session_id] = session
            while len(self._sessions) > _KEPT:
                self._sessions.popitem(last=False)
        return session

    def with_consent(self) -> int:
        """How many browsers have a consent of their own that asks nobody."""
        with self._lock:
            return sum(
                one.consent is not None and one.consent.mode != "page"
                for one in self._sessions.values()
            )

    def wait(
        self, session: Session, request: AuthorizationRequest, language: str | None
    ) -> Pending:
        """Keep a request until the seller answers."""
        pending = Pending(
            request_id=secrets.token_urlsafe(16),
            session_id=session.session_id,
            request=request,
            language=language,
        )
        with self._lock:
            self._pending[pending.request_id] = pending
            while len(self._pending) > _KEPT:
                self._pending.popitem(last=False)
        return pending

    def pending(self, request_id: str, session: Session | None) -> Pending | None:
        """The waiting request of that session."""
        with self._lock:
            found = self._pending.get(request_id)
        if found is None or session is None or found.session_id != session.session_id:
            return None
        return found

    def take(self, pending: Pending) -> bool:
        """Answer a request: True for the first answer only."""
        with self._lock:
            return self._pending.pop(pending.request_id, None) is not None

    def give_back(self, pending: Pending) -> None:
        """Let a request wait again: its answer could not be taken."""
        with self._lock:
            self._pending[pending.request_id] = pending

    def renew(self, old: Session, user_id: int | None) -> Session:
        """A new session for the same browser, after a sign-in or sign-out.

        Its waiting requests come along, those of other tabs too, and so does the token that
        their forms carry.
        """
        session = self.open(user_id, csrf=old.csrf)
        session.consent = old.consent
        with self._lock:
            self._sessions.pop(old.session_id, None)
            for request_id, pending in self._pending.items():
                if pending.session_id == old.session_id:
                    self._pending[request_id] = replace(pending, session_id=session.session_id)
        return session

    def speak(self, pending: Pending, language: str) -> Pending:
        """Remember the language that the seller has chosen for this request."""
        spoken = replace(pending, language=language)
        with self._lock:
            if pending.request_id in self._pending:
                self._pending[pending.request_id] = spoken
        return spoken

    def close(self, session: Session) -> None:
        """Sign out."""
        with self._lock:
            self._sessions.pop(session.session_id, None)

    def forget(self) -> None:
        """Sign everybody out and drop every waiting request."""
        with self._lock:
            self._sessions.clear()
            self._pending.clear()
