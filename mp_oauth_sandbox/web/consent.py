"""GET /authorization and its pages: sign in as a test seller, approve or cancel.

The request waits on the server while the seller reads, and is judged again when the
answer comes. Nothing is ever sent to a redirect URI that is not registered.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import (
    Approve,
    Ask,
    Askable,
    AuthorizationRequest,
    CodeIssued,
    Deny,
    Refused,
)
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.refusals import RULES, explanation, remedy
from mp_oauth_sandbox.core.registration import InvalidInputError, NewSeller
from mp_oauth_sandbox.core.uris import caret
from mp_oauth_sandbox.engine import Engine
from mp_oauth_sandbox.journal import Entry
from mp_oauth_sandbox.web import wire
from mp_oauth_sandbox.web.answers import JournaledResponse
from mp_oauth_sandbox.web.pages import COOKIE, Pages, origin_of, same
from mp_oauth_sandbox.web.sessions import Pending, Session, Sessions
from mp_oauth_sandbox.web.texts import LANGUAGES, Language, areas_of_access, pick_language, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A seller as the sign-in page lists it."""

    user_id: int
    nickname: str
    country: str
    collaborator: bool


class ConsentPages:
    """The authorization endpoint."""

    def __init__(self, engine: Engine, pages: Pages) -> None:
        """Decide by this engine, render with these pages."""
        self._engine = engine
        self._pages = pages
        self._sessions = Sessions()

    def forget(self) -> None:
        """Sign everybody out (reset)."""
        self._sessions.forget()

    # ---- the endpoint ----

    async def authorization(self, request: Request) -> Response:
        """GET /authorization."""
        self._pages.check_host(request)
        session = self._session(request)
        user_id = session.user_id if session else None
        parsed = wire.parse_authorization(request.scope["query_string"])
        if isinstance(parsed, Refused):
            return self._error(request, parsed, None)
        asked = self._engine.serve(Ask(request=parsed, user_id=user_id))
        if not isinstance(asked, Askable):
            return self._refused(request, asked, parsed)
        consent = self._engine.consent
        if consent.mode == "deny":
            return self._deny(request, parsed, user_id)
        if user_id is None and consent.mode == "auto":
            user_id = consent.seller
        if user_id is not None and (consent.mode == "auto" or not asked.consent_needed):
            return self._approve(request, parsed, user_id)
        session = session or self._sessions.open()
        pending = self._sessions.wait(session, parsed, request.query_params.get("lang"))
        return self._page(request, session, pending, asked.application)

    async def show(self, request: Request) -> Response:
        """GET /authorization/consent: the page again, after a sign-in or in another language."""
        self._pages.check_host(request)
        session = self._session(request)
        pending = self._sessions.pending(request.query_params.get("request", ""), session)
        if session is None or pending is None:
            return self._expired(request)
        if language := request.query_params.get("lang"):
            pending = self._sessions.speak(pending, language)
        asked = self._engine.serve(Ask(request=pending.request, user_id=session.user_id))
        if not isinstance(asked, Askable):
            return self._refused(request, asked, pending.request)
        if session.user_id is not None and not asked.consent_needed:
            self._sessions.take(pending)
            return self._approve(request, pending.request, session.user_id)
        return self._page(request, session, pending, asked.application)

    async def sign_in(self, request: Request) -> Response:
        """POST /authorization/sign-in: as a listed seller, or by nickname."""
        form = await self._pages.form(request)
        session, pending = self._waiting(request, form)
        if session is None or pending is None:
            return self._expired(request)
        seller = self._seller(form, pending)
        if seller is None:
            asked = self._engine.serve(Ask(request=pending.request))
            if not isinstance(asked, Askable):
                return self._refused(request, asked, pending.request)
            return self._page(request, session, pending, asked.application, invalid=True)
        self._sessions.close(session)
        session = self._sessions.open(seller.user_id)
        pending = self._sessions.move(pending, session)
        return self._go_on(request, session, pending)

    async def sign_out(self, request: Request) -> Response:
        """POST /authorization/sign-out: choose another account for the same request."""
        form = await self._pages.form(request)
        session, pending = self._waiting(request, form)
        if session is None or pending is None:
            return self._expired(request)
        self._sessions.close(session)
        session = self._sessions.open()
        return self._go_on(request, session, self._sessions.move(pending, session))

    async def decide(self, request: Request) -> Response:
        """POST /authorization/consent: approve or cancel, once."""
        form = await self._pages.form(request)
        session, pending = self._waiting(request, form)
        decision = form.get("decision")
        if session is None or pending is None or session.user_id is None:
            return self._expired(request)
        if decision not in {"approve", "cancel"} or not self._sessions.take(pending):
            return self._expired(request)
        if decision == "approve":
            return self._approve(request, pending.request, session.user_id)
        return self._deny(request, pending.request, session.user_id)

    # ---- answers to the application ----

    def _approve(self, request: Request, asked: AuthorizationRequest, user_id: int) -> Response:
        issued = self._engine.serve(Approve(request=asked, user_id=user_id))
        if not isinstance(issued, CodeIssued):
            return self._refused(request, issued, asked)
        entry = self._engine.journal.record(
            kind="authorization",
            request=_request_line(request),
            status=self._engine.profile.redirect_status,
            outcome="code issued",
            client_id=issued.client_id,
            user_id=issued.user_id,
            facts=self._facts(asked) | {"code": self._engine.mint.label(issued.code)},
        )
        return self._redirect(wire.success_location(issued), entry)

    def _deny(self, request: Request, asked: AuthorizationRequest, user_id: int | None) -> Response:
        refused = self._engine.serve(Deny(request=asked, user_id=user_id))
        if not isinstance(refused, Refused) or refused.cause is not Cause.SELLER_DENIED:
            return self._refused(request, refused, asked)
        entry = self._record_refusal(
            request, refused, asked, status=self._engine.profile.redirect_status, user_id=user_id
        )
        return self._redirect(wire.denial_location(asked, self._engine.profile), entry)

    def _redirect(self, location: str, entry: Entry) -> Response:
        headers = {
            "location": location,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        status = self._engine.profile.redirect_status
        return JournaledResponse(b"", status=status, headers=headers, entry=entry)

    # ---- pages ----

    def _page(
        self,
        request: Request,
        session: Session,
        pending: Pending,
        application: Application,
        *,
        invalid: bool = False,
    ) -> Response:
        seller = None if session.user_id is None else self._engine.seller(session.user_id)
        language = _language(request, pending.language, seller)
        context: dict[str, object] = {
            "application_name": application.name,
            "request_id": pending.request_id,
            "csrf": session.csrf,
            "languages": [
                (
                    code,
                    f"/authorization/consent?request={pending.request_id}&lang={code}",
                    code == language,
                )
                for code in LANGUAGES
            ],
        }
        redirect_uri = pending.request.redirect_uri or ""
        if seller is None:
            template = "sign_in.html"
            context["sellers"] = [_listed(seller) for seller in self._engine.sellers()]
            context["error"] = texts(language).nickname_invalid if invalid else None
        else:
            template = "consent.html"
            context["seller"] = _listed(seller)
            context["areas"] = areas_of_access(application.scopes, language=language)
            context["redirect_origin"] = origin_of(redirect_uri)
        self._engine.journal.record(
            kind="authorization",
            request=_request_line(request),
            status=400 if invalid else 200,
            outcome="sign-in page shown" if seller is None else "consent page shown",
            client_id=application.client_id,
            user_id=session.user_id,
            facts=self._facts(pending.request),
        ).delivery = "delivered"
        response = self._pages.render(
            template,
            context,
            language=language,
            form_target=redirect_uri,
            status=400 if invalid else 200,
        )
        _set_cookie(response, session)
        return response

    def _refused(self, request: Request, refused: object, asked: AuthorizationRequest) -> Response:
        if not isinstance(refused, Refused):
            raise TypeError(f"no page for {type(refused).__name__}")
        unregistered = refused.cause is Cause.REDIRECT_URI_NOT_REGISTERED
        if unregistered and self._engine.profile.bad_authorization_request == "redirect":
            application = self._engine.application(asked.client_id or "")
            if application is not None:
                status = self._engine.profile.redirect_status
                entry = self._record_refusal(request, refused, asked, status=status)
                return self._redirect(wire.mismatch_location(application.redirect_uris[0]), entry)
        return self._error(request, refused, asked)

    def _error(
        self, request: Request, refused: Refused, asked: AuthorizationRequest | None
    ) -> Response:
        """The error page: Mercado Pago's sentence, HTTP 400, and set apart why (sandbox)."""
        entry = self._record_refusal(request, refused, asked, status=400)
        entry.delivery = "delivered"
        session = self._session(request)
        seller = None
        if session is not None and session.user_id is not None:
            seller = self._engine.seller(session.user_id)
        language = _language(request, request.query_params.get("lang"), seller)
        operator = refused.cause is Cause.OPERATOR_ACCOUNT
        sentences = texts(language)
        context = {
            "message": sentences.collaborator_account
            if operator
            else sentences.application_cannot_connect,
            "error_code": "invalid_operator_user_id" if operator else None,
            "why": explanation(refused).partition("\n")[0],
            "remedy": remedy(refused),
            "journal_url": f"/#entry-{entry.seq}",
            **_comparison(refused),
        }
        return self._pages.render("error.html", context, language=language, status=400)

    def _expired(self, request: Request) -> Response:
        """A form or page whose request was answered, reset, or begun in another browser."""
        language = _language(request, request.query_params.get("lang"), None)
        context = {
            "message": texts(language).request_unknown,
            "error_code": None,
            "why": None,
            "remedy": None,
            "journal_url": None,
            "side_by_side": None,
            "marker": None,
        }
        return self._pages.render("error.html", context, language=language, status=400)

    def _go_on(self, request: Request, session: Session, pending: Pending) -> Response:
        location = f"/authorization/consent?request={pending.request_id}"
        response = Response(status_code=303, headers={"location": location})
        response.headers["cache-control"] = "no-store"
        _set_cookie(response, session)
        return response

    # ---- small questions ----

    def _session(self, request: Request) -> Session | None:
        return self._sessions.find(request.cookies.get(COOKIE))

    def _waiting(
        self, request: Request, form: dict[str, str]
    ) -> tuple[Session | None, Pending | None]:
        session = self._session(request)
        if session is None or not same(form.get("csrf", ""), session.csrf):
            return None, None
        return session, self._sessions.pending(form.get("request", ""), session)

    def _seller(self, form: dict[str, str], pending: Pending) -> Seller | None:
        """Who signs in. A nickname that nobody has makes a new test seller."""
        number = form.get("user_id", "")
        if number.isascii() and number.isdigit() and len(number) < 20:
            return self._engine.seller(int(number))
        nickname = form.get("nickname", "").strip()
        known = self._engine.seller_named(nickname) if nickname else None
        if known is not None:
            return known
        country = "BR" if pending.language == "pt" else "AR"
        try:
            return self._engine.create_seller(NewSeller(country=country, nickname=nickname))
        except InvalidInputError:
            return None

    def _facts(self, asked: AuthorizationRequest) -> dict[str, str]:
        facts: dict[str, str] = {}
        if asked.redirect_uri is not None:
            facts["redirect_uri"] = asked.redirect_uri[:2048]
        if asked.state is not None:
            facts["state"] = self._engine.mint.label(asked.state)
        if asked.code_challenge is not None:
            facts["code_challenge_method"] = (asked.code_challenge_method or "(none)")[:20]
        return facts

    def _record_refusal(
        self,
        request: Request,
        refused: Refused,
        asked: AuthorizationRequest | None,
        *,
        status: int,
        user_id: int | None = None,
    ) -> Entry:
        denied = refused.cause is Cause.SELLER_DENIED
        return self._engine.journal.record(
            kind="authorization",
            request=_request_line(request),
            status=status,
            outcome="denied by the seller" if denied else "refused",
            refused=refused,
            error=RULES[refused.cause].error if denied else "error_page",
            client_id=(asked.client_id or "")[:40] or None if asked else None,
            user_id=user_id,
            facts=self._facts(asked) if asked else {},
        )


def _request_line(request: Request) -> str:
    return f"{request.method} {request.url.path}"


def _listed(seller: Seller) -> _Listed:
    return _Listed(
        user_id=seller.user_id,
        nickname=seller.nickname,
        country=seller.country,
        collaborator=seller.collaborator_of is not None,
    )


def _language(request: Request, chosen: str | None, seller: Seller | None) -> Language:
    return pick_language(
        chosen,
        accept_language=request.headers.get("accept-language"),
        country=seller.country if seller else None,
    )


def _comparison(refused: Refused) -> dict[str, object]:
    """The two redirect URIs and a caret, where that is what went wrong."""
    sent, registered = refused.facts.get("sent"), refused.facts.get("nearest")
    if sent is None or registered is None:
        return {"side_by_side": None, "marker": None}
    rows = [("sent", sent), ("registered", registered)]
    return {"side_by_side": rows, "marker": caret(sent, registered)}


def _set_cookie(response: Response, session: Session) -> None:
    response.set_cookie(COOKIE, session.session_id, httponly=True, samesite="lax", path="/")
