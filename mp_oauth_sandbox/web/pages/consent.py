"""What the seller sees of an authorization request: sign-in, consent and error pages."""

from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.consent import Answerer
from mp_oauth_sandbox.core.messages import AuthorizationRequest, CodeIssued, Refused, Whose
from mp_oauth_sandbox.core.nearest import caret
from mp_oauth_sandbox.core.paths import CONSENT
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.refusals import explanation, refuse, remedy, wire_error
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.faults import Answer, Reply
from mp_oauth_sandbox.journal import Delivery, Entry, Happened
from mp_oauth_sandbox.web.arrivals import ARRIVAL
from mp_oauth_sandbox.web.delivery import PLAIN, JournaledResponse
from mp_oauth_sandbox.web.mistakes import likely_of
from mp_oauth_sandbox.web.pages.rendering import Pages, origin_of
from mp_oauth_sandbox.web.pages.sessions import Pending, Session, cookie_name
from mp_oauth_sandbox.web.pages.texts import (
    LANGUAGES,
    Language,
    areas_of_access,
    pick_language,
    texts,
)

Dead = Literal["request_unknown", "form_expired", "sign_in_needed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListedSeller:
    """A seller as the pages list it."""

    user_id: int
    nickname: str
    country: str
    collaborator: bool


class SellerPages:
    """The pages of the authorization endpoint, and what the journal says of them."""

    def __init__(self, engine: Engine, pages: Pages) -> None:
        """Show this engine with these pages."""
        self._engine = engine
        self._panel = Panel(engine)
        self._pages = pages

    def question(
        self,
        request: Request,
        session: Session,
        pending: Pending,
        application: Application,
        *,
        invalid: bool = False,
    ) -> Response:
        """The consent page, or the sign-in page while nobody is signed in.

        `invalid` says that a nickname was typed that cannot be one.
        """
        seller = self._seller(session)
        invalid = invalid and seller is None
        language = self.language(request, pending, seller)
        redirect_uri = pending.request.redirect_uri or ""
        context: dict[str, object] = {
            "application_name": application.name,
            "request_id": pending.request_id,
            "csrf": session.csrf,
            "languages": _languages(pending, language),
        }
        if seller is None:
            template = "sign_in.html"
            context["sellers"] = [_listed(one) for one in self._panel.sellers()]
            context["error"] = texts(language).nickname_invalid if invalid else None
        else:
            template = "consent.html"
            context["seller"] = _listed(seller)
            context["areas"] = areas_of_access(application.scopes, language=language)
            context["redirect_origin"] = origin_of(redirect_uri)
        status = 400 if invalid else 200
        self.record(
            request,
            pending.request,
            Whose(application.client_id, session.user_id),
            status=status,
            outcome="sign-in page shown" if seller is None else "consent page shown",
            delivery="delivered",
        )
        response = self._pages.render(
            template, context, language=language, form_target=redirect_uri, status=status
        )
        set_cookie(request, response, session)
        return response

    def refusal(
        self,
        request: Request,
        refused: Refused,
        *,
        session: Session | None,
        pending: Pending | None = None,
        asked: AuthorizationRequest | None = None,
        reply: Reply[CodeIssued] = PLAIN,
    ) -> Response:
        """The error page: Mercado Pago's sentence, HTTP 400, and set apart why (sandbox).

        `reply` is what faults have made of it: another status, or another delivery.
        """
        refused = self._engine.journal.hidden(likely_of(self._engine, refused, request))
        seller = self._seller(session)
        error = wire_error(refused, self._engine.profile)
        status = error.status if error.status in {429, *range(500, 600)} else 400
        reply, changed = reply.settled(Answer(status, b"", {}))
        # Who was asked for is not always who is signed in: consent may be automatic.
        whose = reply.whose if reply.at else _presented(asked, seller)
        entry = self._record_refusal(request, refused, asked, whose, status=status, reply=reply)
        language = self.language(request, pending, seller)
        sentences, operator = texts(language), refused.cause is Cause.OPERATOR_ACCOUNT
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
        page = self._pages.render("error.html", context, language=language, status=status)
        page.headers.update(changed.headers)
        return JournaledResponse(page, journal=self._engine.journal, entry=entry, reply=reply)

    def dead(
        self, request: Request, why: Dead, *, session: Session | None, pending: Pending | None
    ) -> Response:
        """The answer to a form or page that leads nowhere any more: start again."""
        refused = refuse(Cause.PAGE_EXPIRED)
        seller, asked = self._seller(session), pending.request if pending else None
        whose = _presented(asked, seller)
        entry = self._record_refusal(
            request, refused, asked, whose, status=400, delivery="delivered"
        )
        language = self.language(request, pending, seller)
        context = {
            "message": getattr(texts(language), why),
            "error_code": None,
            "why": explanation(refused),
            "remedy": remedy(refused),
            "journal_url": f"/#entry-{entry.seq}",
            "side_by_side": None,
            "marker": None,
        }
        return self._pages.render("error.html", context, language=language, status=400)

    def language(
        self, request: Request, pending: Pending | None, seller: Seller | None = None
    ) -> Language:
        """The language of a page: as chosen, else the seller's, else the browser's."""
        return pick_language(
            request.query_params.get("lang") or (pending.language if pending else None),
            accept_language=request.headers.get("accept-language"),
            country=seller.country if seller else None,
        )

    # ---- the journal ----

    def record(
        self,
        request: Request,
        asked: AuthorizationRequest | None,
        whose: Whose,
        *,
        status: int,
        outcome: str,
        code: str | None = None,
        by: Answerer | None = None,
        refused: Refused | None = None,
        error: str | None = None,
        reply: Reply[CodeIssued] = PLAIN,
        delivery: Delivery = "pending",
    ) -> Entry:
        """Write an exchange at the authorization endpoint down.

        `code` is the one issued in it, and `by` who has said yes.
        """
        label, arrival = self._engine.mint.label, request.scope[ARRIVAL]
        facts: dict[str, str] = {}
        if asked is not None:
            if asked.redirect_uri is not None:
                facts["redirect_uri"] = asked.redirect_uri[:2048]
            if asked.state is not None:
                facts["state"] = label(asked.state)
            if asked.code_challenge is not None:
                facts["code_challenge_method"] = (asked.code_challenge_method or "(none)")[:20]
        if code is not None:
            facts["code"] = label(code)
        if by is not None:
            facts["answered_by"] = by
        return self._engine.journal.record(
            Happened(
                kind="authorization",
                request=arrival.request,
                status=status,
                outcome=outcome,
                at=reply.at,
                refused=refused,
                error=error,
                whose=whose,
                facts=facts,
                faults=reply.faults,
                delivery=delivery,
                arrival=arrival,
            )
        )

    def _record_refusal(
        self,
        request: Request,
        refused: Refused,
        asked: AuthorizationRequest | None,
        whose: Whose,
        *,
        status: int,
        reply: Reply[CodeIssued] = PLAIN,
        delivery: Delivery = "pending",
    ) -> Entry:
        """Write a refusal down that a page tells."""
        return self.record(
            request,
            asked,
            whose,
            status=status,
            outcome="refused",
            refused=refused,
            error="error_page",
            reply=reply,
            delivery=delivery,
        )

    def _seller(self, session: Session | None) -> Seller | None:
        if session is None or session.user_id is None:
            return None
        return self._panel.seller(session.user_id)


def set_cookie(request: Request, response: Response, session: Session) -> None:
    """Let the browser keep its session."""
    response.set_cookie(
        cookie_name(request.scope), session.session_id, httponly=True, samesite="lax", path="/"
    )


def _presented(asked: AuthorizationRequest | None, seller: Seller | None) -> Whose:
    """Whose a request is that nobody has decided."""
    return Whose(asked.client_id if asked else None, seller.user_id if seller else None)


def _listed(seller: Seller) -> _ListedSeller:
    return _ListedSeller(
        user_id=seller.user_id,
        nickname=seller.nickname,
        country=seller.country,
        collaborator=seller.collaborator_of is not None,
    )


def _languages(pending: Pending, current: Language) -> list[tuple[Language, str, bool]]:
    page = f"{CONSENT}?request={pending.request_id}&lang="
    return [(language, f"{page}{language}", language == current) for language in LANGUAGES]


def _comparison(refused: Refused) -> dict[str, object]:
    """The two redirect URIs and a caret, where that is what went wrong."""
    sent, registered = refused.facts.get("sent"), refused.facts.get("nearest")
    if sent is None or registered is None:
        return {"side_by_side": None, "marker": None}
    rows = [("sent", sent), ("registered", registered)]
    return {"side_by_side": rows, "marker": caret(sent, registered)}
