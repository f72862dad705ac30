"""What all pages share: templates, security headers, languages, and forms that came from us."""

import functools
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from mp_oauth_sandbox.core import paths
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import explanation
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.bodies import BODY_STATUS, BodyLimits, read_body
from mp_oauth_sandbox.web.pages.texts import Language, texts

if TYPE_CHECKING:
    import jinja2


class AnsweredError(Exception):
    """Whatever is going on ends here: with this answer."""

    def __init__(self, answer: Response) -> None:
        """`answer` is all that is sent."""
        super().__init__(answer.status_code)
        self.answer = answer


class PageRefusedError(AnsweredError):
    """A request that no page of ours makes: in plain text, for nobody meets it in a browser."""

    def __init__(self, problem: str, *, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> None:
        """`problem` is told to whoever asked."""
        answer = Response(
            f"Refused by mp-oauth-sandbox: {problem}\n",
            status_code=status,
            media_type="text/plain",
            headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
        )
        super().__init__(answer)


class Pages:
    """Renders templates; one for each application."""

    def __init__(self, access: Access, limits: BodyLimits) -> None:
        """`access` says which Host and Origin are our own."""
        self._access = access
        self._limits = limits

    @functools.cached_property
    def _templates(self) -> "jinja2.Environment":
        import jinja2

        return jinja2.Environment(
            loader=jinja2.PackageLoader("mp_oauth_sandbox.web.pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def render(
        self,
        template: str,
        context: Mapping[str, object],
        *,
        language: Language = "en",
        form_target: str | None = None,
        scripts: bool = False,
        status: int = 200,
    ) -> Response:
        """A page. `form_target` is a redirect URI that a form's answer may lead to."""
        body = self._templates.get_template(template).render(
            {"t": texts(language), "lang": language, "paths": paths, **context}
        )
        return Response(
            body,
            status_code=status,
            headers=page_headers(form_target=form_target, scripts=scripts),
        )

    def check_host(self, request: Request) -> None:
        """Raise PageRefusedError for a Host that is not ours."""
        problem = self._access.host_problem(request.headers)
        if problem is not None:
            raise PageRefusedError(problem)

    def check_local(self, request: Request) -> None:
        """Raise PageRefusedError for a page with secrets that another machine asks for."""
        self.check_host(request)
        problem = self._access.local_problem(request.client.host if request.client else None)
        if problem is not None:
            raise PageRefusedError(problem)

    async def form(self, request: Request) -> dict[str, str]:
        """The fields of a form of ours. Raises PageRefusedError for one that another site sent."""
        self.check_host(request)
        problem = self._access.origin_problem(request.headers)
        if problem is not None:
            raise PageRefusedError(problem)
        body = await read_body(request, self._limits)
        if isinstance(body, Refused):
            raise PageRefusedError(explanation(body), status=BODY_STATUS[body.cause])
        return dict(parse_qsl(body.decode("utf-8", "replace")))


def page_headers(*, form_target: str | None, scripts: bool) -> dict[str, str]:
    """The headers of every page.

    `form-action` must name the origin of the redirect URI: with 'self' alone Chromium
    blocks the redirect that follows the consent form.
    """
    targets = "'self'" if form_target is None else f"'self' {_source(form_target)}"
    policy = [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        f"form-action {targets}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    if scripts:
        policy += ["script-src 'self'", "connect-src 'self'"]
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(policy),
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }


def _source(uri: str) -> str:
    """The origin of a URI as a CSP source; one with an IPv6 address can only be a scheme there."""
    origin = origin_of(uri)
    return f"{origin.partition(':')[0]}:" if "[" in origin else origin


def origin_of(uri: str) -> str:
    """Scheme, host and port of a URI."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
