"""No input whatever makes a 5xx, a stack trace, or a hang."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.hosting.live import LiveServer
from mp_oauth_sandbox.web.app import create_app
from mp_oauth_sandbox.web.bodies import BodyLimits

CALLBACK = "https://shop.example/mp/callback"
SECRET = "SecretOfTheFuzzedApplication0000"
#: httpx refuses to send other header values.
HEADER = st.binary(max_size=60).map(lambda value: bytes(b for b in value if b not in b"\r\n\0"))
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CONTENT_TYPES = [FORM, JSON, f"{JSON}; charset=utf-16", "text/plain", "multipart/form-data", ""]

fuzzed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["memory", "sqlite"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    data = tmp_path / "sandbox.db" if request.param == "sqlite" else None
    with Sandbox(live=False, data=data) as sandbox:
        sandbox.register_application(
            redirect_uris=[CALLBACK], client_id="123", client_secret=SECRET
        )
        sandbox.create_seller(user_id=5)
        with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
            yield client


def sound(answer: httpx.Response, *, is_json: bool = False) -> httpx.Response:
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text
    if is_json:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        answer.json()
    return answer


def target(client: httpx.Client, method: str, raw: bytes) -> httpx.Response:
    """A request for exactly these bytes, which no URL library has tidied up."""
    request = client.build_request(method, "/", extensions={"target": raw})
    return client.send(request)


# ---- bodies ----

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**400, -(10**30), 2**63, "123", SECRET, "authorization_code", CALLBACK])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
TOKEN_FIELDS = [
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "redirect_uri",
    "code_verifier",
    "test_token",
    "refresh_token",
    "scope",
]
GRANTS = st.sampled_from(["authorization_code", "refresh_token", "client_credentials"])


@fuzzed
@given(body=st.binary(max_size=200), content_type=st.sampled_from(CONTENT_TYPES))
@example(body=b"[" * 60_000, content_type=JSON)
@example(body=b'{"a":' * 12_000, content_type=JSON)
@example(body=b'{"client_id": 1' + b"0" * 5000 + b"}", content_type=JSON)
@example(body=b'{"grant_type": "\\ud800"}', content_type=JSON)
@example(body=b'{"code": NaN, "client_id": -Infinity}', content_type=JSON)
@example(body=b'{"code": "a", "code": "b"}', content_type=JSON)
@example(body=b'{"\\ud800": 1, "\\ud800": 2}', content_type=JSON)
@example(body=b"\xef\xbb\xbf{}", content_type=JSON)
@example(body=b"code=%ff&%ff=%00&grant_type=%ED%A0%80&=&&==&;", content_type=FORM)
@example(body=b"&" * 60_000, content_type=FORM)
def test_any_body_is_answered(client: httpx.Client, body: bytes, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = sound(client.post("/oauth/token", content=body, headers=headers), is_json=True)
    assert answer.status_code == 400
    for path in ("/applications", "/sellers", "/clock/advance", "/revocations"):
        answer = client.post(f"/_sandbox{path}", content=body, headers=headers)
        assert 400 <= sound(answer, is_json=True).status_code < 500
    sound(client.patch("/_sandbox/profile", content=body, headers=headers), is_json=True)
    for path in ("/authorization/sign-in", "/authorization/consent", "/callback"):
        sound(client.post(path, content=body, headers=headers))


@fuzzed
@given(fields=st.dictionaries(st.sampled_from(TOKEN_FIELDS), VALUES), grant=st.none() | GRANTS)
@example(fields={"code": "\ud800", "redirect_uri": "\ud800"}, grant="authorization_code")
@example(fields={"refresh_token": "x" * 10_000, "scope": "\0"}, grant="refresh_token")
@example(fields={"code_verifier": "é" * 64, "code": "é"}, grant="authorization_code")
@example(fields={"client_id": "²", "client_secret": "é"}, grant="client_credentials")
def test_any_token_request_is_answered(
    client: httpx.Client, fields: dict[str, object], grant: str | None
) -> None:
    if grant is not None:
        fields = {"grant_type": grant, "client_id": "123", "client_secret": SECRET} | fields
    body = json.dumps(fields)  # NaN, Infinity and lone surrogates as Python writes them
    for preset in ("strict", "legacy"):
        client.patch("/_sandbox/profile", json={"preset": preset})
        headers = {"Content-Type": JSON}
        sound(client.post("/oauth/token", content=body, headers=headers), is_json=True)


CALLS = [
    ("POST", "/applications", ["name", "redirect_uris", "client_id", "owner", "lifetimes"]),
    ("PATCH", "/applications/123", ["name", "redirect_uris", "scopes", "webhook", "lifetimes"]),
    ("POST", "/sellers", ["country", "nickname", "user_id", "collaborator_of"]),
    ("PUT", "/consent", ["mode", "seller"]),
    ("POST", "/clock/advance", ["seconds"]),
    ("POST", "/clock/travel", ["to"]),
    ("POST", "/revocations", ["reason", "client_id", "user_id"]),
    ("POST", "/webhooks/simulate", ["client_id", "user_id", "action"]),
    ("PATCH", "/profile", ["name", "preset", "retry_after", "default_scopes", "redirect_status"]),
]
LIKELY: dict[str, object] = {
    "name": "Shop",
    "redirect_uris": [CALLBACK],
    "country": "AR",
    "mode": "auto",
    "reason": "unlinked",
    "client_id": "123",
}


@fuzzed
@given(call=st.sampled_from(CALLS), data=st.data())
def test_any_control_call_is_answered(
    client: httpx.Client, call: tuple[str, str, list[str]], data: st.DataObject
) -> None:
    method, path, names = call
    fields = data.draw(st.dictionaries(st.sampled_from(names), VALUES))
    likely = {name: LIKELY[name] for name in names if name in LIKELY}
    body = json.dumps(data.draw(st.sampled_from([fields, likely | fields])))
    headers = {"Content-Type": JSON}
    sound(client.request(method, f"/_sandbox{path}", content=body, headers=headers), is_json=True)
    for after in ("/_sandbox/journal", "/_sandbox/applications", "/_sandbox/clock"):
        assert sound(client.get(after), is_json=True).status_code == 200
    assert sound(client.get("/")).status_code == 200


# ---- targets and headers ----


@fuzzed
@given(query=st.binary(max_size=100))
@example(query=b"client_id=123&redirect_uri=%ff&state=%ff")
@example(query=b"client_id=%00&response_type=%ED%A0%80")
@example(query=b"client_id=123&lang=\xff\xfe&lang=%ff")
@example(query=b"client_id=" + "²".encode() + b"&redirect_uri=http://[")
@example(query=b"&" * 2000)
def test_any_query_is_answered(client: httpx.Client, query: bytes) -> None:
    likely = f"client_id=123&response_type=code&redirect_uri={CALLBACK}&".encode()
    for more in (b"", likely):
        for path in (b"/authorization", b"/authorization/consent", b"/callback", b"/"):
            sound(target(client, "GET", path + b"?" + more + query))
    sound(target(client, "POST", b"/oauth/token?" + query), is_json=True)
    sound(target(client, "GET", b"/users/me?" + query), is_json=True)
    sound(target(client, "GET", b"/_sandbox/journal?" + query), is_json=True)
    sound(target(client, "GET", b"/nothing?" + query), is_json=True)


@fuzzed
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "X-Y"]),
    path=st.binary(max_size=40),
    under=st.sampled_from([b"/", b"/_sandbox/", b"/_sandbox/static/", b"/_sandbox/applications/"]),
)
@example(method="GET", path=b"%00", under=b"/_sandbox/static/")
@example(method="GET", path=b"..%2f..%2f..%2fpyproject.toml", under=b"/_sandbox/static/")
@example(method="GET", path=b"x" * 5000, under=b"/_sandbox/static/")
@example(method="GET", path=b"%ff%fe%ED%A0%80", under=b"/_sandbox/applications/")
@example(method="GET", path=b"/evil.example/%2e%2e", under=b"/")
def test_any_path_is_answered(client: httpx.Client, method: str, path: bytes, under: bytes) -> None:
    answer = sound(target(client, method, under + path.replace(b"?", b"")))
    assert "location" not in answer.headers
    assert "[project]" not in answer.text


@fuzzed
@given(
    name=st.sampled_from(
        [
            "Host",
            "Origin",
            "Authorization",
            "Cookie",
            "Content-Type",
            "Content-Length",
            "Accept-Language",
            "Sec-Fetch-Site",
            "X-Idempotency-Key",
        ]
    ),
    value=HEADER,
)
@example(name="Host", value=b"[")
@example(name="Host", value=b"localhost:99999999999")
@example(name="Content-Length", value=b"\xb2")
@example(name="Content-Length", value=b"9" * 50)
@example(name="Authorization", value=b"Bearer \xff")
@example(name="Cookie", value=b'__mp_sandbox="\\377"; =; ;;')
def test_any_header_is_answered(client: httpx.Client, name: str, value: bytes) -> None:
    headers = {name.encode(): value}
    sound(client.get("/users/me", headers=headers), is_json=True)
    sound(client.get("/nothing", headers=headers), is_json=True)
    sound(client.post("/oauth/token", content=b"{}", headers=headers), is_json=True)
    sound(client.get("/_sandbox/clock", headers=headers), is_json=True)
    sound(client.post("/_sandbox/sellers", content=b"{}", headers=headers), is_json=True)
    for path in ("/", "/callback?code=a", "/authorization?client_id=123"):
        sound(client.get(path, headers=headers))


# ---- over a socket ----


def exchange(server: LiveServer, *pieces: bytes, finish: bool = True) -> bytes:
    """Send these bytes and read until the server has closed."""
    with socket.create_connection((server.host, server.port), timeout=20) as sock:
        try:
            for piece in pieces:
                sock.sendall(piece)
            if finish:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has heard enough and hung up.
        received = b""
        try:
            while chunk := sock.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        return received


@contextmanager
def served(**limits: object) -> Iterator[tuple[Sandbox, LiveServer]]:
    with Sandbox(live=False) as sandbox:
        app = create_app(sandbox._engine, body_limits=BodyLimits(**limits))  # type: ignore[arg-type]
        with LiveServer(app) as server:
            yield sandbox, server


LINES = st.sampled_from(
    [
        b"POST /oauth/token HTTP/1.1\r\n",
        b"GET /authorization?client_id=\xff HTTP/1.1\r\n",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET //evil HTTP/1.0\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n",
        b"\r\n\r\n",
        b"Host: localhost\r\n",
        b"Host: [\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Type: application/json\r\n",
        b"Connection: close\r\n",
        b"fffffffffffffffff\r\n",
        b"0\r\n\r\n",
    ]
)


@pytest.mark.hypothesis
def test_malformed_http_is_answered_or_hung_up_on() -> None:
    with served() as (_, server):

        @given(pieces=st.lists(LINES | st.binary(max_size=30), max_size=8))
        def answered(pieces: list[bytes]) -> None:
            received = exchange(server, b"".join(pieces))
            assert b"HTTP/1.1 5" not in received
            assert b"Traceback" not in received

        answered()
        assert httpx.get(f"{server.url}/_sandbox/health").status_code == 200


HEAD = b"Host: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "line", [b"POST /oauth/token", b"POST /_sandbox/sellers", b"POST /callback"]
)
def test_a_slow_body_is_not_waited_for(line: bytes) -> None:
    with served(time=timedelta(milliseconds=50)) as (sandbox, server):
        head = line + b" HTTP/1.1\r\n" + HEAD + b"Content-Length: 10\r\n\r\n{"
        received = exchange(server, head, finish=False)
        if b"token" in line:
            assert received.startswith(b"HTTP/1.1 400 ")
            assert sandbox.journal.last().cause == "body_too_slow"
        else:
            assert received.startswith(b"HTTP/1.1 408 ")
        assert b"0.05 seconds" in received or b"token" in line


@pytest.mark.parametrize(
    "line", [b"POST /oauth/token", b"POST /_sandbox/sellers", b"POST /callback"]
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_large_body_is_refused_at_once(line: bytes, declared: bool) -> None:
    with served(size=1000) as (sandbox, server):
        head = line + b" HTTP/1.1\r\n" + HEAD
        if declared:
            sent = head + b"Content-Length: 100000\r\n\r\n{"
        else:
            sent = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"3e9\r\n" + b"x" * 1001
        received = exchange(server, sent, finish=False)
        if b"token" in line:
            assert received.startswith(b"HTTP/1.1 400 ")
            assert sandbox.journal.last().cause == "body_too_large"
        else:
            assert received.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_leaves_in_its_body_leaves_nothing_behind() -> None:
    with served() as (sandbox, server):
        for line in (b"POST /oauth/token", b"POST /_sandbox/sellers", b"POST /callback"):
            head = line + b" HTTP/1.1\r\n" + HEAD + b"Content-Length: 10\r\n\r\n{"
            exchange(server, head)

        async def tasks() -> list[str]:
            # Their ends are in the loop already; give each a turn.
            left = ["not looked yet"]
            for _ in range(100):
                others = asyncio.all_tasks() - {asyncio.current_task()}
                left = [str(one) for one in others if "guard" in str(one)]
                if not left:
                    break
                await asyncio.sleep(0.01)
            return left

        loop = server._thread.loop
        assert asyncio.run_coroutine_threadsafe(tasks(), loop).result() == []
        assert len(sandbox.journal) == 0
