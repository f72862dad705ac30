"""GET /authorization and what the seller answers: sign in, approve or cancel.

The request waits on the server while the seller reads, and is judged again when the
answer comes. Nothing is ever sent to a redirect URI that is not registered.
"""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox import wire
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.consent import Answerer, Denier
from mp_oauth_sandbox.core.messages import (
    Approve,
    Ask,
    AuthorizationRequest,
    CodeIssued,
    Deny,
    Refused,
)
from mp_oauth_sandbox.core.paths import CONSENT
from mp_oauth_sandbox.core.records import Seller
from mp_oauth_sandbox.core.registration import InvalidInputError, NewSeller
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.faults import Answer, Reply
from mp_oauth_sandbox.web.api.answering import UNDECIDED, UNDECIDED_SAID
from mp_oauth_sandbox.web.delivery import PLAIN, JournaledResponse
from mp_oauth_sandbox.web.pages.consent import (
    Dead,
    SellerPages,
    set_cookie,
)
from mp_oauth_sandbox.web.pages.rendering import AnsweredError, Pages, same
from mp_oauth_sandbox.web.pages.sessions import Pending, Session, Sessions
from mp_oauth_sandbox.web.pages.texts import Language


class _Context(NamedTuple):
    """One HTTP request, and which authorization request it is about."""

    http: Request
    session: Session | None
    asked: AuthorizationRequest
    pending: Pending | None = None

    @property
    def line(self) -> str:
        """Method and path, as faults know them."""
        return f"{self.http.method} {self.http.scope['path']}"


class ConsentPages:
    """The authorization endpoint."""

    def __init__(self, engine: Engine, pages: Pages, sessions: Sessions) -> None:
        """Decide by this engine, render with these pages, for these browsers."""
        self._engine = engine
        self._panel = Panel(engine)
        self._pages = pages
        self._shown = SellerPages(engine, pages)
        self._sessions = sessions

    # ---- the endpoint ----

    async def authorization(self, request: Request) -> Response:
        """GET /authorization."""
        self._pages.check_host(request)
        if request.method == "HEAD":
            # Link scanners ask so; a code is only for a browser that means it.
            return Response(headers={"cache-control": "no-store"})
        session = self._sessions.of(request)
        parsed = wire.parse_authorization(request.scope["query_string"])
        if isinstance(parsed, Refused):
            return self._shown.refusal(request, parsed, session=session)
        context = _Context(request, session, parsed)
        own = session.consent if session else None
        consent = own or self._engine.consent
        by: Denier = "consent_mode" if own is None else "browser_session"
        user_id = session.user_id if session else None
        if consent.mode == "deny":
            return await self._deny(context, user_id, by)
        if consent.mode == "auto" and (own is not None or user_id is None):
            # A browser's own answer says who the person there is, whoever is signed in.
            user_id = consent.seller
        if consent.mode == "auto" and user_id is not None:
            return await self._approve(context, user_id, by)
        asked = self._engine.ask(Ask(request=parsed, user_id=user_id))
        if isinstance(asked, Refused):
            return self._refuse(context, asked)
        if user_id is not None and not asked.consent_needed:
            return await self._approve(context, user_id, "earlier_consent")
        session = session or self._sessions.open()
        pending = self._sessions.wait(session, parsed, request.query_params.get("lang"))
        return self._shown.question(request, session, pending, asked.application)

    async def show(self, request: Request) -> Response:
        """GET /authorization/consent: the page again, after a sign-in or in another language."""
        self._pages.check_host(request)
        session = self._sessions.of(request)
        pending = self._sessions.pending(request.query_params.get("request", ""), session)
        if session is None or pending is None:
            raise self._dead(request, "request_unknown", session)
        if language := request.query_params.get("lang"):
            pending = self._sessions.speak(pending, language)
        return await self._ask_again(request, session, pending)

    async def sign_in(self, request: Request) -> Response:
        """POST /authorization/sign-in: as a listed seller, or by nickname."""
        form, session, pending = await self._form(request)
        seller = self._seller(form, self._shown.language(request, pending))
        if seller is None:
            return await self._ask_again(request, session, pending, invalid=True)
        return self._go_on(request, session, pending, seller.user_id)

    async def sign_out(self, request: Request) -> Response:
        """POST /authorization/sign-out: choose another account for the same request."""
        _, session, pending = await self._form(request)
        return self._go_on(request, session, pending, None)

    async def decide(self, request: Request) -> Response:
        """POST /authorization/consent: approve or cancel, once."""
        form, session, pending = await self._form(request)
        decision = form.get("decision")
        if session.user_id is None:
            raise self._dead(request, "sign_in_needed", session, pending)
        if decision not in {"approve", "cancel"}:
            raise self._dead(request, "form_expired", session, pending)
        if not self._sessions.take(pending):
            raise self._dead(request, "request_unknown", session, pending)
        context = _Context(request, session, pending.request, pending)
        if decision == "approve":
            return await self._approve(context, session.user_id, "person")
        return await self._deny(context, session.user_id, "person")

    # ---- answers to the application ----

    async def _approve(self, context: _Context, user_id: int, by: Answerer) -> Response:
        message = Approve(request=context.asked, user_id=user_id)
        reply = await self._engine.authorization(message, request=context.line)
        issued = reply.outcome
        if not isinstance(issued, CodeIssued):
            return self._refuse(context, issued, reply)
        back = wire.success(issued)
        return self._redirect(context, back, reply, "code issued", code=issued.code, by=by)

    async def _deny(self, context: _Context, user_id: int | None, by: Denier) -> Response:
        message = Deny(request=context.asked, user_id=user_id, by=by)
        reply = await self._engine.authorization(message, request=context.line)
        # Nobody who says no is given anything.
        refused = None if isinstance(reply.outcome, CodeIssued) else reply.outcome
        return self._refuse(context, refused, reply)

    def _refuse(
        self, context: _Context, refused: Refused | None, reply: Reply[CodeIssued] = PLAIN
    ) -> Response:
        if refused is None:
            return self._undecided(context, reply)
        profile = self._engine.profile
        if refused.cause is Cause.SELLER_DENIED:
            back, said = wire.denial(context.asked, profile), "denied by the seller"
            return self._redirect(context, back, reply, said, refused=refused)
        unregistered = refused.cause is Cause.REDIRECT_URI_NOT_REGISTERED
        if unregistered and profile.bad_authorization_request == "redirect":
            application = self._panel.application(context.asked.client_id or "")
            if application is not None:
                back = wire.mismatch(application.redirect_uris[0])
                return self._redirect(context, back, reply, "refused", refused=refused)
        if refused.cause is Cause.NOT_SAVED and context.pending is not None:
            self._sessions.give_back(context.pending)
        if refused.cause is Cause.OPERATOR_ACCOUNT and context.session is not None:
            # Else the browser would stay with an account that no page lets it leave.
            self._sessions.close(context.session)
        return self._shown.refusal(
            context.http,
            refused,
            session=context.session,
            pending=context.pending,
            asked=context.asked,
            reply=reply,
        )

    def _undecided(self, context: _Context, reply: Reply[CodeIssued]) -> Response:
        """No answer at all: a fault hung up before anything was decided."""
        reply, _ = reply.settled(UNDECIDED)
        entry = self._shown.record(
            context.http, context.asked, reply.whose, status=0, outcome=UNDECIDED_SAID, reply=reply
        )
        journal = self._engine.journal
        return JournaledResponse(UNDECIDED, journal=journal, entry=entry, reply=reply)

    def _redirect(
        self,
        context: _Context,
        back: wire.Redirected,
        reply: Reply[CodeIssued],
        outcome: str,
        *,
        code: str | None = None,
        by: Answerer | None = None,
        refused: Refused | None = None,
    ) -> Response:
        """Back to the application, with a code or with an error."""
        headers = {
            "location": back.location,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        answer = Answer(self._engine.profile.redirect_status, b"", headers)
        if reply.meetings:
            reply, answer = reply.settled(answer)
        entry = self._shown.record(
            context.http,
            context.asked,
            reply.whose,
            status=answer.status,
            outcome=outcome,
            code=code,
            by=by,
            refused=refused,
            error=back.error,
            reply=reply,
        )
        journal = self._engine.journal
        return JournaledResponse(answer, journal=journal, entry=entry, reply=reply)

    # ---- the waiting request ----

    async def _ask_again(
        self, request: Request, session: Session, pending: Pending, *, invalid: bool = False
    ) -> Response:
        """The page for a waiting request, judged anew."""
        context = _Context(request, session, pending.request, pending)
        asked = self._engine.ask(Ask(request=pending.request, user_id=session.user_id))
        if isinstance(asked, Refused):
            return self._refuse(context, asked)
        if session.user_id is not None and not asked.consent_needed:
            if not self._sessions.take(pending):
                raise self._dead(request, "request_unknown", session, pending)
            return await self._approve(context, session.user_id, "earlier_consent")
        return self._shown.question(request, session, pending, asked.application, invalid=invalid)

    async def _form(self, request: Request) -> tuple[dict[str, str], Session, Pending]:
        """A form of ours with its session and the request it answers. Raises if it is too old."""
        form = await self._pages.form(request)
        session = self._sessions.of(request)
        if session is None or not same(form.get("csrf", ""), session.csrf):
            raise self._dead(request, "form_expired", session)
        pending = self._sessions.pending(form.get("request", ""), session)
        if pending is None:
            raise self._dead(request, "request_unknown", session)
        return form, session, pending

    def _dead(
        self, request: Request, why: Dead, session: Session | None, pending: Pending | None = None
    ) -> AnsweredError:
        return AnsweredError(self._shown.dead(request, why, session=session, pending=pending))

    def _go_on(
        self, request: Request, old: Session, pending: Pending, user_id: int | None
    ) -> Response:
        """On to the page of the same request, in a new session of the same browser."""
        session = self._sessions.renew(old, user_id)
        location = f"{CONSENT}?request={pending.request_id}"
        headers = {"location": location, "cache-control": "no-store"}
        response = Response(status_code=303, headers=headers)
        set_cookie(request, response, session)
        return response

    def _seller(self, form: dict[str, str], language: Language) -> Seller | None:
        """Who signs in. A nickname that nobody has makes a new test seller."""
        number = form.get("user_id", "")
        if number.isascii() and number.isdigit() and len(number) < 20:
            return self._panel.seller(int(number))
        nickname = form.get("nickname", "").strip()
        known = self._panel.seller_named(nickname) if nickname else None
        if known is not None:
            return known
        country = "BR" if language == "pt" else "AR"
        try:
            return self._panel.create_seller(NewSeller(country=country, nickname=nickname))
        except InvalidInputError:
            return None
