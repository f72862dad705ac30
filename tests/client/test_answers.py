"""Odd answers of the token endpoint: what they come to, and that nothing odd is kept.

No source says what may come instead of the documented answer; these are the shapes that
proxies, incidents and other versions of an API are known for.
"""

import asyncio
import gzip
import json
import math
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mp_oauth_sandbox.client import (
    AnswerError,
    ConfigurationError,
    Failure,
    Link,
    Linked,
    LinkingError,
    NeedsRelinkError,
    NotLinked,
    ProviderError,
    Reason,
    Request,
    Response,
    UnavailableError,
    dump,
    load,
    steps,
)
from mp_oauth_sandbox.client.steps import MOST_BYTES, Answer, send, send_async

from .server import Received, Server, closed_port, http
from .world import START, Send, World, answer, granting, opened

DEEP = b'{"access_token":' + b"[" * 100_000
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def exchange(world: World, came: Answer, *, account: str = "shop-1") -> Linked | NotLinked:
    """What a callback comes to if that is the answer to its exchange."""
    shop = world.worker(deliver=lambda _: came)
    begun = shop.start(account)
    query = f"code=c1&state={httpx.URL(begun.url).params['state']}"
    return shop.callback(query, account=account, binding=begun.binding)


def named(cases: dict[str, Any]) -> pytest.MarkDecorator:
    """Parametrize by the cases' names."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


# ---- the exchange: what cannot be used ----

UNUSABLE: dict[str, tuple[Answer, Reason]] = {
    f"access_token {value!r:.20}": (granting(access_token=value), Reason.BAD_ANSWER)
    for value in [
        ...,
        None,
        "",
        5,
        True,
        ["APP_USR-1"],
        {},
        "APP_USR-1\n",
        "APP_USR-1\r\nx: y",
        "two words",
        "\u00e9",
        "\0",
        "a" * 4097,
    ]
}
UNUSABLE |= {
    f"user_id {value!r:.20}": (granting(user_id=value), Reason.BAD_ANSWER)
    for value in [
        ...,
        None,
        "",
        0,
        -77,
        True,
        77.0,
        1e300,
        "77 ",
        "7e1",
        "\u0667",
        "None",
        [77],
        {"id": 77},
        10**18,
        10**4000,
    ]
}
UNUSABLE |= {
    f"refresh_token {value!r:.20}": (granting(refresh_token=value), Reason.BAD_ANSWER)
    for value in [5, True, ["TG-1"], "TG 1", "TG-1\n", "\u00e9", "a" * 4097]
}
UNUSABLE |= {
    f"200 {body!r:.20}": (answer(200, body), Reason.BAD_ANSWER)
    for body in [
        b"",
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b"5",
        HTML,
        DEEP,
        granting().body[:-20],
        b'{"access_token": "a\xff"}',
        b'{"user_id": ' + b"9" * 5000 + b"}",
        b"\x00" * 100,
    ]
}
UNUSABLE |= {
    f"{status} with tokens": (answer(status, granting().body), Reason.BAD_ANSWER)
    for status in (201, 202, 204, 301, 302, 304, 400, 403, 404)
}
UNUSABLE |= {
    f"{status} {error!r:.30}": (answer(status, {"error": error}), reason)
    for status, error, reason in [
        (400, "invalid_grant", Reason.CODE_REFUSED),
        (401, "invalid_grant", Reason.CODE_REFUSED),
        (400, "invalid_client", Reason.MISCONFIGURED),
        (401, "invalid_client", Reason.MISCONFIGURED),
        (400, "invalid_request", Reason.MISCONFIGURED),
        (400, "unheard_of", Reason.BAD_ANSWER),
        (400, "", Reason.BAD_ANSWER),
        (400, None, Reason.BAD_ANSWER),
        (400, ["invalid_grant"], Reason.BAD_ANSWER),
        (400, {"code": "invalid_grant"}, Reason.BAD_ANSWER),
        (400, 400, Reason.BAD_ANSWER),
        (200, "invalid_grant", Reason.BAD_ANSWER),
        (429, "local_rate_limited", Reason.UNAVAILABLE),
        (500, "internal_server_error", Reason.COMMIT_UNKNOWN),
        (503, "invalid_grant", Reason.COMMIT_UNKNOWN),
    ]
}
UNUSABLE |= {
    "400 that is a page": (answer(400, HTML), Reason.BAD_ANSWER),
    "400 that is nothing": (answer(400), Reason.BAD_ANSWER),
    "401 that is deep": (answer(401, DEEP), Reason.BAD_ANSWER),
    "404": (answer(404, {"message": "Si quieres conocer", "error": "x"}), Reason.BAD_ANSWER),
    "429 that is a word": (answer(429, b"local_rate_limited"), Reason.UNAVAILABLE),
    "502 that is a page": (answer(502, HTML), Reason.COMMIT_UNKNOWN),
    "599": (answer(599), Reason.COMMIT_UNKNOWN),
    "nothing sent": (Failure(problem="ConnectError", sent=False), Reason.UNAVAILABLE),
    "nothing heard": (Failure(problem="ReadTimeout"), Reason.COMMIT_UNKNOWN),
}


@named(UNUSABLE)
def test_what_cannot_be_used_links_nobody(case: tuple[Answer, Reason], world: World):
    came, reason = case

    outcome = exchange(world, came)

    assert outcome == NotLinked(reason=reason)
    assert world.links.get("shop-1") is None
    assert world.worker().status("shop-1") == "unlinked"


@named(UNUSABLE)
def test_what_cannot_be_used_leaves_an_earlier_link_as_it_was(
    case: tuple[Answer, Reason], world: World
):
    before = world.link(world.worker())
    world.clock.advance(days=1)

    exchange(world, case[0])

    assert world.kept() == before
    assert world.calls(world.worker().access("shop-1")) == 200


# ---- the exchange: what is odd, and can be used ----


@pytest.mark.parametrize(
    ("came", "seller_id"),
    [
        (77, 77),
        ("77", 77),
        (2**53 + 1, 9007199254740993),
        ("9007199254740993", 9007199254740993),
        (10**18 - 1, 999999999999999999),
        ("007", 7),
    ],
    ids=repr,
)
def test_a_user_id_is_kept_without_loss(came: object, seller_id: int, world: World):
    exchange(world, granting(user_id=came))

    link = load(Link, dump(world.kept()))

    assert link.seller_id == seller_id
    assert world.links.of_seller(seller_id) == [world.kept()]


@pytest.mark.parametrize(
    ("came", "seconds"),
    [
        (15552000, 15552000),
        ("3600", 3600),
        (3600.9, 3600),
        (" 60 ", 60),
        (1, 1),
        (3660 * 86400, 3660 * 86400),
    ],
    ids=repr,
)
def test_a_lifetime_is_taken_as_it_is_meant(came: object, seconds: int, world: World):
    exchange(world, granting(expires_in=came))

    lifetime = world.kept().expires_at - START
    assert timedelta(seconds=seconds) <= lifetime < timedelta(seconds=seconds + 1)


@pytest.mark.parametrize(
    "came",
    [
        ...,
        None,
        "",
        "soon",
        True,
        False,
        0,
        -1,
        "-3600",
        [3600],
        {},
        math.nan,
        math.inf,
        "nan",
        "inf",
        1e300,
        10**400,
        "1" * 5000,
        3660 * 86400 + 1,
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_without_a_lifetime_that_makes_sense_a_day_is_assumed(came: object, world: World):
    exchange(world, granting(expires_in=came))

    assert world.kept().expires_at == START + timedelta(days=1)


@pytest.mark.parametrize("came", [..., None, "", False, 0, []])
def test_a_link_without_a_refresh_token_is_known_to_end(came: object, world: World):
    outcome = exchange(world, granting(refresh_token=came))

    assert isinstance(outcome, Linked)
    assert outcome.link.renew_at is None
    assert outcome.link.refresh_token is None
    assert world.happened("linked")[0]["renewable"] is False
    world.clock.advance(days=179)
    assert world.worker().access("shop-1") == outcome.link
    assert world.worker().renew_due().renewed == 0
    world.clock.advance(days=1)
    assert world.worker().status("shop-1") == "needs_relink"
    with pytest.raises(NeedsRelinkError):
        world.worker().access("shop-1")


@pytest.mark.parametrize(
    "fields",
    [
        {"token_type": "bearer"},
        {"token_type": "BEARER"},
        {"token_type": ["Bearer"]},
        {"token_type": ...},
        {"scope": ...},
        {"scope": ["read"]},
        {"live_mode": "true"},
        {"live_mode": ...},
        {"public_key": 5},
        {"public_key": ...},
        {"token_status": "active", "nested": {"deep": [1, None]}},
        {"": "", "access_token\0": 1},
    ],
    ids=str,
)
def test_what_is_beside_the_point_does_not_matter(fields: dict[str, Any], world: World):
    outcome = exchange(world, granting(**fields))

    assert isinstance(outcome, Linked)
    assert load(Link, dump(world.kept())) == world.kept()


def test_odd_scopes_and_modes_are_left_out(world: World):
    exchange(world, granting(scope=["read"], live_mode="true", public_key={"k": 1}))

    assert (world.kept().scopes, world.kept().live_mode, world.kept().public_key) == (
        (),
        None,
        None,
    )


def test_a_byte_order_mark_and_utf_16_are_json_too(world: World):
    text = granting().body.decode()
    for encoding in ("utf-8-sig", "utf-16"):
        assert isinstance(exchange(world, answer(200, text.encode(encoding))), Linked)


# ---- the renewal ----

# The answer, what a call raises once the old token is dead, and the status after it.
RENEWALS: dict[str, tuple[Answer, type[LinkingError], str]] = {
    "empty": (answer(200), AnswerError, "linked"),
    "page": (answer(200, HTML), AnswerError, "linked"),
    "deep": (answer(200, DEEP), AnswerError, "linked"),
    "list": (answer(200, b"[]"), AnswerError, "linked"),
    "no access token": (granting(access_token=...), AnswerError, "linked"),
    "newline": (granting(access_token="a\nb"), AnswerError, "linked"),
    "odd refresh token": (granting(refresh_token=[1]), AnswerError, "linked"),
    "odd user_id": (granting(user_id="x"), AnswerError, "linked"),
    "another user_id": (granting(user_id=78), UnavailableError, "linked"),
    "created": (answer(201, granting().body), AnswerError, "linked"),
    "moved": (answer(302, location="/"), AnswerError, "linked"),
    "unknown error": (answer(400, {"error": "what"}), AnswerError, "linked"),
    "400 page": (answer(400, HTML), AnswerError, "linked"),
    "invalid_client": (answer(400, {"error": "invalid_client"}), ConfigurationError, "linked"),
    "invalid_client 401": (answer(401, {"error": "invalid_client"}), ConfigurationError, "linked"),
    "invalid_grant": (answer(400, {"error": "invalid_grant"}), NeedsRelinkError, "needs_relink"),
    "429": (answer(429), UnavailableError, "linked"),
    "500": (answer(500), UnavailableError, "linked"),
    "503": (answer(503, {"error": "invalid_grant"}), UnavailableError, "linked"),
    "unheard": (Failure(problem="ReadTimeout"), UnavailableError, "linked"),
    "unsent": (Failure(problem="ConnectError", sent=False), UnavailableError, "linked"),
}


@pytest.fixture
def linked(world: World) -> World:
    """A world in which shop-1 is linked to seller 77."""
    world.seller = world.sandbox.create_seller(user_id=77)
    world.link(world.worker())
    return world


@named(RENEWALS)
def test_while_the_old_token_lives_a_failed_renewal_is_no_concern_of_a_call(
    case: tuple[Answer, type[LinkingError], str], linked: World
):
    came, _, status = case
    before = linked.kept()
    linked.clock.advance(days=170)
    shop = linked.worker(deliver=lambda _: came)

    after = shop.access("shop-1")

    assert linked.calls(after) == 200
    assert after.access_token == before.access_token
    assert linked.kept().refresh_token == before.refresh_token
    assert linked.kept().expires_at == before.expires_at
    assert shop.status("shop-1") == status
    assert len(shop.sent) == (3 if came == Failure(problem="ConnectError", sent=False) else 1)


@named(RENEWALS)
def test_when_the_old_token_is_dead_a_failed_renewal_is_raised_as_what_it_is(
    case: tuple[Answer, type[LinkingError], str], linked: World
):
    came, error, status = case
    linked.clock.advance(days=181)
    shop = linked.worker(deliver=lambda _: came)

    with pytest.raises(error) as raised:
        shop.access("shop-1")

    assert type(raised.value) is error
    assert shop.status("shop-1") == status


def test_a_renewal_without_user_id_or_refresh_token_keeps_what_there_was(linked: World):
    before = linked.kept()
    linked.clock.advance(days=170)
    came = granting(user_id=..., refresh_token=..., scope=..., live_mode=..., public_key=...)

    after = linked.worker(deliver=lambda _: came).access("shop-1")

    assert after.seller_id == 77
    assert after.access_token != before.access_token
    assert (after.refresh_token, after.scopes, after.live_mode, after.public_key) == (
        before.refresh_token,
        before.scopes,
        before.live_mode,
        before.public_key,
    )
    assert linked.happened("permissions_changed") == []


@pytest.mark.parametrize("fields", [{"scope": "read offline_access"}, {"live_mode": False}])
def test_permissions_that_shrink_are_told(fields: dict[str, Any], linked: World):
    linked.clock.advance(days=170)

    after = linked.worker(deliver=lambda _: granting(**fields)).access("shop-1")

    assert after == linked.kept()
    assert linked.happened("permissions_changed") == [{"account": "shop-1", "seller_id": 77}]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "120"}, 120),
        ({"retry_after": "999999"}, 3600),
        ({"retry_after": "Mon, 02 Mar 2026 12:00:07 GMT"}, 1),
        ({"retry_after": "-5"}, 1),
        ({"retry_after": "1e9"}, 1),
        ({"retry_after": "9" * 5000}, 1),
        ({"retry_after": ""}, 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_next_attempt_waits_as_it_is_told(
    status: int, headers: dict[str, str], seconds: int, linked: World
):
    linked.clock.advance(days=181)
    shop = linked.worker(deliver=lambda _: answer(status, **headers))

    with pytest.raises(UnavailableError) as first:
        shop.access("shop-1")
    linked.clock.advance(seconds=seconds - 0.5)
    with pytest.raises(UnavailableError) as second:
        shop.access("shop-1")

    assert len(shop.sent) == 1
    assert first.value.sent is (status == 503)
    assert second.value.retry_after == 0.5
    linked.clock.advance(seconds=0.5)
    with pytest.raises(UnavailableError):
        shop.access("shop-1")
    assert len(shop.sent) == 2


def test_attempts_become_rarer_and_go_on(linked: World):
    linked.clock.advance(days=181)
    shop = linked.worker(deliver=lambda _: answer(500))
    times = []

    for attempt in range(15):
        with pytest.raises(UnavailableError):
            shop.access("shop-1")
        assert len(shop.sent) == attempt + 1
        times.append(linked.clock())
        retry_at = linked.kept().retry_at
        assert retry_at is not None
        linked.clock.travel(retry_at - timedelta(microseconds=1))
        with pytest.raises(UnavailableError, match="pause"):
            shop.access("shop-1")
        linked.clock.travel(retry_at)

    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[300] * 5]


def test_tokens_that_are_dead_when_they_come_start_no_storm(linked: World):
    """They live a second, and the answer takes two."""
    linked.clock.advance(days=181)

    def slowly(_: Request) -> Response:
        linked.clock.advance(seconds=2)
        return granting(expires_in=1)

    shop = linked.worker(deliver=slowly)

    with pytest.raises(UnavailableError, match="dead at once"):
        shop.access("shop-1")

    assert len(shop.sent) == 2


def test_an_answer_with_the_token_that_was_refused_starts_no_storm(linked: World):
    token = str(linked.kept().access_token)
    shop = linked.worker(deliver=lambda _: granting(access_token=token))

    with pytest.raises(LinkingError):
        shop.refused("shop-1", token)

    assert len(shop.sent) <= 2


# ---- anything at all ----

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["77", "TG-1", "APP_USR-1", 77, 3600, "3600", 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys([*json.loads(granting().body), "error", "message", "status"], VALUES),
)
NEARLY_GOOD = FIELDS.map(lambda fields: granting(**fields).body)
BODIES = st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()) | NEARLY_GOOD
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "content-type", "location"]), st.text(), max_size=3
)
ANSWERS = st.builds(
    Response,
    status=st.sampled_from([200, 200, 200, 400, 401, 429, 500]) | st.integers(100, 599),
    headers=HEADERS,
    body=BODIES,
)


def assert_sound(link: Link) -> None:
    """Nothing in it is of another kind than it should be."""
    assert load(Link, dump(link)) == link
    assert isinstance(link.access_token, str)
    for token in (link.access_token, link.refresh_token or "TG-1"):
        assert re.fullmatch(r"[\x21-\x7e]{1,4096}", token)
    assert type(link.seller_id) is int
    assert 0 < link.seller_id < 10**18
    assert link.issued_at <= link.expires_at <= link.issued_at + timedelta(days=3660)
    assert link.renew_at is None or link.issued_at <= link.renew_at <= link.expires_at
    assert link.live_mode in {None, True, False}
    assert all(isinstance(scope, str) and scope for scope in link.scopes)
    assert link.public_key is None or isinstance(link.public_key, str)


@given(came=ANSWERS)
@example(came=granting())
def test_whatever_an_exchange_is_answered_it_ends_well(came: Response):
    with opened() as world:
        outcome = exchange(world, came)

        if isinstance(outcome, Linked):
            assert world.kept() == outcome.link
            assert_sound(outcome.link)
        else:
            assert world.links.get("shop-1") is None


@given(came=ANSWERS, days=st.sampled_from([170, 181]))
@example(came=granting(), days=181)
def test_whatever_a_renewal_is_answered_it_ends_well(came: Response, days: int):
    with opened() as world:
        assert isinstance(exchange(world, granting()), Linked)
        world.clock.advance(days=days)
        shop = world.worker(deliver=lambda _: came)

        try:
            link = shop.access("shop-1")
        except (ProviderError, ConfigurationError, NeedsRelinkError):
            assert days == 181
        else:
            assert_sound(link)
            assert link.expires_at > world.clock()
        assert world.kept().seller_id == 77
        assert len(shop.sent) <= 2


# ---- on the way ----


@pytest.fixture
def patience() -> float:
    """Seconds of each wait: enough for a busy machine, if a test does not say otherwise."""
    return 10.0


@pytest.fixture(params=["sync", "async"])
def transport(request: pytest.FixtureRequest, patience: float) -> Iterator[Send]:
    """Both ways to send over httpx."""
    if request.param == "sync":
        with httpx.Client(timeout=patience) as client:
            yield partial(send, client)
        return

    async def once(asked: Request) -> Answer:
        async with httpx.AsyncClient(timeout=patience) as client:
            return await send_async(client, asked)

    yield lambda asked: asyncio.run(once(asked))


def renewed_at(url: str, world: World, transport: Send) -> UnavailableError:
    """What a renewal that is sent there comes to."""
    world.api_url = url
    world.clock.advance(days=181)
    with pytest.raises(UnavailableError) as raised:
        world.worker(deliver=transport).access("shop-1")
    assert world.worker().status("shop-1") == "linked"
    return raised.value


def test_a_connection_that_is_refused_is_tried_again_and_not_for_ever(
    linked: World, transport: Send
):
    tries: list[Answer] = []

    def counted(asked: Request) -> Answer:
        tries.append(transport(asked))
        return tries[-1]

    error = renewed_at(closed_port(), linked, counted)

    assert tries == [Failure(problem="ConnectError", sent=False)] * 3
    assert error.sent is False


def test_a_connection_that_succeeds_at_last_is_enough(linked: World):
    came: list[Answer] = [Failure(problem="ConnectError", sent=False)] * 2 + [granting()]
    linked.clock.advance(days=181)

    link = linked.worker(deliver=lambda _: came.pop(0)).access("shop-1")

    assert link.status == "linked"
    assert came == []


# What a server does after it has read the request.
MISHAPS: dict[str, tuple[list[bytes] | None, str]] = {
    "reset": (None, "ReadError"),
    "hung up": ([], "RemoteProtocolError"),
    "hung up in the head": ([b"HTTP/1.1 200 OK\r\ncontent-"], "RemoteProtocolError"),
    "hung up in the body": ([http(200, b"{}" * 50)[:-20]], "RemoteProtocolError"),
    "not http": ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], "RemoteProtocolError"),
    "compressed": ([http(200, b"{}", "content-encoding: gzip")], "the answer is compressed"),
    "endless head": ([b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 200_000], "RemoteProtocolError"),
}


@named(MISHAPS)
def test_what_was_sent_is_not_sent_again(
    case: tuple[list[bytes] | None, str],
    linked: World,
    transport: Send,
):
    pieces, problem = case
    with Server(lambda _: pieces) as server:
        error = renewed_at(server.url, linked, transport)

    assert len(server.received) == 1
    assert error.sent is True
    assert str(error) == f"/oauth/token: {problem}"


@pytest.mark.parametrize("patience", [0.2])
def test_an_answer_that_never_comes_is_given_up(linked: World, transport: Send):
    def never(_: Received) -> Iterator[bytes]:
        server.over.wait(10)
        yield from ()

    with Server(never) as server:
        error = renewed_at(server.url, linked, transport)
        server.over.set()

    assert str(error) == "/oauth/token: ReadTimeout"
    assert error.sent is True
    assert len(server.received) == 1


def test_an_answer_that_drips_is_given_up(
    linked: World, transport: Send, monkeypatch: pytest.MonkeyPatch
):
    """Each byte comes in time, all of them do not."""
    monkeypatch.setattr(steps, "DEADLINE", 0.3)

    def drops(_: Received) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n"
        while not server.over.wait(0.02):
            yield b" "

    with Server(drops) as server:
        error = renewed_at(server.url, linked, transport)

    assert error.sent is True
    assert re.fullmatch(r"/oauth/token: the answer (takes|is) too long", str(error))


ZEROS = gzip.compress(bytes(2_000_000))
BOMBS = {
    "gzip": http(200, ZEROS, "content-encoding: gzip"),
    "gzip twice": http(200, gzip.compress(ZEROS), "content-encoding: gzip, gzip"),
}


@pytest.mark.parametrize("framing", ["length", "chunked", *BOMBS])
def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    framing: str, linked: World, transport: Send
):
    """Nor is what a few bytes unfold to."""
    sent: list[int] = []

    def flood(_: Received) -> Iterator[bytes]:
        if framing == "length":
            yield b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n"
        elif framing == "chunked":
            yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        else:
            yield BOMBS[framing]
            return
        while len(sent) < 1_000:
            sent.append(1)
            piece = b" " * 65536
            yield piece if framing == "length" else b"10000\r\n" + piece + b"\r\n"

    with Server(flood) as server:
        error = renewed_at(server.url, linked, transport)

    problem = "compressed" if framing in BOMBS else "too long"
    assert str(error) == f"/oauth/token: the answer is {problem}"
    assert error.sent is True
    assert len(sent) < 500


@pytest.mark.parametrize(("surplus", "status"), [(0, "linked"), (1, "unlinked")])
def test_sixty_four_kilobytes_are_the_limit(
    surplus: int, status: str, world: World, transport: Send
):
    body = granting().body
    padded = body + b" " * (MOST_BYTES + surplus - len(body))
    with Server(lambda _: [http(200, padded)]) as server:
        world.api_url = server.url
        shop = world.worker(deliver=transport)
        begun = shop.start("shop-1")
        query = f"code=c1&state={httpx.URL(begun.url).params['state']}"
        shop.callback(query, account="shop-1", binding=begun.binding)

    assert shop.status("shop-1") == status


def test_nothing_is_heard_of_the_text_of_an_error(linked: World, transport: Send):
    """The line that is not HTTP is quoted by nobody."""
    with Server(lambda _: [b"HTTP/1.1 canary canary\r\n\r\n"]) as server:
        error = renewed_at(server.url, linked, transport)

    assert "canary" not in str(error) + str(linked.events)
