"""Each fault: what the client hears, what was decided, and what the journal says of it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox
from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.refusals import RULES
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.faults import (
    DropBeforeCommit,
    Garble,
    Gate,
    LoseResponse,
    Refuse,
    Slow,
    load_faults,
)
from mp_oauth_sandbox.journal import moment

CALLBACK = "https://shop.example/mp/callback?tenant=1&flag"


class World:
    def __init__(self, sandbox: Sandbox, http: httpx.Client, app: Application) -> None:
        self.sandbox, self.http, self.app = sandbox, http, app

    def redirect(self, state: str = "s1") -> httpx.Response:
        path = self.sandbox.authorization_url(self.app, state=state).removeprefix(self.sandbox.url)
        return self.http.get(path)

    def exchange(self) -> dict[str, str]:
        code = httpx.URL(self.redirect().headers["location"]).params["code"]
        return {**self.own(), "grant_type": "authorization_code", "code": code} | {
            "redirect_uri": CALLBACK
        }

    def own(self) -> dict[str, str]:
        return {
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "grant_type": "client_credentials",
        }

    def renewal(self, token: str) -> dict[str, str]:
        return {**self.own(), "grant_type": "refresh_token", "refresh_token": token}

    def post(self, body: dict[str, str], **options: Any) -> httpx.Response:
        return self.http.post("/oauth/token", json=body, **options)

    def me(self, token: str) -> httpx.Response:
        return self.http.get("/users/me", headers={"authorization": f"Bearer {token}"})

    def raw(self, body: dict[str, str]) -> socket.socket:
        content = json.dumps(body).encode()
        url = httpx.URL(self.sandbox.url)
        sock = socket.create_connection((url.host, url.port or 0), timeout=10)
        head = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        sock.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return sock


@pytest.fixture(params=["live", "in process"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    live = request.param == "live"
    with Sandbox(live=live) as sandbox:
        sandbox.auto_consent(sandbox.create_seller())
        app = sandbox.register_application(redirect_uris=[CALLBACK])
        transport = httpx.HTTPTransport() if live else sandbox.transport()
        with httpx.Client(transport=transport, base_url=sandbox.url) as http:
            yield World(sandbox, http, app)


live_only = pytest.mark.parametrize("world", ["live"], indirect=True)
in_process = pytest.mark.parametrize("world", ["in process"], indirect=True)


# ---- connections that end ----


def test_a_lost_response_has_spent_the_code(world: World) -> None:
    body = world.exchange()
    armed = world.sandbox.faults.add(LoseResponse(on="exchange"))

    with pytest.raises(httpx.RemoteProtocolError):
        world.post(body)

    entry = world.sandbox.journal.last("token")
    assert (entry.outcome, entry.status, entry.delivery) == ("tokens issued", 200, "dropped")
    assert entry.faults == ("f1 lose-response (match 1)",)
    assert (armed.matched, armed.used, armed.reached, armed.spent) == (1, 1, True, True)
    assert world.post(body).json()["error"] == "invalid_grant"
    assert world.sandbox.journal.last().cause == "code_already_redeemed"


def test_a_drop_before_commit_leaves_the_code_good(world: World) -> None:
    body = world.exchange()
    world.sandbox.faults.add(DropBeforeCommit(on="exchange"))

    with pytest.raises(httpx.RemoteProtocolError):
        world.post(body)

    entry = world.sandbox.journal.last("token")
    assert (entry.status, entry.delivery, entry.cause) == (0, "dropped", None)
    assert world.post(body).status_code == 200


@live_only
@pytest.mark.parametrize("kind", ["lose-response", "drop-before-commit"])
def test_not_one_byte_is_sent_when_the_connection_is_closed(world: World, kind: str) -> None:
    body = world.exchange()
    world.sandbox.faults.add(kind)

    with world.raw(body) as sock:
        assert sock.recv(1) == b""


# ---- late answers ----


@live_only
def test_a_drip_arrives_in_pieces_and_leaves_the_connection_usable(world: World) -> None:
    body = world.exchange()
    world.sandbox.faults.add("drip", seconds=0.2)
    chunks: list[bytes] = []

    with world.http.stream("POST", "/oauth/token", json=body) as answer:
        chunks += answer.iter_raw()

    assert len(chunks) > 3
    assert json.loads(b"".join(chunks))["token_type"]
    assert world.post(world.own()).status_code == 200


def test_a_slow_answer_was_decided_at_once_whoever_hears_it(world: World) -> None:
    body = world.exchange()
    world.sandbox.faults.add(Slow(on="exchange", seconds=600))

    with pytest.raises(httpx.ReadTimeout):
        world.post(body, timeout=0.1)

    assert world.sandbox.journal.last("token").outcome == "tokens issued"
    assert world.post(body).json()["error"] == "invalid_grant"


def test_a_client_that_loses_patience_between_two_drops_was_cut_off(world: World) -> None:
    world.sandbox.faults.add("drip", seconds=600)

    with pytest.raises(httpx.ReadTimeout):
        world.post(world.own(), timeout=0.2)

    entry = world.sandbox.journal.last("token")
    pause = threading.Event()
    while entry.delivery == "pending":
        pause.wait(0.001)
    assert entry.delivery == "cut_off"


@live_only
def test_a_client_that_leaves_with_a_pipelined_request_ends_both(world: World) -> None:
    body = world.exchange()
    world.sandbox.faults.add(Slow(on="exchange", seconds=600))
    gone = threading.Event()

    with world.raw(body) as sock:
        sock.sendall(b"GET /users/me HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not world.sandbox.journal.entries()[-1].faults:
            gone.wait(0.001)
    slow = world.sandbox.journal.last("token")
    for _ in range(500):
        if slow.delivery != "pending":
            break
        gone.wait(0.01)

    assert slow.delivery == "disconnected"


@live_only
def test_closing_ends_what_is_slow(world: World) -> None:
    body = world.exchange()
    world.sandbox.faults.add(Slow(on="exchange", seconds=600))
    decided = threading.Event()
    world.sandbox.journal.subscribe(lambda _: decided.set())

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(world.post, body)
        assert decided.wait(10)
        world.sandbox.close()
        with pytest.raises(httpx.HTTPError):
            answer.result()

    assert world.sandbox.journal.last("token").delivery == "disconnected"


# ---- garbled answers ----


def no_json(answer: httpx.Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return True
    return False


GARBLED: dict[str, Callable[[httpx.Response], bool]] = {
    "truncated": no_json,
    "html": lambda answer: answer.headers["content-type"].startswith("text/html"),
    "empty": lambda answer: answer.content == b"",
    "wrong-charset": no_json,
    "odd-types": lambda answer: isinstance(answer.json()["expires_in"], str),
    "missing-field": lambda answer: "access_token" not in answer.json(),
    "extra-fields": lambda answer: answer.json()["nested"] == {"deep": [1, None]},
    "other-user": lambda answer: answer.json()["user_id"] > 0,
    "no-refresh-token": lambda answer: "refresh_token" not in answer.json(),
    "other-expires-in": lambda answer: answer.json()["expires_in"] == 60,
}


@pytest.mark.parametrize("how", GARBLED)
def test_a_garbled_answer_was_a_good_one(world: World, how: str) -> None:
    body = world.exchange()
    world.sandbox.faults.add("garble", how=how)

    answer = world.post(body)

    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert GARBLED[how](answer)
    assert world.sandbox.journal.last().faults == (f"f1 garble {how} (match 1)",)
    assert world.post(body).json()["error"] == "invalid_grant"


@in_process
@pytest.mark.parametrize("first", GARBLED)
@pytest.mark.parametrize("second", GARBLED)
def test_what_is_garbled_can_be_garbled_again(world: World, first: str, second: str) -> None:
    body = world.exchange()
    for how in (first, second, "other-user"):
        world.sandbox.faults.add("garble", how=how)

    assert world.post(body).status_code == 200


@in_process
@pytest.mark.parametrize(
    "how", ["other-user", "no-refresh-token", "other-expires-in", "missing-field"]
)
def test_a_refusal_without_the_field_stays_as_it_is(world: World, how: str) -> None:
    body = world.own() | {"client_secret": "wrong"}
    plain = world.post(body).content
    world.sandbox.faults.add("garble", how=how)

    assert world.post(body).content == plain


@in_process
def test_a_resource_can_be_of_another_seller(world: World) -> None:
    token = world.post(world.exchange()).json()["access_token"]
    seller = world.me(token).json()["id"]
    world.sandbox.faults.add("garble", on="resource", how="other-user")
    world.sandbox.faults.add("garble", on="/users/*", how="missing-field", first=2)

    assert world.me(token).json()["id"] == seller + 1
    assert "id" not in world.me(token).json()


# ---- refusals ----


@in_process
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_can_be_had_where_it_belongs(world: World, cause: Cause) -> None:
    token = world.post(world.exchange()).json()["access_token"]
    asking = {
        "token": lambda: world.post(world.own()),
        "resource": lambda: world.me(token),
        "authorization": world.redirect,
    }
    served = 0
    for endpoint, ask in asking.items():
        try:
            world.sandbox.faults.add(Refuse(on=endpoint, cause=cause))
        except InvalidInputError:
            continue
        answer = ask()
        served += 1
        assert answer.status_code >= (300 if endpoint == "authorization" else 400)
        assert "..." not in answer.text or endpoint == "authorization"
        assert world.sandbox.journal.last().cause is cause
    assert served, RULES[cause]


@in_process
@pytest.mark.parametrize("shape", ["message", "error_description", "two_keys"])
def test_a_refusal_on_demand_has_the_bytes_of_a_real_one(world: World, shape: str) -> None:
    world.sandbox.change_profile(error_body=shape)
    body = world.exchange()
    wrong = {
        Cause.SECRET_MISMATCH: body | {"client_secret": "wrong"},
        Cause.CODE_UNKNOWN: body | {"code": "TG-0"},
        Cause.REDIRECT_URI_MISMATCH: body | {"redirect_uri": "https://else.example"},
        Cause.GRANT_TYPE_UNSUPPORTED: body | {"grant_type": "password"},
        Cause.PARAMETER_MISSING: body | {"code": ""},
        Cause.REFRESH_UNKNOWN: world.renewal("TG-0"),
    }
    for cause, sent in wrong.items():
        real = world.post(sent)
        assert world.sandbox.journal.last().cause is cause
        world.sandbox.faults.add(Refuse(cause=cause))
        made = world.post(body)
        assert (made.status_code, made.content) == (real.status_code, real.content)
    assert world.post(body).status_code == 200


@in_process
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("profile", [None, 7])
def test_a_status_comes_with_the_retry_after_of_its_fault_and_a_429_with_the_profiles_too(
    world: World, status: int, profile: int | None
) -> None:
    world.sandbox.change_profile(retry_after=profile)
    for wanted in (None, 3) if status in {429, 503} else (None,):
        for on, ask in (
            ("token", lambda: world.post(world.own())),
            ("authorization", world.redirect),
        ):
            world.sandbox.faults.add("refuse", on=on, status=status, retry_after=wanted)
            answer = ask()
            assert answer.status_code == status
            by_profile = profile if (on, status) == ("token", 429) else None
            seconds = wanted or by_profile
            assert answer.headers.get("retry-after") == (seconds and str(seconds))


# ---- redirects ----


@in_process
@pytest.mark.parametrize(
    ("how", "holds"),
    [
        ("drop-state", lambda q: "state" not in q and "code" in q),
        ("drop-code", lambda q: "code" not in q and q["state"] == "s1"),
        ("change-state", lambda q: q["state"] != "s1"),
        ("change-code", lambda q: q["code"].startswith("TG-")),
        ("duplicate-state", lambda q: len(q.get_list("state")) == 2),
        ("duplicate-code", lambda q: len(set(q.get_list("code"))) == 2),
        ("error", lambda q: q["error"] == "server_error" and "code" not in q),
        ("markup", lambda q: q["error_description"].startswith("<img")),
        ("extra", lambda q: q["iss"] == "https://example.test"),
    ],
)
def test_a_tampered_redirect_keeps_all_else(
    world: World, how: str, holds: Callable[[httpx.QueryParams], bool]
) -> None:
    world.sandbox.faults.add("tamper", how=how)

    location = world.redirect().headers["location"]

    assert location.startswith("https://shop.example/mp/callback?")
    assert "tenant=1&flag&" in location + "&"
    assert holds(httpx.URL(location).params)
    assert world.sandbox.journal.last().faults == (f"f1 tamper {how} (match 1)",)


@in_process
def test_a_state_without_a_letter_is_changed_too(world: World) -> None:
    world.sandbox.faults.add("tamper", how="change-state")

    assert httpx.URL(world.redirect("-_-").headers["location"]).params["state"] != "-_-"


# ---- which requests, and how many ----


@in_process
def test_a_sequence_meets_request_after_request(world: World) -> None:
    world.sandbox.faults.sequence(503, "503", "fine", {"kind": "lose-response"})

    assert [world.post(world.own()).status_code for _ in range(3)] == [503, 503, 200]
    with pytest.raises(httpx.RemoteProtocolError):
        world.post(world.own())
    assert world.post(world.own()).status_code == 200


@in_process
@pytest.mark.parametrize(
    ("on", "met"),
    [
        ("token", True),
        ("client_credentials", True),
        ("exchange", False),
        ("refresh", False),
        ("/oauth/token", True),
        ("POST /oauth/*", True),
        ("* /oauth/token", True),
        ("GET /oauth/token", False),
        ("resource", False),
        ("/users/me", False),
    ],
)
def test_a_fault_is_for_what_it_names(world: World, on: str, met: bool) -> None:
    world.sandbox.faults.add("refuse", on=on, status=500)

    assert (world.post(world.own()).status_code == 500) is met


@in_process
def test_a_fault_can_be_for_one_application_or_one_seller(world: World) -> None:
    tokens = world.post(world.exchange()).json()
    add = world.sandbox.faults.add
    add("refuse", status=500, client_id="1", times="always")
    add("refuse", status=500, user_id=1, times="always", on="resource")
    assert world.me(tokens["access_token"]).status_code == 200

    for on in ("refresh", "exchange", "resource", "authorization"):
        add("refuse", status=502, client_id=world.app.client_id, user_id=tokens["user_id"], on=on)

    assert world.me(tokens["access_token"]).status_code == 502
    assert world.post(world.renewal(tokens["refresh_token"])).status_code == 502
    assert world.redirect().status_code == 502
    assert world.post(world.exchange()).status_code == 502


@in_process
def test_of_several_faults_the_later_wraps_the_earlier(world: World) -> None:
    world.sandbox.faults.add("garble", how="html")
    world.sandbox.faults.add("refuse", status=500)
    assert world.post(world.own()).json()["status"] == 500

    world.sandbox.faults.add("refuse", status=500)
    world.sandbox.faults.add("garble", how="html")
    assert world.post(world.own()).text.startswith("<html>")


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "nonsense"}, "kind"),
        ({}, "kind"),
        ({"kind": "slow", "seconds": 0}, "seconds"),
        ({"kind": "slow", "seconds": "1"}, "seconds"),
        ({"kind": "slow", "times": 0}, "times"),
        ({"kind": "slow", "first": 0}, "first"),
        ({"kind": "slow", "surplus": 1}, "surplus"),
        ({"kind": "slow", "on": "nowhere"}, "on"),
        ({"kind": "slow", "on": "post /oauth/token"}, "on"),
        ({"kind": "drip", "on": "authorization"}, "on"),
        ({"kind": "tamper", "on": "token"}, "on"),
        ({"kind": "refuse", "status": 418}, "status"),
        ({"kind": "refuse", "cause": "bad_luck"}, "cause"),
        ({"kind": "refuse", "cause": "token_expired"}, "cause"),
        ({"kind": "refuse", "cause": "code_expired", "on": "authorization"}, "cause"),
        ({"kind": "refuse", "cause": "code_expired", "status": 500}, "cause"),
        ({"kind": "refuse", "status": 500, "retry_after": 1}, "retry_after"),
        ({"kind": "garble", "how": "nicely"}, "how"),
        ({"kind": "garble", "how": "no-refresh-token", "on": "resource"}, "how"),
        ({"kind": "garble", "field": "x"}, "field"),
        ({"kind": "garble", "expires_in": 1}, "expires_in"),
        ({"kind": "gate", "order": [1, 1]}, "order"),
        ({"kind": "gate", "order": [2, 1], "waiting": 3}, "order"),
        ({"kind": "gate", "times": 1}, "times"),
        ({"kind": "gate", "within": 0}, "within"),
    ],
)
@in_process
def test_what_cannot_be_names_its_field_at_every_door(
    world: World, fields: dict[str, Any], field: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        world.sandbox.faults.add(
            str(fields.get("kind", "")), **{k: v for k, v in fields.items() if k != "kind"}
        )
    assert raised.value.field == field

    answer = world.http.post("/_sandbox/faults", json=fields)
    assert (answer.status_code, answer.json()["field"]) == (400, field)

    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    file = tmp_path / "faults.toml"
    file.write_text("\n".join(["[[fault]]", *lines]))
    with pytest.raises(InvalidInputError) as raised:
        load_faults(file)
    assert raised.value.field == f"fault[0].{field}"
    assert len(world.sandbox.faults) == 0


@in_process
@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (Slow(seconds=-1), "seconds"),
        (LoseResponse(on=5), "on"),  # pyright: ignore[reportArgumentType]
        (Gate(waiting=0), "waiting"),
        (Refuse(status=418), "status"),  # pyright: ignore[reportArgumentType]
        (Garble(how="nicely"), "how"),  # pyright: ignore[reportArgumentType]
        (5, "fault"),
    ],
)
def test_an_object_is_checked_like_everything_else(world: World, fault: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        world.sandbox.faults.add(fault)

    assert raised.value.field == field


@in_process
@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("nonsense", "steps[0].kind"),
        ("418", "steps[0].status"),
        ({"kind": "gate"}, "steps[0].kind"),
        ({"kind": "slow", "on": "refresh"}, "steps[0].on"),
        ({"kind": "slow", "times": 2}, "steps[0].times"),
        ("fine", "steps"),
        (1.5, "steps[0]"),
    ],
)
def test_a_step_that_cannot_be_names_its_place(world: World, step: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        world.sandbox.faults.sequence(step)
    assert raised.value.field == field

    answer = world.http.post("/_sandbox/sequences", json={"steps": [step]})
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize("content", [None, b"\xff", b"= 1", b"[[faults]]\nkind = 'slow'"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "faults.toml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidInputError, match="faults"):
        load_faults(file)


# ---- the control API ----


@in_process
def test_faults_are_added_listed_and_removed_over_http(world: World) -> None:
    added = world.http.post("/_sandbox/faults", json={"kind": "lose-response", "on": "refresh"})
    assert added.status_code == 201
    assert added.json()["id"] == "f1"
    steps = world.http.post("/_sandbox/sequences", json={"steps": [503, "fine", "slow"]})
    assert [one["id"] for one in steps.json()["faults"]] == ["f2", "f3"]
    world.post(world.own())

    listed = world.http.get("/_sandbox/faults").json()["faults"]
    seen = [(one["matched"], one["used"], one["reached"], one["spent"]) for one in listed]
    assert seen == [(0, 0, False, False), (1, 1, True, True), (1, 0, False, False)]
    assert world.http.delete("/_sandbox/faults/f1").status_code == 200
    assert world.http.delete("/_sandbox/faults/f1").status_code == 404
    assert world.http.delete("/_sandbox/faults").status_code == 200
    assert world.http.get("/_sandbox/faults").json() == {"faults": [], "next": None}
    notes = [entry.outcome for entry in world.sandbox.journal if entry.kind == "control"]
    assert notes[-2:] == [
        "fault removed: f1 lose-response on refresh (match 1)",
        "faults removed: all",
    ]


@pytest.mark.parametrize("path", [f"/v1/{'a' * 120}", "/v1/TG-0123", "/v1/a b", "/v1/*-end"])
def test_a_fault_meets_its_path_however_long_and_whatever_it_looks_like(
    world: World, path: str
) -> None:
    armed = world.sandbox.faults.add(Refuse(on=path))

    world.http.get(path.replace("*", "TG-0123456789abcdef01234567-1"))

    assert armed.matched == 1


# ---- gates ----


def racing(world: World, count: int) -> list[httpx.Response]:
    """Refreshes of one token, each sent once the one before it waits at the gate."""
    token = world.post(world.exchange()).json()["refresh_token"]
    (gate,) = [armed for armed in world.sandbox.faults if not armed.spent]
    pause = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        calls = []
        for place in range(1, count + 1):
            calls.append(pool.submit(world.post, world.renewal(token)))
            while gate.held < place and place < count:
                pause.wait(0.0005)
        return [each.result() for each in calls]


@pytest.mark.parametrize(
    ("order", "winner"), [("arrival", 0), ("reverse", 2), ([2, 3, 1], 1), ([3, 1, 2], 2)]
)
def test_a_gate_decides_a_race_the_same_way_every_time(
    world: World, order: Any, winner: int
) -> None:
    for _ in range(50):
        world.sandbox.faults.clear()
        world.sandbox.faults.add(Gate(on="refresh", waiting=3, within=30, order=order))

        answers = racing(world, 3)

        won = [place for place, answer in enumerate(answers) if answer.status_code == 200]
        assert won == [winner]


def test_what_a_gate_held_is_in_the_journal_at_the_instant_of_its_decision(world: World) -> None:
    sandbox = world.sandbox
    came, request = sandbox.clock.freeze(), world.exchange()
    gate = sandbox.faults.add(Gate(on="exchange", waiting=2, within=30))
    pause = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(world.post, request)
        while not gate.held:
            pause.wait(0.0005)
        decided = sandbox.clock.advance(minutes=9)
        sandbox.faults.clear()
        assert call.result().status_code == 200

    entry = sandbox.journal.last(kind="token")

    assert came < decided == entry.at
    assert sandbox.explain(request["code"]).facts["spent_at"] == moment(decided)


@pytest.mark.parametrize("opening", ["within", "remove", "clear", "reset", "close"])
def test_a_gate_does_not_hold_for_ever(world: World, opening: str) -> None:
    within = 0.05 if opening == "within" else 300
    gate = world.sandbox.faults.add(Gate(waiting=2, within=within))
    pause = threading.Event()
    act = {
        "within": lambda: None,
        "remove": lambda: world.sandbox.faults.remove(gate.name),
        "clear": world.sandbox.faults.clear,
        "reset": world.sandbox.reset,
        "close": world.sandbox.close,
    }

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(world.post, world.own())
        while not gate.held and not answer.done():
            pause.wait(0.001)
        act[opening]()
        # After a reset the application is gone.
        assert answer.result(10).status_code == (400 if opening == "reset" else 200)

    assert gate.held == 0


def test_more_times_than_a_gate_holds_make_rounds(world: World) -> None:
    gate = world.sandbox.faults.add(Gate(waiting=2, within=300, times=4))

    for _ in range(2):
        with ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(world.post, world.own()) for _ in range(2)]
            assert [each.result(10).status_code for each in calls] == [200, 200]

    assert (gate.used, gate.held, gate.spent) == (4, 0, True)


def test_a_client_that_leaves_a_gate_is_decided_in_its_turn(world: World) -> None:
    token = world.post(world.exchange()).json()["refresh_token"]
    gate = world.sandbox.faults.add(Gate(on="refresh", waiting=2, within=300))

    with pytest.raises(httpx.ReadTimeout):
        world.post(world.renewal(token), timeout=0.1)
    second = world.post(world.renewal(token))

    assert second.json()["error"] == "invalid_grant"
    entries = [entry for entry in world.sandbox.journal if entry.grant_type == "refresh_token"]
    assert [entry.cause for entry in entries] == [None, "refresh_replaced"]
    assert entries[0].delivery == "disconnected"
    assert gate.held == 0
