"""The control API's operations, each a few lines around the engine, and the table of them."""

from http import HTTPStatus

from starlette.requests import Request

from mp_oauth_sandbox import __version__
from mp_oauth_sandbox.control import types as calls
from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.profile import PRESETS, Profile
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.registration import InvalidInputError, NewApplication, NewSeller
from mp_oauth_sandbox.core.revoke import REVOCATIONS
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.engine.profiles import changed_profile, described
from mp_oauth_sandbox.journal import moment
from mp_oauth_sandbox.web.bodies import BodyLimits
from mp_oauth_sandbox.web.control.explain import ExplainOperations
from mp_oauth_sandbox.web.control.faults import FaultOperations
from mp_oauth_sandbox.web.control.inputs import CallRefusedError, read_json
from mp_oauth_sandbox.web.control.journal import JournalOperations
from mp_oauth_sandbox.web.control.openapi import Call, describe
from mp_oauth_sandbox.web.control.resources import ResourceOperations
from mp_oauth_sandbox.web.control.webhooks import WebhookOperations
from mp_oauth_sandbox.webhooks.public import Webhooks

_PAGE_LIMIT = 1000


class Operations:
    """What a test may do to the world. The first line of each docstring is its summary."""

    def __init__(self, engine: Engine, limits: BodyLimits, webhooks: Webhooks) -> None:
        """Work on this engine."""
        self._webhooks = WebhookOperations(webhooks, limits)
        self._engine = engine
        self._panel = Panel(engine)
        self._limits = limits

    def table(self) -> tuple[Call, ...]:
        """Every call: the routes and the OpenAPI document are made from these rows."""
        applications, application = "/applications", "/applications/{client_id}"
        app_out, app_in = calls.ApplicationOut, calls.ApplicationIn
        app_change = calls.ApplicationChange
        return (
            Call("GET", "/health", self.health, gives=calls.HealthOut),
            Call("POST", applications, self.register, takes=app_in, gives=app_out, status=201),
            Call("GET", applications, self.applications, gives=calls.ApplicationsOut),
            Call("GET", application, self.application, gives=app_out),
            Call("PATCH", application, self.edit, takes=app_change, gives=app_out),
            Call(
                "POST",
                "/sellers",
                self.create_seller,
                takes=calls.SellerIn,
                gives=calls.SellerOut,
                status=201,
            ),
            Call("GET", "/sellers", self.sellers, gives=calls.SellersOut),
            Call(
                "PUT",
                "/consent",
                self.set_consent,
                takes=calls.ConsentIn,
                gives=calls.ConsentOut,
            ),
            Call("GET", "/consent", self.consent, gives=calls.ConsentOut),
            Call("GET", "/clock", self.clock, gives=calls.ClockOut),
            Call(
                "POST",
                "/clock/advance",
                self.advance,
                takes=calls.AdvanceIn,
                gives=calls.ClockOut,
                waits=True,
            ),
            Call(
                "POST",
                "/clock/travel",
                self.travel,
                takes=calls.TravelIn,
                gives=calls.ClockOut,
                waits=True,
            ),
            Call("POST", "/clock/freeze", self.freeze, gives=calls.ClockOut),
            Call("POST", "/clock/resume", self.resume, gives=calls.ClockOut),
            Call(
                "POST",
                "/revocations",
                self.revoke,
                takes=calls.RevocationIn,
                gives=calls.RevocationOut,
                waits=True,
            ),
            Call("GET", "/profile", self.profile, gives=Profile),
            Call(
                "PATCH", "/profile", self.change_profile, takes=calls.ProfileChange, gives=Profile
            ),
            *JournalOperations(self._engine).table(),
            *self._webhooks.table(),
            *ResourceOperations(self._engine, self._limits).table(),
            *ExplainOperations(self._engine, self._limits).table(),
            Call("POST", "/reset", self.reset),
            *FaultOperations(self._engine, self._limits).table(),
            Call("GET", "/openapi.json", self.openapi, gives=dict),
        )

    async def health(self, _request: Request) -> calls.HealthOut:
        """Whether the sandbox answers."""
        return calls.HealthOut(
            status="ok",
            version=__version__,
            profile=described(self._engine.profile),
            now=moment(self._engine.clock()),
        )

    # ---- applications and sellers ----

    async def register(self, request: Request) -> calls.ApplicationOut:
        """Register an application."""
        wanted = await read_json(request, calls.ApplicationIn, self._limits)
        application = self._panel.register_application(
            NewApplication(
                name=wanted.name,
                redirect_uris=tuple(wanted.redirect_uris),
                pkce_required=wanted.pkce_required,
                client_id=wanted.client_id,
                client_secret=wanted.client_secret,
                owner=wanted.owner,
                lifetimes=wanted.lifetimes.over(Lifetimes()) if wanted.lifetimes else Lifetimes(),
                scopes=None if wanted.scopes is None else tuple(wanted.scopes),
                webhook=wanted.webhook.webhook() if wanted.webhook else None,
            )
        )
        return calls.ApplicationOut.of(application)

    async def applications(self, _request: Request) -> calls.ApplicationsOut:
        """The applications."""
        found = self._engine.store.page(Application, limit=_PAGE_LIMIT)
        return calls.ApplicationsOut(applications=[calls.ApplicationOut.of(one) for one in found])

    async def application(self, request: Request) -> calls.ApplicationOut:
        """One application."""
        return calls.ApplicationOut.of(self._found(request))

    async def edit(self, request: Request) -> calls.ApplicationOut:
        """Edit an application, as in the developer panel."""
        change = await read_json(request, calls.ApplicationChange, self._limits)
        client_id = self._found(request).client_id
        changed = self._panel.update_application(client_id, change.applied_to)
        return calls.ApplicationOut.of(changed)

    async def create_seller(self, request: Request) -> calls.SellerOut:
        """Create a test seller."""
        wanted = await read_json(request, calls.SellerIn, self._limits)
        seller = self._panel.create_seller(
            NewSeller(
                country=wanted.country.upper(),
                nickname=wanted.nickname,
                user_id=wanted.user_id,
                collaborator_of=wanted.collaborator_of,
            )
        )
        return calls.SellerOut.of(seller)

    async def sellers(self, _request: Request) -> calls.SellersOut:
        """The sellers, owners of applications too."""
        found = self._engine.store.page(Seller, limit=_PAGE_LIMIT)
        return calls.SellersOut(sellers=[calls.SellerOut.of(seller) for seller in found])

    async def revoke(self, request: Request) -> calls.RevocationOut:
        """End links from Mercado Pago's side."""
        wanted = await read_json(request, calls.RevocationIn, self._limits)
        ended = self._panel.revoke(
            wanted.reason, client_id=wanted.client_id, user_id=wanted.user_id
        )
        if wanted.settle:
            await self._webhooks.settle()
        row = REVOCATIONS[wanted.reason]
        secret = None
        if isinstance(ended, Application) and wanted.reason == "secret_rotated":
            secret = ended.client_secret
        return calls.RevocationOut(
            reason=wanted.reason,
            ended=row.concerns,
            client_id=wanted.client_id,
            user_id=wanted.user_id,
            explanation=row.explanation,
            source=row.source,
            client_secret=secret,
        )

    def _found(self, request: Request) -> Application:
        client_id = str(request.path_params["client_id"])
        application = self._panel.application(client_id)
        if application is None:
            problem = f"there is no application {client_id[:40]}"
            raise CallRefusedError(HTTPStatus.NOT_FOUND, problem, field="client_id")
        return application

    # ---- how sellers answer, and when ----

    async def set_consent(self, request: Request) -> calls.ConsentOut:
        """Choose how sellers answer."""
        wanted = await read_json(request, calls.ConsentIn, self._limits)
        self._panel.set_consent(Consent(mode=wanted.mode, seller=wanted.seller))
        return await self.consent(request)

    async def consent(self, _request: Request) -> calls.ConsentOut:
        """How sellers answer."""
        consent = self._engine.consent
        return calls.ConsentOut(mode=consent.mode, seller=consent.seller)

    async def clock(self, _request: Request) -> calls.ClockOut:
        """The server's virtual time."""
        clock = self._engine.clock
        return calls.ClockOut(now=moment(clock()), frozen=clock.frozen)

    async def advance(self, request: Request) -> calls.ClockOut:
        """Move the clock forward by seconds."""
        wanted = await read_json(request, calls.AdvanceIn, self._limits)
        self._engine.clock.advance(seconds=wanted.seconds)
        if wanted.settle:
            await self._webhooks.settle()
        return await self.clock(request)

    async def travel(self, request: Request) -> calls.ClockOut:
        """Move the clock forward to an instant."""
        wanted = await read_json(request, calls.TravelIn, self._limits)
        self._engine.clock.travel(wanted.to)
        if wanted.settle:
            await self._webhooks.settle()
        return await self.clock(request)

    async def freeze(self, request: Request) -> calls.ClockOut:
        """Stop the clock."""
        self._engine.clock.freeze()
        return await self.clock(request)

    async def resume(self, request: Request) -> calls.ClockOut:
        """Let the clock run on."""
        self._engine.clock.resume()
        return await self.clock(request)

    # ---- switches, reset ----

    async def profile(self, _request: Request) -> Profile:
        """Every switch and its value."""
        return self._engine.profile

    async def change_profile(self, request: Request) -> Profile:
        """Change single switches, or first take a preset (`preset`)."""
        switches = await read_json(request, dict[str, object], self._limits)
        base = self._engine.profile
        if "preset" in switches:
            preset = str(switches.pop("preset"))
            if preset not in PRESETS:
                raise InvalidInputError("preset", f"must be one of {', '.join(PRESETS)}")
            base = PRESETS[preset]
        self._engine.set_profile(changed_profile(base, switches))
        return self._engine.profile

    async def reset(self, _request: Request) -> calls.Done:
        """Return to the state right after start."""
        self._engine.reset()
        return calls.Done()

    async def openapi(self, _request: Request) -> dict[str, object]:
        """This API as an OpenAPI document."""
        return describe(self.table())
