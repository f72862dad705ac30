"""What the client sends: the documented fields and headers, and nothing else, anywhere.

Sources: Mercado Pago, POST /oauth/token reference, "Get Access Token", OAuth best practices
(nothing in the query, two headers, no surplus field); RFC 7636 sections 4.1 and 4.2.
"""

import asyncio
import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox.client import (
    AsyncLinking,
    ConfigurationError,
    Linked,
    Linking,
    MisuseError,
    Settings,
)

from .server import Server, json_reply
from .world import CALLBACK, Worker, World, opened

TRIO = {"grant_type", "client_id", "client_secret"}
EXCHANGE = {*TRIO, "code", "redirect_uri"}
REFRESH = {*TRIO, "refresh_token"}
AUTHORIZATION = ["client_id", "response_type", "platform_id", "redirect_uri", "state"]
CHALLENGE = ["code_challenge", "code_challenge_method"]


@pytest.fixture(params=["optional", "required"])
def strict(request: pytest.FixtureRequest) -> Iterator[World]:
    """What the documentation says is refused, is refused here."""
    with opened(profile="strict") as world:
        required = request.param == "required"
        world.application = world.sandbox.register_application(
            redirect_uris=[CALLBACK], pkce_required=required
        )
        yield world


def exchanged(world: World, worker: Worker) -> dict[str, Any]:
    """The body of an exchange that was accepted."""
    world.link(worker)
    return worker.bodies[-1]


# ---- the token endpoint ----


def test_an_exchange_has_the_documented_fields(world: World):
    body = exchanged(world, world.worker())

    assert set(body) == EXCHANGE | {"code_verifier"}
    assert body["grant_type"] == "authorization_code"
    assert (body["client_id"], body["client_secret"]) == (
        world.application.client_id,
        world.application.client_secret,
    )
    assert body["redirect_uri"] == CALLBACK


def test_without_pkce_there_is_no_verifier(world: World):
    assert set(exchanged(world, world.worker(pkce=False))) == EXCHANGE


def test_sandbox_credentials_are_asked_for_as_documented_by_a_text(world: World):
    shop = world.worker(test_token=True)

    body = exchanged(world, shop)

    assert set(body) == EXCHANGE | {"code_verifier", "test_token"}
    assert body["test_token"] == "true"
    assert world.kept().live_mode is False
    assert str(world.kept().access_token).startswith("TEST-")


@pytest.mark.parametrize("changes", [{}, {"test_token": True}, {"pkce": False}])
def test_a_renewal_has_the_documented_fields_and_no_verifier(changes: dict[str, Any], world: World):
    shop = world.worker(**changes)
    link = world.link(shop)
    world.clock.advance(days=170)

    shop.access("shop-1")

    assert set(shop.bodies[-1]) == REFRESH
    assert shop.bodies[-1]["grant_type"] == "refresh_token"
    assert shop.bodies[-1]["refresh_token"] == link.refresh_token


def test_every_value_is_a_text(world: World):
    shop = world.worker(test_token=True)
    world.link(shop)
    world.clock.advance(days=170)
    shop.access("shop-1")

    assert all(isinstance(value, str) for body in shop.bodies for value in body.values())


def test_the_strict_profile_takes_everything(strict: World):
    shop = strict.worker()
    strict.link(shop)
    for _ in range(3):
        strict.clock.advance(days=170)
        assert strict.calls(shop.access("shop-1")) == 200
    begun = shop.start("shop-2")
    shop.callback(strict.denied(begun.url), account="shop-2", binding=begun.binding)

    strict.sandbox.journal.assert_no_refusals(kind="token")


def test_a_code_s_characters_arrive_as_they_were(world: World):
    """The code of the query, percent-decoded once."""
    shop = world.worker()
    begun = shop.start("shop-1")
    state = httpx.URL(begun.url).params["state"]
    code = "TG-a+b/c=%&\u00e9 \u20ac"

    query = str(httpx.QueryParams({"code": code, "state": state}))
    shop.callback(query, account="shop-1", binding=begun.binding)

    assert shop.bodies[0]["code"] == code


@pytest.fixture(params=["sync", "async"])
def linkings(request: pytest.FixtureRequest) -> type[Linking | AsyncLinking]:
    return {"sync": Linking, "async": AsyncLinking}[request.param]


def link_and_renew(kind: type[Linking | AsyncLinking], world: World) -> None:
    """Two exchanges of a client with connections of its own: links, then renews."""

    async def waiting() -> None:
        async with AsyncLinking(
            world.settings(), world.links, world.pending, now=world.clock
        ) as linking:
            begun = await linking.start("shop-1")
            query = f"code=c1&state={httpx.URL(begun.url).params['state']}"
            outcome = await linking.callback(query, account="shop-1", binding=begun.binding)
            assert isinstance(outcome, Linked)
            world.clock.advance(days=170)
            await linking.access("shop-1")

    if kind is AsyncLinking:
        asyncio.run(waiting())
        return
    with Linking(world.settings(), world.links, world.pending, now=world.clock) as linking:
        begun = linking.start("shop-1")
        query = f"code=c1&state={httpx.URL(begun.url).params['state']}"
        outcome = linking.callback(query, account="shop-1", binding=begun.binding)
        assert isinstance(outcome, Linked)
        world.clock.advance(days=170)
        linking.access("shop-1")


def test_on_the_wire_there_is_nothing_but_what_is_documented_and_http_needs(
    linkings: type[Linking | AsyncLinking], world: World
):
    with Server(json_reply(user_id=77, set_cookie="affinity=1; Path=/")) as server:
        world.api_url = server.url
        link_and_renew(linkings, world)

    assert len(server.received) == 2
    for request in server.received:
        assert request.line == "POST /oauth/token HTTP/1.1"
        headers = {name.lower(): value for name, value in request.headers}
        assert len(headers) == len(request.headers)
        assert headers.pop("accept") == "application/json"
        assert headers.pop("content-type") == "application/json"
        # httpx's own; a cookie would carry something from one seller to the next.
        assert set(headers) == {
            "host",
            "user-agent",
            "accept-encoding",
            "connection",
            "content-length",
        }
        json.loads(request.body)


def test_each_exchange_has_a_connection_of_its_own(
    linkings: type[Linking | AsyncLinking], world: World
):
    with Server(json_reply(user_id=77), keep_alive=True) as server:
        world.api_url = server.url
        link_and_renew(linkings, world)

    assert [request.connection for request in server.received] == [1, 2]


def test_what_a_client_of_yours_adds_by_itself_stays_away(world: World):
    """Authentication and redirects of the application's own httpx client."""
    heard: list[httpx.Request] = []

    def away(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        return httpx.Response(307, headers={"location": "https://elsewhere.example/"})

    yours = httpx.Client(
        transport=httpx.MockTransport(away), auth=("user", "password"), follow_redirects=True
    )
    with yours, Linking(world.settings(), world.links, world.pending, http=yours) as linking:
        begun = linking.start("shop-1")
        query = f"code=c1&state={httpx.URL(begun.url).params['state']}"
        linking.callback(query, account="shop-1", binding=begun.binding)

    assert [str(request.url) for request in heard] == [f"{world.sandbox.url}/oauth/token"]
    assert "authorization" not in heard[0].headers


def test_closing_leaves_a_client_of_yours_open(world: World):
    with Linking(world.settings(), world.links, world.pending, http=world.http):
        pass
    assert not world.http.is_closed


# ---- the authorization URL ----


@pytest.mark.parametrize(
    ("pkce", "scopes", "names"),
    [
        (True, (), [*AUTHORIZATION, *CHALLENGE]),
        (False, (), AUTHORIZATION),
        (True, ("read", "write"), [*AUTHORIZATION, *CHALLENGE, "scope"]),
        (False, ("offline_access",), [*AUTHORIZATION, "scope"]),
    ],
)
def test_the_authorization_url_has_the_documented_parameters(
    pkce: bool, scopes: tuple[str, ...], names: list[str], world: World
):
    url = httpx.URL(world.worker(pkce=pkce).start("shop-1", scopes=scopes).url)

    assert [name for name, _ in url.params.multi_items()] == names
    assert url.params["client_id"] == world.application.client_id
    assert url.params["response_type"] == "code"
    assert url.params["platform_id"] == "mp"
    assert url.params["redirect_uri"] == CALLBACK
    assert url.params.get("scope", "") == " ".join(scopes)
    assert url.params.get("code_challenge_method", "S256") == "S256"


@pytest.mark.parametrize(
    ("country", "host"),
    [
        ("AR", "auth.mercadopago.com.ar"),
        ("BR", "auth.mercadopago.com.br"),
        ("CL", "auth.mercadopago.cl"),  # not .com.cl, whatever some SDKs build
        ("CO", "auth.mercadopago.com.co"),
        ("MX", "auth.mercadopago.com.mx"),
        ("PE", "auth.mercadopago.com.pe"),
        ("UY", "auth.mercadopago.com.uy"),
        ("cl", "auth.mercadopago.cl"),
        ("VE", "auth.mercadopago.com"),
        ("evil.example", "auth.mercadopago.com"),
        ("", "auth.mercadopago.com"),
        (None, "auth.mercadopago.com"),
    ],
)
def test_sellers_meet_the_pages_of_their_country(country: str | None, host: str, world: World):
    url = httpx.URL(world.worker(auth_url=None).start("shop-1", country=country).url)

    assert (url.scheme, url.host, url.path) == ("https", host, "/authorization")


def test_an_endpoint_that_is_set_serves_every_country(world: World):
    shop = world.worker()

    urls = [shop.start("shop-1", country=country).url for country in ("AR", "CL", None)]

    assert {url.partition("?")[0] for url in urls} == {f"{world.sandbox.url}/authorization"}


def test_by_default_tokens_come_from_mercado_pago():
    settings = Settings(client_id="1", client_secret="s", redirect_uri=CALLBACK)

    assert settings.api("/oauth/token") == "https://api.mercadopago.com/oauth/token"


# ---- states and verifiers ----


def test_two_hundred_starts_have_nothing_in_common(world: World):
    shop = world.worker()
    starts = [shop.start(f"shop-{at % 7}") for at in range(200)]
    urls = [httpx.URL(start.url) for start in starts]
    states = [url.params["state"] for url in urls]
    kept = [world.pending.get(hashlib.sha256(state.encode()).hexdigest()) for state in states]
    verifiers = [str(pending.verifier) for pending in kept if pending]

    assert len({*states, *verifiers, *(start.binding for start in starts)}) == 600
    for start, url, state, verifier in zip(starts, urls, states, verifiers, strict=True):
        # 43 characters of 6 bits: more than 128 bits of luck, and nothing else in it.
        assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", state)
        assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert url.params["code_challenge"] == challenge
        for secret in (verifier, start.binding, hashlib.sha256(state.encode()).hexdigest()):
            assert secret not in start.url
    # No counter and no clock: nearly every position takes many values.
    for position in range(42):
        assert len({state[position] for state in states}) > 30


def test_the_verifier_of_an_exchange_belongs_to_its_state(world: World):
    shop = world.worker()
    starts = [shop.start(f"shop-{at}") for at in range(5)]
    sellers = [world.sandbox.create_seller() for _ in starts]
    queries = [
        world.approved(start.url, seller=seller)
        for start, seller in zip(starts, sellers, strict=True)
    ]
    for at in (3, 0, 4, 1, 2):
        came = shop.callback(queries[at], account=f"shop-{at}", binding=starts[at].binding)
        assert isinstance(came, Linked)

    for at, body in zip((3, 0, 4, 1, 2), shop.bodies, strict=True):
        digest = hashlib.sha256(body["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert httpx.URL(starts[at].url).params["code_challenge"] == challenge


def test_a_verifier_is_kept_no_longer_than_it_is_needed(world: World):
    shop = world.worker()
    begun = shop.start("shop-1")
    key = hashlib.sha256(httpx.URL(begun.url).params["state"].encode()).hexdigest()
    before = world.pending.get(key)

    shop.callback(world.denied(begun.url), account="shop-1", binding=begun.binding)

    after = world.pending.get(key)
    assert before is not None
    assert after is not None
    assert (before.verifier is None, after.verifier) == (False, None)


def test_a_browser_keeps_its_binding_over_several_starts(world: World):
    shop = world.worker()
    first = shop.start("shop-1")
    second = shop.start("shop-1", binding=first.binding)

    assert second.binding == first.binding
    for begun in (second, first):
        query = world.approved(begun.url)
        came = shop.callback(query, account="shop-1", binding=first.binding)
        assert isinstance(came, Linked)


@pytest.mark.parametrize("binding", ["", "1", "shop-1", "x" * 15])
def test_a_binding_that_can_be_guessed_is_refused(binding: str, world: World):
    with pytest.raises(MisuseError, match="must be random"):
        world.worker().start("shop-1", binding=binding)


# ---- settings ----


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", ""),
        ("client_id", "abc"),
        ("client_id", "\u0661\u0662"),
        ("client_id", "12 34"),
        ("client_secret", ""),
        ("client_secret", "  "),
        ("client_secret", "undefined"),
        ("redirect_uri", ""),
        ("redirect_uri", "/mp/callback"),
        ("redirect_uri", "http://shop.example/mp/callback"),
        ("redirect_uri", "https://shop.example/mp/callback?shop=1"),
        ("redirect_uri", "https://shop.example/mp/callback#here"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", "https://user:pw@shop.example/"),
        ("api_url", "http://api.mercadopago.com"),
        ("auth_url", "ftp://auth.mercadopago.com"),
        ("webhook_secrets", "one-text"),
        ("webhook_secrets", ("good", "")),
        ("if_taken", "perhaps"),
        ("state_lifetime", None),
        ("notification_tolerance", None),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_its_name(name: str, value: Any, world: World):
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        world.settings(**{name: timedelta() if value is None else value})


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:8000/mp/callback",
        "http://127.0.0.1/cb",
        "http://shop.localhost/cb",
        "http://web:8000/cb",
        "https://shop.example/mp/callback/",
    ],
)
def test_machines_of_ones_own_need_no_https(uri: str, world: World):
    assert world.settings(redirect_uri=uri).redirect_uri == uri
