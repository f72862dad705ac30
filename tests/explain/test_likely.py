"""A refused request is explained by what its sender probably did, and the wire stays as it is."""

import gzip
import hashlib
import json
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote, urlencode

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller
from mp_oauth_sandbox.core import pkce
from mp_oauth_sandbox.journal import Entry

CALLBACK = "https://shop.example/mp/callback"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(live=False) as sandbox:
        yield sandbox


class Shop:
    """An application and its seller, who says yes at once."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.seller: Seller = sandbox.create_seller(country="AR", nickname="ANA")
        self.application: Application = sandbox.register_application(
            name="Tienda", redirect_uris=[CALLBACK]
        )
        sandbox.auto_consent(self.seller)
        self.http = httpx.Client(transport=sandbox.transport(), base_url=sandbox.url)

    def code(self) -> str:
        answer = self.http.get(self.sandbox.authorization_url(self.application))
        return httpx.URL(answer.headers["location"]).params["code"]

    def body(self, **fields: str) -> dict[str, str]:
        application = self.application
        return {
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "redirect_uri": CALLBACK,
            **fields,
        }

    def tokens(self) -> dict[str, str]:
        answer: dict[str, str] = self.http.post(
            "/oauth/token", json=self.body(code=self.code())
        ).json()
        return answer

    def explained(self) -> str:
        """What the journal says of the newest exchange, which must show no secret."""
        entry: Entry = self.sandbox.journal.last()
        text = entry.explain()
        for secret in self.secrets():
            assert secret not in text
        return text

    def secrets(self) -> list[str]:
        stored = [one.secret for one in self.sandbox._engine.store.newest(1000)]
        return [*stored, self.application.client_secret]


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    shop = Shop(sandbox)
    with shop.http:
        yield shop


ADDRESSES = {
    ("POST", "/oauth/token/"): ("/oauth/token, with a slash behind it", "POST to it"),
    ("GET", "/authorization/"): ("/authorization, with a slash behind it", "seller's browser"),
    ("POST", "/OAuth/Token"): ("/oauth/token, written otherwise", "POST to it"),
    ("POST", "/oauth/token%20"): ("/oauth/token, written otherwise", "POST to it"),
    ("POST", "/oauth/tokens"): ("/oauth/token, with one character too many", "POST to it"),
    ("POST", "/v1/oauth/token"): ("/oauth/token, behind another path", "POST to it"),
    ("POST", "/oauth/access_token"): ("another server's path", "Use /oauth/token"),
    ("GET", "/oauth/authorize"): ("another server's path", "Use /authorization"),
    ("GET", "/authorizaton"): ("/authorization, with one character missing", "exactly"),
    ("GET", "/users/me/"): ("/users/me, with a slash behind it", "exactly"),
    ("GET", "/user/me"): ("the nearest one is /users/me", "exactly"),
    ("POST", "/users/me"): ("there is GET /users/me, and not POST", "Send GET"),
    ("OPTIONS", "/oauth/token"): ("a browser's preflight (CORS)", "from your server"),
    ("GET", "/oauth/token?client_secret=x"): ("its URL is in every log", "POST to /oauth/token"),
    ("PUT", "/oauth/token"): ("sent with PUT", "POST to /oauth/token"),
    ("POST", "/authorization"): ("sent with POST", "Redirect the seller's browser"),
    ("GET", "/.well-known/openid-configuration"): ("discovery (RFC 8414)", "by hand"),
    ("GET", "/.well-known/oauth-authorization-server"): ("discovery (RFC 8414)", "by hand"),
    ("GET", "/oauth/jwks.json"): ("publish keys", "Do not verify tokens"),
    ("GET", "/oauth/userinfo"): ("userinfo", "GET /users/me"),
    ("OPTIONS", "/v1/payments"): ("a browser's preflight (CORS)", "from your server"),
    ("POST", "/oauth"): ("a token request without its path", "POST to /oauth/token"),
    ("POST", "/oauth/introspect"): ("RFC 7662", "take a 401"),
}


@pytest.mark.parametrize(("asked", "told"), ADDRESSES.items(), ids=str)
def test_a_path_or_method_that_is_almost_one_is_named(
    shop: Shop, asked: tuple[str, str], told: tuple[str, str]
):
    answer = shop.http.request(*asked)

    text = shop.explained()
    assert answer.status_code in {401, 404}
    assert told[0] in text
    assert told[1] in text


def test_two_slashes_at_the_beginning_are_named():
    with Sandbox() as live:
        url = httpx.URL(live.url)
        with socket.create_connection((url.host, url.port or 0), timeout=10) as sock:
            sock.sendall(
                b"POST //oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            )
            assert b" 401 " in sock.recv(4096)
        assert "/oauth/token, with a slash too many" in live.journal.last().explain()


@pytest.mark.parametrize("path", ["/nothing/at/all", "/favicon.ico", "/v1/customers/7"])
def test_a_path_that_is_near_to_nothing_is_left_alone(shop: Shop, path: str):
    shop.http.get(path)

    assert "Most likely" not in shop.explained()


class Values:
    """What a shop has to mix up."""

    def __init__(self, shop: Shop) -> None:
        self.code, self.tokens = shop.code(), shop.tokens()
        self.label = shop.sandbox._engine.mint.label(self.code)
        self.secret, self.number = shop.application.client_secret, shop.application.client_id
        self.key, self.seller = shop.application.public_key, str(shop.seller.user_id)
        other = shop.sandbox.register_application(name="Otra", redirect_uris=[CALLBACK])
        self.other = other.client_secret


ALMOST: dict[str, tuple[Callable[[Values], dict[str, str]], str]] = {
    "a space": (lambda v: {"code": f"{v.code} "}, "code is the authorization code TG-...#"),
    "state": (lambda v: {"code": f"{v.code}&state=1"}, "with `&state=` and what follows it"),
    "quotes": (lambda v: {"code": f'"{v.code}"'}, "in quotes"),
    "undefined": (lambda _: {"code": "undefined"}, "code is the text `undefined`"),
    "a label": (lambda v: {"code": v.label}, "the short name by which"),
    "cut off": (lambda v: {"code": v.code[:20]}, "cut off after 20 of"),
    "upper case": (lambda v: {"code": v.code.upper()}, "another mix of upper and lower case"),
    "secret, line": (lambda v: {"client_secret": f"{v.secret}\n"}, "with a line break behind it"),
    "secret, cut": (lambda v: {"client_secret": v.secret[:-1]}, "cut off after 31 of 32"),
    "secret, other": (lambda v: {"client_secret": v.other}, "of application Otra"),
    "id, quoted": (lambda v: {"client_id": f'"{v.number}"'}, "the client_id of application Tienda"),
    "id, of seller": (lambda v: {"client_id": v.seller}, "which the panel shows beside"),
    "swapped": (
        lambda v: {"client_id": v.secret, "client_secret": v.number},
        "and not a client_id",
    ),
    "id, a digit": (lambda v: {"client_id": f"{v.number}7"}, "one character too many, number 17"),
    "grant type": (
        lambda _: {"grant_type": "authorization-code"},
        "grant_type is authorization_code, with",
    ),
    "grant": (
        lambda _: {"grant_type": "AuthorizationCode"},
        "grant_type is to be authorization_code",
    ),
    "key as secret": (lambda v: {"client_secret": v.key}, "the public_key of"),
    "token, quoted": (
        lambda v: {
            "grant_type": "refresh_token",
            "refresh_token": f"'{v.tokens['refresh_token']}'",
        },
        "the refresh token TG-...#",
    ),
}


@pytest.mark.parametrize("slip", ALMOST)
def test_a_value_that_is_almost_a_known_one_is_named(shop: Shop, slip: str):
    made, told = ALMOST[slip]
    body = {"code": shop.code(), **made(Values(shop))}

    assert shop.http.post("/oauth/token", json=shop.body(**body)).status_code == 400

    assert told in shop.explained()


def test_a_code_challenge_that_was_made_otherwise_is_named(shop: Shop):
    verifier = "v" * 50
    url = shop.sandbox.authorization_url(shop.application)
    for challenge, told in (
        (pkce.s256(verifier), "made with S256, and the authorization request did not say so"),
        (hashlib.sha256(verifier.encode()).hexdigest(), "the SHA-256 in hexadecimal"),
    ):
        answer = shop.http.get(f"{url}&code_challenge={challenge}")
        code = httpx.URL(answer.headers["location"]).params["code"]

        shop.http.post("/oauth/token", json=shop.body(code=code, code_verifier=verifier))

        assert told in shop.explained()


@pytest.mark.parametrize("place", ["path", "redirect_uri", "host", "type", "encoded"])
def test_a_secret_of_any_shape_is_shown_nowhere(sandbox: Sandbox, place: str):
    application = sandbox.register_application(
        redirect_uris=[CALLBACK], client_secret="A-secret.1+x"
    )
    secret = application.client_secret
    query = f"client_id={application.client_id}&response_type=code&redirect_uri="
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
        pages = {
            "path": lambda: http.get(f"/x/{secret}/y"),
            "redirect_uri": lambda: http.get(f"/authorization?{query}https://x.example/{secret}"),
            "host": lambda: http.get(f"/authorization?{query}https://u:{secret}@x.example/"),
            "encoded": lambda: http.get(
                f"/authorization?{query}https://x.example/{quote(quote(secret, safe=''))}"
            ),
            "type": lambda: http.post(
                "/oauth/token", content=b"x", headers={"content-type": f"text/{secret}"}
            ),
        }
        answer = pages[place]()
    told = sandbox.journal.last().explain() + answer.text

    for form in (secret, quote(secret, safe="")):
        assert form.lower() not in told.lower()


def test_a_refusal_by_a_fault_accuses_nobody(shop: Shop):
    shop.sandbox.faults.add("refuse", cause="parameter_missing", on="exchange")

    shop.http.post("/oauth/token", json=shop.body(code=shop.code(), client_secret="undefined"))

    assert "an armed fault answered so" in shop.explained()
    assert "undefined" not in shop.explained()


def test_a_refresh_token_in_the_field_of_a_code_is_sent_to_its_own(shop: Shop):
    token = shop.tokens()["refresh_token"]

    shop.http.post("/oauth/token", json=shop.body(grant_type="refresh_token", code=token))

    assert "Send it as refresh_token, with grant_type=refresh_token" in shop.explained()


BEARERS: dict[str, tuple[Callable[[str, Application], str], str]] = {
    "twice": (lambda token, _: f"Bearer Bearer {token}", "with `Bearer` before it"),
    "cut": (lambda token, _: f"Bearer {token[:64]}", "cut off after 64 of"),
    "bare": (lambda token, _: token, "does not begin with `Bearer `"),
    "another word": (lambda token, _: f"Token {token}", "does not begin with `Bearer `"),
    "quoted": (lambda token, _: f'Bearer "{token}"', "in quotes"),
    "null": (lambda *_: "Bearer null", "the token is the text `null`"),
    "nothing": (lambda *_: "Bearer", "nothing follows `Bearer`"),
    "secret": (lambda _, one: f"Bearer {one.client_secret}", "the client_secret of application"),
    "basic": (
        lambda _, one: f"Basic {b64encode(f'{one.client_id}:x'.encode()).decode()}",
        "Basic authentication",
    ),
}


@pytest.mark.parametrize("slip", BEARERS)
def test_a_bearer_token_that_is_almost_one_is_named(shop: Shop, slip: str):
    made, told = BEARERS[slip]
    authorization = made(shop.tokens()["access_token"], shop.application)

    answer = shop.http.get("/users/me", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert told in shop.explained()


BODIES: dict[str, tuple[str, Callable[[dict[str, str]], bytes], str]] = {
    "json as form": ("form", lambda b: json.dumps(b).encode(), "the body is JSON, sent as a form"),
    "form as json": ("json", lambda b: urlencode(b).encode(), "the body is a form"),
    "gzip": ("json", lambda b: gzip.compress(json.dumps(b).encode()), "compressed (gzip)"),
    "utf-16": ("json", lambda b: json.dumps(b).encode("utf-16"), "UTF-16"),
    "bom": ("json", lambda b: json.dumps(b).encode("utf-8-sig"), "byte order mark"),
    "twice": ("json", lambda b: json.dumps(json.dumps(b)).encode(), "encoded twice"),
    "list": ("json", lambda b: json.dumps([b]).encode(), "a list of objects"),
    "python": ("json", lambda b: str(b).encode(), "Python's text of a dictionary"),
    "nested": ("json", lambda b: json.dumps({"data": b}).encode(), "inside of `data`"),
    "object": ("json", lambda _: b"[object Object]", "nobody has encoded"),
    "no type": ("", lambda b: json.dumps(b).encode(), "sent without a Content-Type"),
    "multipart": (
        "multipart",
        lambda _: b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n1\r\n--x--\r\n',
        "a multipart form",
    ),
    "xml": ("json", lambda _: b"<xml/>", "XML or HTML"),
    "cut": ("json", lambda b: json.dumps(b).encode()[:-1], "ends in the middle"),
    "comma": ("json", lambda b: json.dumps(b).encode()[:-1] + b",}", "almost JSON"),
    "names": (
        "json",
        lambda b: json.dumps(
            {"grantType": "x", "clientId": b["client_id"], "secret": "x"}
        ).encode(),
        "`grantType` is `grant_type`, `clientId` is `client_id`, `secret` is `client_secret`",
    ),
}
TYPES = {
    "json": {"content-type": "application/json"},
    "form": {"content-type": "application/x-www-form-urlencoded"},
    "multipart": {"content-type": "multipart/form-data; boundary=x"},
    "": dict[str, str](),
}


@pytest.mark.parametrize("slip", BODIES)
def test_a_body_that_is_something_else_is_named(shop: Shop, slip: str):
    media_type, made, told = BODIES[slip]
    content = made(shop.body(code=shop.code()))

    answer = shop.http.post("/oauth/token", content=content, headers=TYPES[media_type])

    assert answer.status_code == 400
    assert told in shop.explained()


PAGES = {
    "client_id={id}%20&response_type=code&redirect_uri={uri}": "with a space behind it",
    "client_id=undefined&response_type=code&redirect_uri={uri}": "the text `undefined`",
    "client_id={id}&response_type=token&redirect_uri={uri}": "the implicit flow",
    "clientId={id}&response_type=code&redirect_uri={uri}": "`clientId` is `client_id`",
    "client_id={id}&response_type=code&redirect_url={uri}": "`redirect_url` is `redirect_uri`",
    "client_id={id}&response_type=code&redirect_uri={uri}?x=1": "with a query behind it",
}


@pytest.mark.parametrize(("query", "told"), PAGES.items(), ids=PAGES.values())
def test_the_page_says_so_too(shop: Shop, query: str, told: str):
    uri = CALLBACK
    page = shop.http.get(f"/authorization?{query.format(id=shop.application.client_id, uri=uri)}")

    assert page.status_code == 400
    assert told in page.text
    assert told in shop.explained()


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda _, challenge: challenge, "code_verifier is the code_challenge itself"),
        (lambda verifier, _: f"{verifier} ", "the right one, with a space behind it"),
        (lambda verifier, _: f'"{verifier}"', "the right one, in quotes"),
    ],
)
def test_a_verifier_that_is_almost_the_right_one_is_named(
    shop: Shop, slip: Callable[[str, str], str], told: str
):
    verifier = "v" * 50
    challenge = pkce.s256(verifier)
    url = shop.sandbox.authorization_url(shop.application)
    answer = shop.http.get(f"{url}&code_challenge={challenge}&code_challenge_method=S256")
    code = httpx.URL(answer.headers["location"]).params["code"]

    shop.http.post(
        "/oauth/token", json=shop.body(code=code, code_verifier=slip(verifier, challenge))
    )

    assert told in shop.explained()


def test_right_values_are_not_suspected_whatever_else_is_wrong(shop: Shop):
    spent = shop.code()
    assert shop.http.post("/oauth/token", json=shop.body(code=spent)).status_code == 200
    late = shop.code()
    shop.sandbox.clock.advance(timedelta(minutes=11))
    for code in (spent, late, "TG-00000000000000000000abcd-5"):
        assert shop.http.post("/oauth/token", json=shop.body(code=code)).status_code == 400
        assert "Most likely" not in shop.explained()


def test_a_secret_that_looks_like_a_placeholder_is_not_suspected(sandbox: Sandbox):
    application = sandbox.register_application(redirect_uris=[CALLBACK], client_secret="secret")
    body = {"grant_type": "authorization_code", "client_id": application.client_id}
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
        http.post("/oauth/token", json={**body, "client_secret": "secret", "code": "TG-1"})

    assert "Most likely" not in sandbox.journal.last().explain()


@pytest.mark.parametrize("slip", ["{}.", "{},", "{}\\n", "<{}", "{}7"])
def test_explain_names_the_value_that_a_pasted_one_almost_is(shop: Shop, slip: str):
    explained = shop.sandbox.explain(slip.format(shop.code()))

    assert explained.kind == "code"


def test_explain_names_the_path_that_a_pasted_one_almost_is(shop: Shop):
    text = shop.sandbox.explain("http://localhost:8970/.well-known/openid-configuration").text

    assert "discovery" in text


REDIRECTS = {
    f"{CALLBACK.replace('https', 'http')}/": "with http for https and with a slash behind it",
    f"{CALLBACK}?next=1": "with a query behind it",
    CALLBACK.replace("shop", "www.shop"): "with another `www.`",
    f"{CALLBACK} x": "with ` ` and what follows it behind it",
    CALLBACK[:-2]: "cut off after 30 of 32 characters",
}


@pytest.mark.parametrize(("sent", "told"), REDIRECTS.items(), ids=REDIRECTS.values())
def test_an_address_that_is_almost_the_registered_one_is_named(shop: Shop, sent: str, told: str):
    shop.http.post("/oauth/token", json=shop.body(code=shop.code(), redirect_uri=sent))

    assert told in shop.explained()
