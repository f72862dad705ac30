"""Plays on small integrations in this process: hooks, accounts, and what a script shows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.control.errors import SandboxError
from mp_oauth_sandbox.driver.acts import Callback
from mp_oauth_sandbox.driver.browser import Network
from mp_oauth_sandbox.driver.control import Control
from mp_oauth_sandbox.driver.endpoints import Endpoints, Login, StatusPage
from mp_oauth_sandbox.driver.errors import DriverError, HookMissingError, IntegrationError
from mp_oauth_sandbox.driver.integration import AsgiIntegration, HttpIntegration
from mp_oauth_sandbox.driver.play import Play

if TYPE_CHECKING:
    from types import ModuleType

Stage = Callable[..., Play]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False) as sandbox:
        yield sandbox


@pytest.fixture
def play_with(sandbox: Sandbox, shops: "ModuleType", endpoints: Endpoints) -> Iterator[Stage]:
    """A play on the correct shop, described differently at will; `play.shop` is not offered."""
    application = sandbox.register_application(redirect_uris=[endpoints.callback])
    with ExitStack() as stack:

        def make(app: Any = None, *, clock: bool = False, **changes: object) -> Play:
            transport = stack.enter_context(closing(sandbox.transport()))
            shop = shops.Shop(
                mp_url=sandbox.url,
                client_id=application.client_id,
                client_secret=application.client_secret,
                transport=sandbox.transport(),
            )
            described = msgspec.structs.replace(endpoints, **changes)
            integration = AsgiIntegration(
                app or shop.asgi, described, move_clock=shop.move_clock if clock else None
            )
            stack.callback(integration.close)
            network = Network({sandbox.url: transport, **integration.routes})
            stack.callback(network.close)
            return Play(integration, Control(sandbox.url, network=network), network=network)

        yield make


def linked(play: Play, name: str = "A", seller: str = "S1") -> None:
    play.start(name)
    play.deliver(name, play.approve(name, seller=seller))


def test_a_plain_link_leads_to_one_exchange_and_to_no_finding(play_with: Stage):
    play = play_with()
    play.start("A")
    seen = play.deliver("A", play.approve("A", seller="S1"))

    assert (seen.token_requests, seen.tokens_issued, seen.page.status) == (1, 1, 200)
    assert play.status("A") == "linked"
    assert play.trigger("A").calls == 1
    assert play.all_findings() == []


def test_a_login_begins_a_session_to_which_earlier_states_do_not_belong(play_with: Stage):
    play = play_with()
    url = play.start("A")
    state = Callback(url=url).get("state") or ""

    assert play.is_issued(state, to="A")
    play.log_in("A", account_of="B")
    assert not play.is_issued(state, to="A")


def test_both_clocks_move_where_that_is_offered_and_the_person_logs_in_again(play_with: Stage):
    together, apart = play_with(clock=True), play_with()
    for play in (together, apart):
        linked(play)
        play.advance(timedelta(days=181))
        play.trigger("A")

    assert together.all_findings() == []
    assert together.actor("A").login == 2
    (finding,) = apart.all_findings()
    assert (finding.check, finding.verdict) == ("P14", "not checked")


@pytest.mark.parametrize(
    ("hook", "act"),
    [
        ("status", lambda play: play.status("A")),
        ("trigger_url", lambda play: play.trigger("A")),
    ],
)
def test_a_hook_that_is_not_offered_is_named(
    play_with: Stage, hook: str, act: Callable[[Play], object]
):
    play = play_with(status=None, trigger_url=None)

    with pytest.raises(HookMissingError, match=f"needs {hook}: "):
        act(play)


def test_a_clock_that_cannot_be_moved_is_named(endpoints: Endpoints):
    with pytest.raises(HookMissingError, match="needs move_clock: "):
        HttpIntegration(endpoints).move_clock(timedelta(days=1))


def fixed(**more: object) -> dict[str, object]:
    login = Login(url="/login", json={"user": "{account}"}, accounts=["ana", "bea"])
    return {"login": login, **more}


def test_fixed_accounts_are_given_out_in_order_until_there_are_no_more(play_with: Stage):
    play = play_with(**fixed())
    play.log_in("A")
    play.log_in("B")

    assert [play.actor(name).account for name in ("A", "B")] == ["ana", "bea"]
    with pytest.raises(HookMissingError, match=r"needs another account: .* has only 2"):
        play.log_in("X")


def account_server(**status: str) -> Starlette:
    """Accounts whose status is as given, until they are unlinked."""
    known = dict(status)

    async def log_in(request: Request) -> Response:
        response = Response()
        response.set_cookie("user", (await request.json())["user"])
        return response

    async def unlink(request: Request) -> Response:
        known[request.cookies["user"]] = "unlinked"
        return Response()

    async def show(request: Request) -> Response:
        return JSONResponse({"mp": known[request.cookies["user"]]})

    return Starlette(
        routes=[
            Route("/login", log_in, methods=["POST"]),
            Route("/unlink", unlink, methods=["POST"]),
            Route("/status", show),
        ]
    )


def test_a_fixed_account_that_is_linked_is_unlinked_first(play_with: Stage):
    play = play_with(account_server(ana="linked"), **fixed(unlink_url="/unlink"))
    play.log_in("A")

    assert play.status("A") == "unlinked"


def test_a_fixed_account_that_stays_linked_makes_no_script(play_with: Stage):
    with pytest.raises(HookMissingError, match="needs unlink_url"):
        play_with(account_server(ana="linked"), **fixed()).log_in("A")


def test_an_authorization_that_the_sandbox_refuses_is_explained(
    play_with: Stage, sandbox: Sandbox, endpoints: Endpoints
):
    play = play_with()
    play.start("A")
    sandbox.reset()

    with pytest.raises(IntegrationError, match="why: application_unknown"):
        play.approve("A", seller="S1")


def test_nobody_approves_what_nobody_started(play_with: Stage):
    with pytest.raises(DriverError, match="A has not started linking"):
        play_with().approve("A", seller="S1")


def test_a_sandbox_that_refuses_a_call_or_is_not_there_says_so(sandbox: Sandbox):
    with closing(sandbox.transport()) as transport, Network({sandbox.url: transport}) as network:
        with pytest.raises(SandboxError, match=r"PUT .*/_sandbox/consent: 400 .*seller"):
            Control(sandbox.url, network=network).set_consent("auto", 7)
        with pytest.raises(SandboxError, match=r"no sandbox answers at http://127.0.0.1:1 "):
            Control("http://127.0.0.1:1", network=network).health()


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Network:
    return Network({"http://sandbox": httpx.MockTransport(answer)})


def test_what_is_no_sandbox_is_not_taken_for_one():
    network = answering(lambda _: httpx.Response(200, text="hello"))

    with pytest.raises(SandboxError, match="does not answer as this version's sandbox does"):
        Control("http://sandbox", network=network).health()


def test_the_control_token_goes_along():
    def answer(request: httpx.Request) -> httpx.Response:
        sent = request.headers["authorization"]
        return httpx.Response(200, json={"status": "ok", "version": sent, "profile": "", "now": ""})

    health = Control("http://sandbox", network=answering(answer), token="t").health()

    assert health.version == "Bearer t"


def test_a_long_journal_is_read_to_its_end(sandbox: Sandbox):
    for _ in range(1500):
        sandbox.clock.advance(seconds=1)
    with closing(sandbox.transport()) as transport, Network({sandbox.url: transport}) as network:
        entries = Control(sandbox.url, network=network).journal()

    assert [entry.seq for entry in entries] == list(range(1, 1501))


@pytest.mark.parametrize(
    ("matcher", "value", "status"),
    [
        (StatusPage(url="/"), "<p>Your account is linked</p>", "linked"),
        (StatusPage(url="/"), "needs relink: it was unlinked", "needs-relink"),
        (StatusPage(url="/", linked="Connected", unlinked="Connect"), "Connect now", "unlinked"),
        (StatusPage(url="/", pointer="/mp"), "unlinked", "unlinked"),
        (StatusPage(url="/", pointer="/mp"), True, "linked"),
        (StatusPage(url="/", pointer="/mp"), None, "none"),
        (StatusPage(url="/", pointer="/mp"), "linked to nobody", None),
    ],
)
def test_a_status_is_read_from_a_page_or_a_value(
    matcher: StatusPage, value: object, status: str | None
):
    assert matcher.read(value) == status


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "integration.status.pointer: the answer has nothing at /mp"),
        ('{"mp": "maybe"}', "integration.status: no pattern matches 'maybe'"),
    ],
)
def test_a_status_that_cannot_be_read_is_an_error(play_with: Stage, body: str, said: str):
    async def answer(_request: Request) -> Response:
        return Response(body)

    app = Starlette(routes=[Route("/{path}", answer, methods=["GET", "POST"])])

    with pytest.raises(IntegrationError, match=said):
        play_with(app).status("A")


def test_linking_may_begin_with_a_url_in_json(play_with: Stage, sandbox: Sandbox):
    async def answer(_request: Request) -> Response:
        url = f"{sandbox.url}/authorization?client_id=1&state=abc"
        return JSONResponse({"data": {"url": url}})

    app = Starlette(routes=[Route("/{path}", answer, methods=["GET", "POST"])])

    assert play_with(app, start_pointer="/data/url").start("A").endswith("state=abc")
    with pytest.raises(IntegrationError, match=r"integration\.start_pointer: .* nothing at /url"):
        play_with(app, start_pointer="/url").start("A")


def test_a_login_may_be_a_header_alone(play_with: Stage):
    async def answer(request: Request) -> Response:
        return JSONResponse({"mp": request.headers["x-user"].partition("-")[0]})

    app = Starlette(routes=[Route("/status", answer)])
    matcher = StatusPage(url="/status", pointer="/mp", linked="a")

    play = play_with(app, login=Login(headers={"x-user": "{account}"}), status=matcher)

    assert play.status("A") == "linked"


def test_an_integration_that_is_not_up_is_waited_for_and_then_named(endpoints: Endpoints):
    described = msgspec.structs.replace(endpoints, health_url="/health")
    answers = iter([503, 200, 503])
    network = Network(
        {endpoints.origin: httpx.MockTransport(lambda _: httpx.Response(next(answers)))}
    )
    integration = HttpIntegration(described)

    integration.wait_until_up(network)
    with pytest.raises(IntegrationError, match=r"is not up at http://localhost:8000/health .*503"):
        integration.wait_until_up(network, patience_seconds=0)
