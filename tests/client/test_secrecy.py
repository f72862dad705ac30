"""No secret leaves the client but to the token endpoint, and no event says what is not listed."""

import ast
import asyncio
import base64
import logging
import re
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import mp_oauth_sandbox.client as client
from mp_oauth_sandbox.client import (
    AsyncLinking,
    ConfigurationError,
    Link,
    Linked,
    Linking,
    LinkingError,
    MemoryTokenStore,
    NotificationError,
    NotLinked,
    Reason,
    Response,
    UnavailableError,
)

from .server import Server, http
from .world import WEBHOOK_SECRET, World, answer, granting, notification, opened, signed

#: Each event and its facts; `docs/client.md` has the same list.
EVENTS = {
    "callback": {"account", "outcome"},
    "exchange_failed": {"account", "problem"},
    "linked": {"account", "seller_id", "renewable"},
    "lost": {"account", "seller_id", "reason"},
    "not_saved": {"account", "seller_id"},
    "permissions_changed": {"account", "seller_id"},
    "renewal_failed": {"account", "seller_id", "problem", "failures"},
    "renewed": {"account", "seller_id"},
    "store_failed": {"problem"},
    "unlinked": {"account", "seller_id", "reason"},
}


@dataclass
class Watch(logging.Handler):
    """Hears every logger at DEBUG while the client works, and knows what must not be said."""

    secrets: set[str] = field(default_factory=set)
    records: list[logging.LogRecord] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    __hash__ = object.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @contextmanager
    def listening(self) -> Generator[None]:
        """From here to the end of the block, but for a test's own browser."""
        root = logging.getLogger()
        level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        try:
            yield
        except LinkingError as error:
            self.errors.append(error)
        finally:
            root.removeHandler(self)
            root.setLevel(level)

    def learn(self, *secrets: str | None) -> None:
        self.secrets |= {secret for secret in secrets if secret}

    def found_in(self, text: str) -> list[str]:
        """The secrets of which a text has a part, in any usual disguise."""
        assert self.secrets
        return [secret for secret in self.secrets if any(one in text for one in disguises(secret))]

    @property
    def logged(self) -> str:
        """All that a handler could write of all records."""
        formatter = logging.Formatter()
        return "\n".join(f"{formatter.format(one)} {one.__dict__!r}" for one in self.records)

    @property
    def raised(self) -> str:
        """All that a reporter of errors could write of all exceptions, and their causes."""
        return "\n".join(map(everything, self.errors))


def disguises(secret: str) -> set[str]:
    plain = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), plain, repr(secret.encode())[2:-1], secret[:24]}


def everything(error: BaseException | None) -> str:
    if error is None:
        return ""
    notes = getattr(error, "__notes__", [])
    own = f"{error} {error!r} {error.args!r} {vars(error)!r} {notes!r}"
    own += "".join(traceback.format_exception(error))
    return own + everything(error.__cause__) + everything(error.__context__)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def live() -> Iterator[World]:
    """A sandbox on a socket, so that httpx and httpcore log what they log."""
    with opened(live=True) as world:
        yield world


class Recorder:
    """What was sent to the token endpoint, to learn the secrets in it."""

    def __init__(self, watch: Watch) -> None:
        self.requests: list[httpx.Request] = []
        self._watch = watch

    def __call__(self, request: httpx.Request) -> None:
        self.requests.append(request)
        for value in ("code", "code_verifier", "client_secret", "refresh_token"):
            found = re.search(rb'"%b": "([^"]*)"' % value.encode(), request.content)
            if found:
                self._watch.learn(found[1].decode())


def learn_link(watch: Watch, link: Link) -> None:
    watch.learn(link.access_token, link.refresh_token)


def begun(world: World, watch: Watch, start: client.Start) -> str:
    """The callback's query after an approval; its secrets are learnt."""
    url = httpx.URL(start.url)
    watch.learn(url.params["state"], start.binding, WEBHOOK_SECRET)
    query = world.approved(start.url)
    watch.learn(httpx.QueryParams(query)["code"])
    return query


def test_a_whole_life_of_a_link_logs_no_secret(live: World, watch: Watch):
    """Linked, renewed, refused, lost, told of: over sockets, at DEBUG."""
    recorder = Recorder(watch)
    endpoint = httpx.Client(event_hooks={"request": [recorder]})
    api = httpx.Client(base_url=live.sandbox.url)
    with (
        endpoint,
        api,
        Linking(
            live.settings(), live.links, live.pending, http=endpoint, now=live.clock
        ) as linking,
    ):
        with watch.listening():
            start = linking.start("shop-1")
        query = begun(live, watch, start)
        with watch.listening():
            came = linking.callback(query, account="shop-1", binding=start.binding)
            linking.callback(query, account="shop-1", binding=start.binding)
            linking.callback(query, account="shop-2", binding=start.binding)
        assert isinstance(came, Linked)
        learn_link(watch, came.link)
        live.clock.advance(days=170)
        with watch.listening():
            linking.renew_due(per_second=1000)
        learn_link(watch, live.kept())
        live.fault("refuse", cause="token_expired", on="resource", times=1)
        with watch.listening():
            assert api.get("/users/me", auth=linking.auth("shop-1")).status_code == 200
        learn_link(watch, live.kept())
        live.fault("refuse", cause="secret_mismatch", on="refresh", times=1)
        live.clock.advance(days=181)
        with watch.listening():
            linking.access("shop-1")
        live.sandbox.unlink(live.application, live.seller)
        live.clock.advance(minutes=10)
        with watch.listening():
            api.get("/users/me", auth=linking.auth("shop-1"))
        at, seller_id = live.clock(), live.seller.user_id
        with watch.listening():
            linking.notified(
                f"data.id={seller_id}",
                signed(data_id=str(seller_id), at=at),
                notification(seller_id=seller_id, at=at),
            )
        with watch.listening():
            linking.notified(f"data.id={seller_id}", {"x-signature": "ts=1,v1=2"}, b"{}")

    loggers = {record.name.partition(".")[0] for record in watch.records}
    assert loggers >= {"mercadopago", "httpx", "httpcore"}
    assert [type(error).__name__ for error in watch.errors] == [
        "ConfigurationError",
        "NeedsRelinkError",
        "NotificationError",
    ]
    assert len(watch.secrets) >= 11
    assert watch.found_in(watch.logged) == []
    assert watch.found_in(watch.raised) == []
    assert watch.found_in(" ".join(str(request.url) for request in recorder.requests)) == []


def test_nor_does_one_on_an_event_loop(live: World, watch: Watch):
    recorder = Recorder(watch)

    async def hook(request: httpx.Request) -> None:
        recorder(request)

    async def life() -> None:
        async with (
            httpx.AsyncClient(event_hooks={"request": [hook]}) as endpoint,
            httpx.AsyncClient(base_url=live.sandbox.url) as api,
            AsyncLinking(
                live.settings(), live.links, live.pending, http=endpoint, now=live.clock
            ) as linking,
        ):
            with watch.listening():
                start = await linking.start("shop-1")
            query = begun(live, watch, start)
            with watch.listening():
                await linking.callback(query, account="shop-1", binding=start.binding)
            learn_link(watch, live.kept())
            live.clock.advance(days=181)
            with watch.listening():
                await api.get("/users/me", auth=linking.auth("shop-1"))
            learn_link(watch, live.kept())
            live.sandbox.unlink(live.application, live.seller)
            with watch.listening():
                await api.get("/users/me", auth=linking.auth("shop-1"))

    asyncio.run(life())

    loggers = {record.name.partition(".")[0] for record in watch.records}
    assert loggers >= {"mercadopago", "httpx", "httpcore"}
    assert len(watch.secrets) >= 9
    assert len(watch.errors) == 1
    assert watch.found_in(watch.logged) == []
    assert watch.found_in(watch.raised) == []


ECHOES = {
    "echoed in an error": answer(400, {"error": "ECHO", "message": "ECHO"}),
    "echoed in a page": answer(400, b"<html>ECHO</html>"),
    "echoed as invalid_client": answer(401, {"error": "invalid_client", "message": "ECHO"}),
    "echoed as invalid_grant": answer(400, {"error": "invalid_grant", "message": "ECHO"}),
    "echoed with a 503": answer(503, b"ECHO"),
    "echoed in a header": answer(
        302, location="https://shop.example/?ECHO", www_authenticate="ECHO"
    ),
    "echoed in odd fields": granting(access_token=["ECHO"]),
    "echoed in a user_id": granting(user_id="ECHO"),
    "granted in half": Response(status=200, headers={}, body=granting().body[:-5]),
}


@pytest.mark.parametrize("came", ECHOES.values(), ids=ECHOES.keys())
@pytest.mark.parametrize("days", [170, 181])
def test_what_an_answer_repeats_is_not_repeated(
    came: Response, days: int, world: World, watch: Watch
):
    """The answer holds the very secrets that were sent."""
    watch.learn(WEBHOOK_SECRET, "APP_USR-1-030212-0123456789abcdef", "TG-0123456789abcdef01234567")
    world.link(world.worker())
    learn_link(watch, world.kept())
    watch.learn(world.application.client_secret)

    def echoing(request: client.Request) -> Response:
        text = request.body.replace(b'"', b"'")
        headers = {
            name: value.replace("ECHO", text.decode()) for name, value in came.headers.items()
        }
        body = came.body.replace(b"ECHO", text)
        return Response(status=came.status, headers=headers, body=body)

    shop = world.worker(deliver=echoing)
    start = shop.start("shop-2")
    state = httpx.URL(start.url).params["state"]
    watch.learn(state, start.binding, "code-of-the-seller")
    with watch.listening():
        outcome = shop.callback(
            f"code=code-of-the-seller&state={state}", account="shop-2", binding=start.binding
        )
    watch.learn(shop.bodies[0]["code_verifier"])
    world.clock.advance(days=days)
    with watch.listening():
        shop.access("shop-1")
    with watch.listening():
        shop.renew_due()

    assert isinstance(outcome, NotLinked)
    assert len(watch.errors) == (days == 181)
    assert watch.found_in(watch.logged + watch.raised + repr(outcome) + str(world.events)) == []


def test_an_error_on_the_way_carries_no_request_along(world: World, watch: Watch):
    """httpx's own exceptions have the whole request in them."""
    world.link(world.worker())
    world.clock.advance(days=181)
    with (
        Server(lambda _: [http(200, b"{}")[:-1]]) as server,
        httpx.Client() as endpoint,
    ):
        world.api_url = server.url
        linking = Linking(
            world.settings(), world.links, world.pending, http=endpoint, now=world.clock
        )
        with watch.listening():
            linking.access("shop-1")

    (error,) = watch.errors
    chain = [error, error.__cause__, error.__context__]
    assert not any(isinstance(one, httpx.HTTPError) for one in chain)
    learn_link(watch, world.kept())
    watch.learn(world.application.client_secret)
    assert watch.found_in(watch.raised + watch.logged) == []


# ---- what is shown of objects ----


def test_no_object_shows_a_secret(world: World, watch: Watch):
    shop = world.worker()
    start = shop.start("shop-1")
    query = begun(world, watch, start)
    flow = shop.flows.callback(query, account="shop-1", binding=start.binding)
    steps: list[Any] = []
    outcome = shop.run(noted(flow, steps))
    assert isinstance(outcome, Linked)
    learn_link(watch, outcome.link)
    watch.learn(*shop.bodies[0].values())
    watch.secrets -= {
        world.application.client_id,
        "authorization_code",
        shop.bodies[0]["redirect_uri"],
    }
    pending = world.pending._records  # type: ignore[attr-defined] # all there are
    linking = Linking(world.settings(), world.links, world.pending, http=world.http)
    told = shop.notified(
        "data.id=1",
        signed(data_id="1", at=world.clock()),
        notification(seller_id=1, at=world.clock()),
    )
    shown: list[Any] = [
        *steps,
        *pending.values(),
        start,
        outcome,
        outcome.link,
        told,
        linking,
        linking.auth("shop-1"),
        linking.flows,
        world.links,
        world.pending,
        world.settings(),
        granting(),
    ]

    assert len(steps) > 6
    assert len(watch.secrets) >= 8
    for one in shown:
        assert watch.found_in(f"{one} {one!r} {[one]}") == [], type(one)


def noted(flow: Any, steps: list[Any]) -> Any:
    """The same flow; each step is noted, and what came of it."""
    came: object = None
    try:
        while True:
            steps.append(flow.send(came))
            came = yield steps[-1]
            steps.append(came)
    except StopIteration as end:
        return end.value


def test_every_field_that_is_a_secret_is_left_out_of_reprs():
    """Whatever is added later, too: by their names."""
    secret = re.compile(r"secret|token$|verifier|binding|body|url$(?<!auth_url)(?<!api_url)")
    shown = [
        f"{name}.{one.name}"
        for name, kind in vars(client).items()
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")
        for one in fields(kind)  # type: ignore[arg-type] # one of a dataclass
        if one.repr and secret.search(one.name)
    ]

    assert shown == ["Settings.test_token", "Request.url"]


def test_a_setting_that_is_refused_is_not_quoted(world: World, watch: Watch):
    token, secret = "APP_USR-1-030212-abcdef", "a-secret-in-a-url"  # in no line below
    watch.learn(token, secret)
    with watch.listening():
        world.settings(client_secret=token)
    with watch.listening():
        world.settings(redirect_uri=f"https://shop.example/?{secret}")
    with watch.listening():
        world.settings(webhook_secrets=secret)

    assert [type(error) for error in watch.errors] == [ConfigurationError] * 3
    assert watch.found_in(watch.raised) == []


# ---- events ----


class Failing(MemoryTokenStore):
    """Takes nothing any more."""

    broken = False

    def replace(self, record: Link, /, *, expected: int) -> bool:
        if self.broken and record.status == "linked":
            raise OSError("disk full")
        return super().replace(record, expected=expected)


def every_event(world: World) -> None:
    """A story in which each event happens."""
    world.links = store = Failing()
    world.seller = world.sandbox.create_seller(user_id=77)
    good, bad = world.worker(), world.worker(deliver=lambda _: answer(503))
    start = bad.start("shop-1")
    bad.callback(world.approved(start.url), account="shop-1", binding=start.binding)
    start = good.start("shop-1")
    good.callback(world.denied(start.url), account="shop-1", binding=start.binding)
    world.link(good)
    world.clock.advance(days=170)
    bad.access("shop-1")
    world.clock.advance(minutes=1)
    world.worker(deliver=lambda _: granting(scope="read")).access("shop-1")
    good.unlink("shop-1")
    world.link(good)
    world.clock.advance(days=170)
    store.broken = True
    world.worker().access("shop-1")
    store.broken = False
    world.sandbox.unlink(world.application, world.seller)
    world.clock.advance(minutes=5)
    world.worker().access("shop-1")


def test_events_and_their_facts_are_a_fixed_list(world: World):
    every_event(world)

    facts: dict[str, set[str]] = {}
    for event, told in world.events:
        facts.setdefault(event, set()).update(told)
    assert facts == EVENTS


def test_facts_are_plain_values(world: World):
    every_event(world)

    for event, told in world.events:
        assert all(isinstance(value, str | int | bool) for value in told.values()), event


def test_no_other_event_is_written_anywhere():
    """Every `_tell` and `_warn` of the source names one of the list."""
    named: set[str] = set()
    for file in Path(str(client.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"_tell", "_warn"}
                and isinstance(node.args[0], ast.Constant)
            ):
                named.add(str(node.args[0].value))

    assert named == set(EVENTS)


def test_the_page_lists_every_event():
    page = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
    table = page.partition("| Event | When |")[2].partition("\n\n")[0]
    listed = {
        name
        for line in table.splitlines()
        for name in re.findall(r"`([a-z_]+)`", line.partition("|")[2].partition("|")[0])
    }

    assert listed == set(EVENTS)


def test_the_log_has_every_event_by_its_name(world: World, watch: Watch):
    with watch.listening():
        every_event(world)

    ours = [record for record in watch.records if record.name == "mercadopago.linking"]
    assert [(record.__dict__["event"], record.getMessage().split(" ")[0]) for record in ours] == [
        (event, event) for event, _ in world.events
    ]
    assert {record.levelno for record in ours if record.__dict__["event"] == "linked"} == {
        logging.INFO
    }
    assert {record.levelno for record in ours if record.__dict__["event"] == "lost"} == {
        logging.WARNING
    }


def test_an_observer_that_raises_disturbs_nobody(world: World, watch: Watch):
    def broken(event: str, _: dict[str, object]) -> None:
        raise RuntimeError(f"no metrics of {event}")

    linking = Linking(
        world.settings(),
        world.links,
        world.pending,
        http=world.http,
        now=world.clock,
        observe=broken,
    )
    start = linking.start("shop-1")
    query = begun(world, watch, start)
    with watch.listening():
        outcome = linking.callback(query, account="shop-1", binding=start.binding)
        world.clock.advance(days=170)
        linking.renew_due(per_second=1000)
        linking.unlink("shop-1")

    assert isinstance(outcome, Linked)
    assert world.refreshes() == 1
    assert linking.status("shop-1") == "unlinked"
    failures = [record for record in watch.records if record.getMessage() == "observer_failed"]
    assert len(failures) == 4
    assert watch.found_in(watch.logged) == []


def test_an_observer_cannot_change_what_the_log_says(world: World, watch: Watch):
    def scribbling(_: str, facts: dict[str, object]) -> None:
        facts.clear()

    linking = Linking(
        world.settings(),
        world.links,
        world.pending,
        http=world.http,
        now=world.clock,
        observe=scribbling,
    )
    start = linking.start("shop-1")
    query = begun(world, watch, start)

    assert isinstance(linking.callback(query, account="shop-1", binding=start.binding), Linked)


# ---- what sellers read ----

LANGUAGES = ("es", "pt", "en")


def errors_below(kind: type[LinkingError]) -> list[type[LinkingError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in errors_below(below))]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_text_for_the_seller(reason: Reason):
    said = [NotLinked(reason=reason).for_seller(language) for language in LANGUAGES]

    assert_for_people(said, reason.value)


@pytest.mark.parametrize("kind", errors_below(LinkingError))
def test_every_error_has_a_text_for_the_seller(kind: type[LinkingError]):
    message = "x-developer: /oauth/token: invalid_grant"
    more: dict[str, Any] = {"sent": True} if kind is UnavailableError else {}
    error = kind(message, **more)

    assert str(error) == message
    assert_for_people([error.for_seller(language) for language in LANGUAGES], message)
    assert error.whose in {"yours", "the seller's", "Mercado Pago's"}
    assert isinstance(error.transient, bool)
    assert error.next_step


def assert_for_people(said: list[str], message: str) -> None:
    assert len(set(said)) == 3
    for text in said:
        assert text.endswith(".")
        assert text[0].isupper()
        assert text != message
        assert not re.search(r"[_/{}<>]|oauth|token|invalid|state|secret|None", text)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es-AR", "es"),
        ("ES", "es"),
        ("pt-BR", "pt"),
        ("pt_BR", "pt"),
        ("en-US", "en"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_languages_are_named_as_browsers_name_them(tag: str, language: str):
    outcome, error = NotLinked(reason=Reason.DENIED), NotificationError("x")

    assert outcome.for_seller(tag) == outcome.for_seller(language)
    assert error.for_seller(tag) == error.for_seller(language)


def test_reasons_that_ask_for_different_things_say_different_things():
    said = {reason: NotLinked(reason=reason).for_seller("en") for reason in Reason}

    assert "did not allow" in said[Reason.DENIED]
    assert "already linked" in said[Reason.SELLER_TAKEN]
    assert "in a few minutes" in said[Reason.UNAVAILABLE]
    assert "start again" in said[Reason.STATE_EXPIRED]
    assert "our side" in said[Reason.MISCONFIGURED]
