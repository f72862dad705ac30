"""The control API under /_sandbox/: what a test does to the world, for any language."""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mp_oauth_sandbox import __version__
from mp_oauth_sandbox.clock import ClockError
from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.records import Application, Seller
from mp_oauth_sandbox.core.refusals import explanation
from mp_oauth_sandbox.core.registration import InvalidInputError, NewApplication, NewSeller
from mp_oauth_sandbox.engine import Consent, Engine
from mp_oauth_sandbox.journal import moment
from mp_oauth_sandbox.profiles import changed_profile, profile_named
from mp_oauth_sandbox.web import calls
from mp_oauth_sandbox.web.access import Access
from mp_oauth_sandbox.web.answers import JSON_HEADERS, read_body
from mp_oauth_sandbox.web.openapi import Call, describe

Wanted = TypeVar("Wanted")

_PAGE_LIMIT = 1000


class Control:
    """The calls, each a few lines around the engine."""

    def __init__(self, engine: Engine, access: Access, *, on_reset: Callable[[], None]) -> None:
        """`on_reset` also signs browsers out."""
        self._engine = engine
        self._access = access
        self._on_reset = on_reset
        self.calls = self._table()

    def routes(self) -> list[Route]:
        """Starlette routes, one for each call."""
        return [
            Route(call.path, self._endpoint(call), methods=[call.method]) for call in self.calls
        ]

    def _table(self) -> tuple[Call, ...]:
        return (
            Call(
                method="GET",
                path="/_sandbox/health",
                summary="Whether the sandbox answers",
                run=self._health,
                gives=calls.HealthOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/applications",
                summary="Register an application",
                run=self._register,
                takes=calls.ApplicationIn,
                gives=calls.ApplicationOut,
                status=201,
            ),
            Call(
                method="GET",
                path="/_sandbox/applications",
                summary="The applications",
                run=self._applications,
                gives=calls.ApplicationsOut,
            ),
            Call(
                method="GET",
                path="/_sandbox/applications/{client_id}",
                summary="One application",
                run=self._application,
                gives=calls.ApplicationOut,
            ),
            Call(
                method="PATCH",
                path="/_sandbox/applications/{client_id}",
                summary="Edit an application, as in the developer panel",
                run=self._edit,
                takes=calls.ApplicationChange,
                gives=calls.ApplicationOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/sellers",
                summary="Create a test seller",
                run=self._create_seller,
                takes=calls.SellerIn,
                gives=calls.SellerOut,
                status=201,
            ),
            Call(
                method="GET",
                path="/_sandbox/sellers",
                summary="The sellers",
                run=self._sellers,
                gives=calls.SellersOut,
            ),
            Call(
                method="PUT",
                path="/_sandbox/consent",
                summary="Choose how sellers answer",
                run=self._set_consent,
                takes=calls.ConsentIn,
                gives=calls.ConsentOut,
            ),
            Call(
                method="GET",
                path="/_sandbox/consent",
                summary="How sellers answer",
                run=self._consent,
                gives=calls.ConsentOut,
            ),
            Call(
                method="GET",
                path="/_sandbox/clock",
                summary="The server's virtual time",
                run=self._clock,
                gives=calls.ClockOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/clock/advance",
                summary="Move the clock forward by seconds",
                run=self._advance,
                takes=calls.AdvanceIn,
                gives=calls.ClockOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/clock/travel",
                summary="Move the clock forward to an instant",
                run=self._travel,
                takes=calls.TravelIn,
                gives=calls.ClockOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/clock/freeze",
                summary="Stop the clock",
                run=self._freeze,
                gives=calls.ClockOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/clock/resume",
                summary="Let the clock run on",
                run=self._resume,
                gives=calls.ClockOut,
            ),
            Call(
                method="POST",
                path="/_sandbox/revocations",
                summary="End links from Mercado Pago's side",
                run=self._revoke,
                takes=calls.RevocationIn,
            ),
            Call(
                method="GET",
                path="/_sandbox/profile",
                summary="Every switch and its value",
                run=self._profile,
                gives=Profile,
            ),
            Call(
                method="PATCH",
                path="/_sandbox/profile",
                summary="Change single switches, or first take a preset (`preset`)",
                run=self._set_profile,
                takes=calls.ProfileChange,
                gives=Profile,
            ),
            Call(
                method="GET",
                path="/_sandbox/journal",
                summary="What happened, and why: ?after=N&limit=N",
                run=self._journal,
                gives=calls.JournalOut,
                query=("after", "limit"),
            ),
            Call(
                method="POST",
                path="/_sandbox/reset",
                summary="Return to the state right after start",
                run=self._reset,
            ),
            Call(
                method="GET",
                path="/_sandbox/openapi.json",
                summary="This API as an OpenAPI document",
                run=self._openapi,
                gives=dict,
            ),
        )

    # ---- one request ----

    def _endpoint(self, call: Call) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            refused = self._guard(request)
            if refused is not None:
                return refused
            try:
                return _json(call.status, await call.run(request))
            except InvalidInputError as error:
                return _error(HTTPStatus.BAD_REQUEST, "invalid_input", error.problem, error.field)
            except ClockError as error:
                return _error(HTTPStatus.BAD_REQUEST, "invalid_input", str(error), "clock")

        return answer

    def no_such_call(self, request: Request) -> Response:
        """The answer to a path or method that is not in the table."""
        text = f"there is no {request.method[:20]} {request.url.path[:100]}; see"
        return self._guard(request) or _error(
            HTTPStatus.NOT_FOUND, "not_found", f"{text} /_sandbox/openapi.json"
        )

    def _guard(self, request: Request) -> Response | None:
        headers = request.headers
        problem = self._access.host_problem(headers) or self._access.origin_problem(headers)
        if problem is not None:
            return _error(HTTPStatus.FORBIDDEN, "forbidden", problem)
        if request.url.path == "/_sandbox/health":
            return None
        problem = self._access.token_problem(headers)
        return None if problem is None else _error(HTTPStatus.UNAUTHORIZED, "unauthorized", problem)

    # ---- the calls ----

    async def _health(self, _request: Request) -> calls.HealthOut:
        return calls.HealthOut(
            status="ok",
            version=__version__,
            profile=self._engine.profile.name,
            now=moment(self._engine.clock()),
        )

    async def _register(self, request: Request) -> calls.ApplicationOut:
        wanted = await _read(request, calls.ApplicationIn)
        application = self._engine.register_application(
            NewApplication(
                name=wanted.name,
                redirect_uris=tuple(wanted.redirect_uris),
                pkce_required=wanted.pkce_required,
                client_id=wanted.client_id,
                client_secret=wanted.client_secret,
                owner=wanted.owner,
                lifetimes=wanted.lifetimes.lifetimes() if wanted.lifetimes else Lifetimes(),
                scopes=None if wanted.scopes is None else tuple(wanted.scopes),
                webhook=wanted.webhook.webhook() if wanted.webhook else None,
            )
        )
        return calls.ApplicationOut.of(application)

    async def _applications(self, _request: Request) -> calls.ApplicationsOut:
        found = self._engine.store.page(Application, limit=_PAGE_LIMIT)
        return calls.ApplicationsOut(applications=[calls.ApplicationOut.of(one) for one in found])

    async def _application(self, request: Request) -> calls.ApplicationOut:
        client_id = str(request.path_params["client_id"])
        application = self._engine.application(client_id)
        if application is None:
            raise InvalidInputError("client_id", f"there is no application {client_id[:40]}")
        return calls.ApplicationOut.of(application)

    async def _edit(self, request: Request) -> calls.ApplicationOut:
        change = await _read(request, calls.ApplicationChange)
        client_id = str(request.path_params["client_id"])
        changed = self._engine.update_application(client_id, change.applied_to)
        return calls.ApplicationOut.of(changed)

    async def _create_seller(self, request: Request) -> calls.SellerOut:
        wanted = await _read(request, calls.SellerIn)
        seller = self._engine.create_seller(
            NewSeller(
                country=wanted.country.upper(),
                nickname=wanted.nickname,
                user_id=wanted.user_id,
                collaborator_of=wanted.collaborator_of,
            )
        )
        return calls.SellerOut.of(seller)

    async def _sellers(self, _request: Request) -> calls.SellersOut:
        found = self._engine.store.page(Seller, limit=_PAGE_LIMIT)
        return calls.SellersOut(sellers=[calls.SellerOut.of(seller) for seller in found])

    async def _set_consent(self, request: Request) -> calls.ConsentOut:
        wanted = await _read(request, calls.ConsentIn)
        self._engine.set_consent(Consent(mode=wanted.mode, seller=wanted.seller))
        return await self._consent(request)

    async def _consent(self, _request: Request) -> calls.ConsentOut:
        consent = self._engine.consent
        return calls.ConsentOut(mode=consent.mode, seller=consent.seller)

    async def _clock(self, _request: Request) -> calls.ClockOut:
        clock = self._engine.clock
        return calls.ClockOut(now=moment(clock()), frozen=clock.frozen)

    async def _advance(self, request: Request) -> calls.ClockOut:
        seconds = (await _read(request, calls.AdvanceIn)).seconds
        self._engine.clock.advance(seconds=seconds)
        return await self._clock(request)

    async def _travel(self, request: Request) -> calls.ClockOut:
        to = (await _read(request, calls.TravelIn)).to
        self._engine.clock.travel(to)
        return await self._clock(request)

    async def _freeze(self, request: Request) -> calls.ClockOut:
        self._engine.clock.freeze()
        return await self._clock(request)

    async def _resume(self, request: Request) -> calls.ClockOut:
        self._engine.clock.resume()
        return await self._clock(request)

    async def _revoke(self, request: Request) -> calls.Done:
        wanted = await _read(request, calls.RevocationIn)
        self._engine.revoke(wanted.reason, client_id=wanted.client_id, user_id=wanted.user_id)
        return calls.Done()

    async def _profile(self, _request: Request) -> Profile:
        return self._engine.profile

    async def _set_profile(self, request: Request) -> Profile:
        switches = await _read(request, dict[str, object])
        preset = switches.pop("preset", None)
        base = self._engine.profile if preset is None else profile_named(str(preset))
        self._engine.set_profile(changed_profile(base, switches))
        return self._engine.profile

    async def _journal(self, request: Request) -> calls.JournalOut:
        after = _number(request, "after", default=0)
        limit = min(_number(request, "limit", default=100), _PAGE_LIMIT)
        entries = self._engine.journal.entries(after=after, limit=limit)
        newest = entries[-1].seq if entries else min(after, self._engine.journal.newest)
        return calls.JournalOut(entries=entries, next=newest)

    async def _reset(self, _request: Request) -> calls.Done:
        self._engine.reset()
        self._on_reset()
        return calls.Done()

    async def _openapi(self, _request: Request) -> dict[str, object]:
        return describe(self.calls)


async def _read(request: Request, wanted: type[Wanted]) -> Wanted:
    """The JSON body of a call. Raises InvalidInputError naming the field at fault."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise InvalidInputError("Content-Type", "send the body as application/json")
    body = await read_body(request)
    if isinstance(body, Refused):
        raise InvalidInputError("body", explanation(body))
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInputError("body", f"it is not valid JSON ({error})") from error


_FIELD = re.compile(r"at `\$\.?(?P<path>[^`]*)`|field `(?P<name>[^`]*)`")


def _invalid(error: msgspec.ValidationError) -> InvalidInputError:
    names = [found["path"] or found["name"] or "" for found in _FIELD.finditer(str(error))]
    return InvalidInputError(".".join(filter(None, reversed(names)))[:100] or "body", str(error))


def _number(request: Request, name: str, *, default: int) -> int:
    value = request.query_params.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise InvalidInputError(name, "must be a number, 0 or more")
    return int(value)


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, headers=JSON_HEADERS)


def _error(status: int, error: str, message: str, field: str | None = None) -> Response:
    return _json(status, calls.ErrorOut(error=error, message=message, field=field))
