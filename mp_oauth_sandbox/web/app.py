"""The ASGI application: which path is answered by what."""

from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from mp_oauth_sandbox.core import paths
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.api.resources import ResourceApi
from mp_oauth_sandbox.web.api.token import TokenApi
from mp_oauth_sandbox.web.bodies import BodyLimits
from mp_oauth_sandbox.web.control.all import operations
from mp_oauth_sandbox.web.control.guard import ControlApi
from mp_oauth_sandbox.web.dispatch import Dispatcher
from mp_oauth_sandbox.web.pages.authorization import ConsentPages
from mp_oauth_sandbox.web.pages.home import Home
from mp_oauth_sandbox.web.pages.rendering import Pages
from mp_oauth_sandbox.web.pages.sessions import Sessions
from mp_oauth_sandbox.webhooks.public import Webhooks


def create_app(
    engine: Engine,
    *,
    access: Access | None = None,
    body_limits: BodyLimits | None = None,
    webhooks: Webhooks | None = None,
) -> ASGIApp:
    """The whole sandbox as one ASGI application, to host or to mount at the root of a server."""
    access, limits = access or Access(), body_limits or BodyLimits()
    api, pages, sessions = TokenApi(engine, limits), Pages(access, limits), Sessions()
    consent, home = ConsentPages(engine, pages, sessions), Home(engine, pages, sessions)
    resources = ResourceApi(engine, limits)

    engine.at_reset(sessions.forget)
    engine.at_reset(resources.forget)
    done = operations(engine, webhooks or Webhooks(engine), sessions)
    control = ControlApi(done, access, limits, engine.journal)

    return Dispatcher(
        engine.journal,
        {
            paths.TOKEN: {"POST": api.token},
            paths.AUTHORIZATION: {"GET": consent.authorization},
            paths.CONSENT: {"GET": consent.show, "POST": consent.decide},
            paths.SIGN_IN: {"POST": consent.sign_in},
            paths.SIGN_OUT: {"POST": consent.sign_out},
            paths.CALLBACK: {"GET": home.callback, "POST": home.exchange},
            "/": {"GET": home.index},
        },
        control=control.answer,
        files=StaticFiles(packages=[("mp_oauth_sandbox.web.pages", "static")]),
        elsewhere=resources.answer,
        not_found=api.not_found,
    )
