"""`linking.auth(account)` with httpx, sync and async: whose token goes where, and how often."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox.client import (
    AsyncLinking,
    Linking,
    MisuseError,
    NeedsRelinkError,
    NotLinkedError,
    SQLiteTokenStore,
    UnavailableError,
)

from .world import World, opened

API = "http://localhost"


class Caller:
    """An application's httpx client with the seller's authentication, of either kind."""

    def __init__(self, world: World, *, kind: str, transport: Any = None, **options: Any) -> None:
        self._world = world
        self._async = kind == "async"
        self._transport = transport or world.sandbox.transport()
        self._options = options

    def __call__(self, method: str, url: str, account: str = "shop-1", **call: Any) -> Any:
        if self._async:
            return asyncio.run(self._waiting(method, url, account, call))
        world = self._world
        with httpx.Client(transport=self._transport, base_url=API, **self._options) as http:
            linking = Linking(
                world.settings(), world.links, world.pending, http=world.http, now=world.clock
            )
            return http.request(method, url, auth=linking.auth(account), **call)

    async def _waiting(self, method: str, url: str, account: str, call: dict[str, Any]) -> Any:
        world = self._world
        async with (
            httpx.AsyncClient(transport=world.sandbox.transport()) as token_endpoint,
            AsyncLinking(
                world.settings(), world.links, world.pending, http=token_endpoint, now=world.clock
            ) as linking,
            httpx.AsyncClient(transport=self._transport, base_url=API, **self._options) as http,
        ):
            return await http.request(method, url, auth=linking.auth(account), **call)


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def call(kind: str, world: World) -> Caller:
    """A call of the sandbox's API for shop-1, which is linked."""
    world.link(world.worker())
    return Caller(world, kind=kind)


def paid(world: World) -> list[tuple[str, int]]:
    """Calls of the API as the sandbox saw them."""
    return [(entry.request, entry.status) for entry in world.sandbox.journal.query(kind="resource")]


# ---- attached, and renewed in time ----


def test_a_call_is_made_with_the_seller_s_token(call: Caller, world: World):
    answer = call("GET", "/users/me")

    assert answer.json()["id"] == world.seller.user_id
    assert answer.request.headers["authorization"] == f"Bearer {world.kept().access_token}"
    assert world.refreshes() == 0


@pytest.mark.parametrize("days", [170, 181])
def test_a_token_that_is_due_is_renewed_first(days: int, call: Caller, world: World):
    world.clock.advance(days=days)

    assert call("POST", "/checkout/preferences", json={}).status_code == 201

    assert world.refreshes() == 1
    assert paid(world) == [("POST /checkout/preferences", 201)]


def test_an_account_that_is_not_linked_makes_no_call(call: Caller, world: World):
    with pytest.raises(NotLinkedError):
        call("GET", "/users/me", "shop-2")

    assert paid(world) == []


def test_a_renewal_that_fails_with_nothing_left_makes_no_call(call: Caller, world: World):
    world.clock.advance(days=181)
    world.fault("refuse", status=503, on="refresh", times="always")

    with pytest.raises(UnavailableError):
        call("GET", "/users/me")

    assert paid(world) == []


def test_an_authorization_of_the_caller_s_own_is_replaced(call: Caller, world: World):
    answer = call("GET", "/users/me", headers={"Authorization": "Bearer of-the-platform"})

    assert answer.json()["id"] == world.seller.user_id


# ---- after a 401 ----


def kill_token(world: World) -> str:
    """Let the access token be dead early, while its refresh token is good."""
    world.fault("refuse", cause="token_expired", on="resource", times=1)
    return str(world.kept().access_token)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_repeatable_call_is_made_again_with_another_token(
    method: str, call: Caller, world: World
):
    dead = kill_token(world)
    world.sandbox.resources.add(method, "/v1/things/{id}", body={"id": "$path.id"})

    answer = call(method, "/v1/things/7")

    assert answer.status_code == 200
    assert answer.request.headers["authorization"] != f"Bearer {dead}"
    assert [status for _, status in paid(world)] == [401, 200]
    assert world.refreshes() == 1


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
def test_so_is_one_that_only_asks(method: str, kind: str, world: World):
    world.link(world.worker())
    statuses = [401, 200]

    def in_turn(_: httpx.Request) -> httpx.Response:
        return httpx.Response(statuses.pop(0))

    call = Caller(world, kind=kind, transport=httpx.MockTransport(in_turn))

    assert call(method, "/v1/things").status_code == 200
    assert statuses == []


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_that_may_not_be_repeated_is_made_once_and_the_next_one_works(
    method: str, call: Caller, world: World
):
    kill_token(world)
    world.sandbox.resources.add(method, "/v1/things", body={})

    assert call(method, "/v1/things", json={}).status_code == 401
    assert [status for _, status in paid(world)] == [401]
    assert world.refreshes() == 1

    assert call(method, "/v1/things", json={}).status_code == 200
    assert world.refreshes() == 1


def test_a_key_makes_a_payment_repeatable_and_goes_with_both(call: Caller, world: World):
    kill_token(world)

    answer = call("POST", "/v1/payments", json={"n": 1}, headers={"X-Idempotency-Key": "order-1"})

    assert answer.status_code == 201
    assert answer.request.headers["x-idempotency-key"] == "order-1"
    assert answer.request.content == b'{"n":1}'
    assert [status for _, status in paid(world)] == [401, 201]


def test_a_body_that_can_be_read_once_is_sent_once(kind: str, call: Caller, world: World):
    kill_token(world)
    world.sandbox.resources.add("PUT", "/v1/things", body={})

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{}"

    body: Any = iter([b"{}"]) if kind == "sync" else slowly()
    answer = call("PUT", "/v1/things", content=body)

    assert answer.status_code == 401
    assert [status for _, status in paid(world)] == [401]
    assert world.refreshes() == 1


def test_two_refusals_in_a_row_end_the_link_without_a_storm(call: Caller, world: World):
    world.fault("refuse", cause="token_revoked", on="resource", times="always")

    for _ in range(3):
        with pytest.raises(NeedsRelinkError):
            call("GET", "/users/me")

    assert [status for _, status in paid(world)] == [401, 401]
    assert world.refreshes() == 1
    assert world.worker().status("shop-1") == "needs_relink"


def test_two_refusals_of_payments_end_the_link_too(call: Caller, world: World):
    world.fault("refuse", cause="token_revoked", on="resource", times="always")

    assert call("POST", "/checkout/preferences", json={}).status_code == 401
    for _ in range(2):
        with pytest.raises(NeedsRelinkError):
            call("POST", "/checkout/preferences", json={})

    assert [status for _, status in paid(world)] == [401, 401]
    assert world.refreshes() == 1


def test_a_token_may_die_early_twice_a_day(call: Caller, world: World):
    for _ in range(4):
        kill_token(world)
        assert call("GET", "/users/me").status_code == 200
        world.clock.advance(hours=2)

    assert world.worker().status("shop-1") == "linked"


def test_other_refusals_are_the_caller_s(call: Caller, world: World):
    for status in (400, 403, 404, 429, 500):
        world.sandbox.resources.add("GET", "/v1/things", status=status, body={})
        assert call("GET", "/v1/things").status_code == status

    assert world.refreshes() == 0


def test_when_the_renewal_after_a_401_finds_the_endpoint_down_the_link_stays(
    call: Caller, world: World
):
    kill_token(world)
    world.fault("refuse", status=503, on="refresh", times=1)

    with pytest.raises(UnavailableError):
        call("GET", "/users/me")

    assert world.worker().status("shop-1") == "linked"
    world.clock.advance(seconds=5)
    assert call("GET", "/users/me").status_code == 200


# ---- only to the API ----


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/users/me",
        "https://localhost/users/me",
        "http://localhost:8080/users/me",
        "http://localhost.elsewhere.example/users/me",
        "http://api@elsewhere.example/users/me",
        "http://localhost@elsewhere.example/",
    ],
)
def test_a_token_goes_to_no_other_host_scheme_or_port(url: str, kind: str, world: World):
    world.link(world.worker())
    heard: list[httpx.Request] = []

    def anywhere(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        return httpx.Response(200)

    call = Caller(world, kind=kind, transport=httpx.MockTransport(anywhere))

    with pytest.raises(MisuseError) as raised:
        call("GET", url)

    assert heard == []
    assert str(world.kept().access_token) not in str(raised.value)


@pytest.mark.parametrize("url", ["HTTP://LOCALHOST/users/me", "http://localhost:80/users/me"])
def test_other_spellings_of_the_api_are_the_api(url: str, call: Caller):
    assert call("GET", url).status_code == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target", ["http://files.example/report", "http://localhost:8080/", "https://localhost:444/"]
)
def test_a_redirect_to_another_origin_takes_no_token_along(
    target: str, status: int, kind: str, world: World
):
    """And a refusal there says nothing about the token."""
    world.link(world.worker())
    heard: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        here = (request.url.scheme, request.url.netloc) == ("http", b"localhost")
        return httpx.Response(status, headers={"location": target}) if here else httpx.Response(401)

    call = Caller(world, kind=kind, transport=httpx.MockTransport(answer), follow_redirects=True)

    for _ in range(2):
        assert call("GET", "/v1/report").status_code == 401

    assert ["authorization" in request.headers for request in heard] == [True, False] * 2
    assert world.refreshes() == 0
    assert world.worker().status("shop-1") == "linked"


def test_a_redirect_within_the_api_keeps_the_token(call: Caller, kind: str, world: World):
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        if request.url.path == "/old":
            return httpx.Response(307, headers={"location": "/new"})
        return httpx.Response(200)

    seen: list[str | None] = []
    moved = Caller(world, kind=kind, transport=httpx.MockTransport(answer), follow_redirects=True)

    assert moved("GET", "/old").status_code == 200

    assert seen == [f"Bearer {world.kept().access_token}"] * 2


# ---- the wrong kind of client ----


def test_linking_does_not_go_with_an_async_client(world: World):
    linking = Linking(world.settings(), world.links, world.pending, http=world.http)

    async def mixed() -> None:
        async with httpx.AsyncClient() as http:
            await http.get(f"{API}/users/me", auth=linking.auth("shop-1"))

    with pytest.raises(MisuseError, match=r"Linking goes with httpx\.Client"):
        asyncio.run(mixed())


def test_async_linking_does_not_go_with_a_sync_client(world: World):
    linking = AsyncLinking(
        world.settings(),
        world.links,
        world.pending,
        http=httpx.AsyncClient(transport=world.sandbox.transport()),
    )

    with pytest.raises(MisuseError, match=r"AsyncLinking goes with httpx\.AsyncClient"):
        world.http.get("/users/me", auth=linking.auth("shop-1"))


# ---- many at once, and some that give up ----


class Held(httpx.AsyncBaseTransport):
    """A token endpoint whose answer is held back, after it has taken effect."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        self.arrived.set()
        await self.release.wait()
        return answer


Story = Callable[[World, AsyncLinking, Held], Awaitable[None]]


def told(story: Story, *, world: World) -> None:
    """Run a story with a linking whose token endpoint can be held."""

    async def run() -> None:
        held = Held(world.sandbox.transport())
        async with (
            asyncio.timeout(30),
            httpx.AsyncClient(transport=held) as http,
            AsyncLinking(
                world.settings(), world.links, world.pending, http=http, now=world.clock
            ) as linking,
        ):
            await story(world, linking, held)

    asyncio.run(run())


@pytest.fixture(params=["memory", "sqlite"])
def due(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[World]:
    """A link whose token is dead, so that every call has to wait for its renewal."""
    with opened() as world:
        if request.param == "sqlite":
            world.links = SQLiteTokenStore(tmp_path / "links.db")
        world.link(world.worker())
        world.clock.advance(days=181)
        yield world


def test_a_call_that_is_cancelled_does_not_lose_the_pair(due: World):
    """The renewal goes on without whoever waited for it."""

    async def story(world: World, linking: AsyncLinking, held: Held) -> None:
        caller = asyncio.create_task(linking.access("shop-1"))
        await held.arrived.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        held.release.set()
        link = await linking.access("shop-1")
        assert world.calls(link) == 200

    told(story, world=due)

    assert due.refreshes() == 1
    assert due.kept().status == "linked"


def test_a_request_that_is_cancelled_does_not_lose_the_pair_either(due: World):
    async def story(world: World, linking: AsyncLinking, held: Held) -> None:
        async with httpx.AsyncClient(transport=world.sandbox.transport(), base_url=API) as http:
            get = partial(http.get, "/users/me", auth=linking.auth("shop-1"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await get()
            held.release.set()
            assert (await get()).status_code == 200

    told(story, world=due)

    assert due.refreshes() == 1


def test_closing_waits_for_what_is_under_way(due: World):
    async def story(_: World, linking: AsyncLinking, held: Held) -> None:
        caller = asyncio.create_task(linking.access("shop-1"))
        await held.arrived.wait()
        caller.cancel()
        closing = asyncio.create_task(linking.aclose())
        await asyncio.sleep(0)
        held.release.set()
        await closing

    told(story, world=due)

    assert due.kept().status == "linked"
    assert due.calls(due.worker().access("shop-1")) == 200
    assert due.refreshes() == 1


def test_closing_that_is_cancelled_itself_ends_nothing_else(due: World):
    """A shutdown with a limit of its own, and a loop that goes on after it."""

    async def story(world: World, linking: AsyncLinking, held: Held) -> None:
        caller = asyncio.create_task(linking.access("shop-1"))
        await held.arrived.wait()
        caller.cancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await linking.aclose()
        held.release.set()
        assert world.calls(await linking.access("shop-1")) == 200

    told(story, world=due)

    assert due.refreshes() == 1


def test_a_failure_that_nobody_waits_for_is_no_noise(due: World):
    """asyncio would complain of an exception that was never retrieved."""
    due.fault("refuse", status=503, on="refresh", times="always")
    complaints: list[dict[str, Any]] = []

    async def story(_: World, linking: AsyncLinking, held: Held) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        caller = asyncio.create_task(linking.access("shop-1"))
        await held.arrived.wait()
        caller.cancel()
        held.release.set()
        await linking.aclose()
        del caller
        await asyncio.sleep(0)

    told(story, world=due)

    assert complaints == []


def test_fifty_tasks_share_one_renewal(due: World):
    async def story(world: World, linking: AsyncLinking, held: Held) -> None:
        async with httpx.AsyncClient(transport=world.sandbox.transport(), base_url=API) as http:
            tasks = [
                asyncio.create_task(http.get("/users/me", auth=linking.auth("shop-1")))
                for _ in range(50)
            ]
            await held.arrived.wait()
            held.release.set()
            answers = await asyncio.gather(*tasks)
        assert [answer.status_code for answer in answers] == [200] * 50

    told(story, world=due)

    assert due.refreshes() == 1


def test_fifty_tasks_that_meet_a_401_share_one_renewal():
    with opened() as world:
        world.link(world.worker())
        world.fault("refuse", cause="token_expired", on="resource", times=50)

        async def story(world: World, linking: AsyncLinking, held: Held) -> None:
            held.release.set()
            async with httpx.AsyncClient(transport=world.sandbox.transport(), base_url=API) as http:
                get = partial(http.get, "/users/me", auth=linking.auth("shop-1"))
                answers = await asyncio.gather(*(get() for _ in range(50)))
            assert [answer.status_code for answer in answers] == [200] * 50

        told(story, world=world)

        assert world.refreshes() == 1
        assert world.worker().status("shop-1") == "linked"


def test_while_the_old_token_is_good_nobody_waits_for_its_renewal():
    with opened() as world:
        link = world.link(world.worker())
        world.clock.advance(days=170)

        async def story(_: World, linking: AsyncLinking, held: Held) -> None:
            first = asyncio.create_task(linking.access("shop-1"))
            await held.arrived.wait()
            others = await asyncio.gather(*(linking.access("shop-1") for _ in range(20)))
            assert {other.access_token for other in others} == {link.access_token}
            held.release.set()
            assert (await first).access_token != link.access_token

        told(story, world=world)

        assert world.refreshes() == 1
        assert world.kept().expires_at == world.clock() + timedelta(days=180)
