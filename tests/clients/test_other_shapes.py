"""Token requests as other official SDKs and well-known clients send them, byte shape by shape.

Many put the platform's access token into client_secret and send no client_id, as Mercado
Pago's guides of 2019 to 2021 told: refused today, accepted under the legacy profile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from mp_oauth_sandbox import Application, Sandbox
from mp_oauth_sandbox.core.profile import PRESETS

JSON = {"content-type": "application/json"}
JSON_CHARSET = {"content-type": "application/json; charset=UTF-8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
BEARER = {"authorization": "Bearer the-platforms-own-token"}
KEY = {"x-idempotency-key": "0d5020ed-1af6-469c-ae06-c3bec19954bb"}
TRACKING = {"x-product-id": "bc32a7vtrpp001u8nhjg", "x-tracking-id": "platform:v20,type:SDK,so;"}

CLIENT_ID_MISSING = (
    b'{"message":"the following parameters are required: grant_type, client_id, client_secret.'
    b' Missing parameters: client_id","error":"invalid_request","status":400,"cause":[]}'
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What one client sends: its headers, and the fields in its order."""

    client: str
    headers: Mapping[str, str]
    create: str
    refresh: str
    # The secret is the platform's access token, and no client_id goes with it.
    token_as_secret: bool = False


SHAPES = [
    Shape(
        client="Node 3.3.0",
        headers=JSON | BEARER | KEY | TRACKING | {"x-test-token": "true"},
        create="client_secret client_id code redirect_uri grant_type",
        refresh="client_secret client_id refresh_token grant_type",
    ),
    Shape(
        client="Python 3.5.0",
        headers=JSON | BEARER | {"accept": "application/json", "x-idempotency-key": "3" * 39},
        create="client_secret code redirect_uri grant_type",
        refresh="client_secret refresh_token grant_type",
        token_as_secret=True,
    ),
    Shape(
        client="Java",
        headers=JSON | KEY | {"accept": "application/json"},
        create="grant_type client_secret code redirect_uri",
        refresh="grant_type client_secret refresh_token",
        token_as_secret=True,
    ),
    Shape(
        client=".NET 3.5.0 with the access token",
        headers=JSON,
        create="client_secret grant_type code redirect_uri",
        refresh="client_secret grant_type refresh_token",
        token_as_secret=True,
    ),
    Shape(
        client=".NET 3.5.0 with id and secret",
        headers=JSON,
        create="client_id client_secret grant_type code redirect_uri",
        refresh="client_secret grant_type refresh_token",
    ),
    Shape(
        client="Go 1.14.0",
        headers=JSON_CHARSET | BEARER | KEY | {"x-request-id": "8a1c3d4e"},
        create="grant_type client_secret code redirect_uri",
        refresh="grant_type client_secret refresh_token",
        token_as_secret=True,
    ),
    Shape(
        client="PHP 3.13.0",
        headers=JSON_CHARSET | BEARER | KEY,
        create="client_secret client_id grant_type code redirect_uri",
        refresh="client_secret client_id grant_type refresh_token",
    ),
    Shape(
        client="PHP 2.6",
        headers=JSON,
        create="client_secret grant_type code redirect_uri",
        refresh="client_secret grant_type refresh_token",
        token_as_secret=True,
    ),
    Shape(
        client="Ruby 3.3.0",
        headers=JSON | BEARER | KEY,
        create="client_secret code redirect_uri grant_type",
        refresh="client_secret refresh_token grant_type",
        token_as_secret=True,
    ),
    Shape(
        client="arctic",
        headers=FORM | {"accept": "application/json", "user-agent": "arctic"},
        create="grant_type code redirect_uri code_verifier client_id client_secret",
        refresh="grant_type refresh_token client_id client_secret",
    ),
    Shape(
        client="the official Postman collection",
        headers=FORM,
        create="client_secret grant_type redirect_uri code client_id test_token",
        refresh="client_secret refresh_token grant_type",
    ),
]


@pytest.fixture(params=list(PRESETS))
def profile(request: pytest.FixtureRequest, sandbox: Sandbox) -> str:
    sandbox.profile = PRESETS[request.param]
    return request.param


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends token requests, with the values that the fields of a shape stand for."""

    http: httpx.Client
    application: Application

    def send(self, shape: Shape, fields: str, **values: str) -> httpx.Response:
        application = self.application
        secret = application.access_token if shape.token_as_secret else application.client_secret
        known = {
            "client_id": application.client_id,
            "client_secret": secret,
            "redirect_uri": application.redirect_uris[0],
            "code_verifier": "v" * 43,
            "test_token": "true",
            **values,
        }
        body = {name: known[name] for name in fields.split()}
        form = shape.headers["content-type"].endswith("urlencoded")
        content = urlencode(body).encode() if form else msgspec.json.encode(body)
        return self.http.post("/oauth/token", content=content, headers=dict(shape.headers))


@pytest.fixture
def sender(sandbox: Sandbox, application: Application):
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as http:
        yield Sender(http=http, application=application)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.client)
def test_a_code_exchange_is_accepted_or_refused_as_the_profile_says(
    shape: Shape, profile: str, sender: Sender, new_code: Callable[[], str]
):
    answer = sender.send(shape, shape.create, grant_type="authorization_code", code=new_code())

    if profile == "legacy" or "client_id" in shape.create.split():
        assert answer.status_code == 200, answer.text
        assert answer.json()["token_type"] == PRESETS[profile].token_type
        assert answer.json()["live_mode"] is ("test_token" not in shape.create)
    else:
        assert (answer.status_code, answer.content) == (400, CLIENT_ID_MISSING)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.client)
def test_a_refresh_is_accepted_or_refused_as_the_profile_says(
    shape: Shape, profile: str, sender: Sender, new_code: Callable[[], str]
):
    node = SHAPES[0]
    first = sender.send(node, node.create, grant_type="authorization_code", code=new_code())
    token = first.json()["refresh_token"]

    answer = sender.send(shape, shape.refresh, grant_type="refresh_token", refresh_token=token)

    if profile == "legacy" or "client_id" in shape.refresh.split():
        assert answer.status_code == 200, answer.text
        assert answer.json()["refresh_token"] != token
    else:
        assert (answer.status_code, answer.content) == (400, CLIENT_ID_MISSING)


def test_the_old_node_sdk_refreshes_without_any_refresh_token(profile: str, sender: Sender):
    """Node 1.5.17 sends client_secret (the access token) and grant_type, and nothing else."""
    shape = Shape(
        client="Node 1.5.17",
        headers=JSON,
        create="client_secret code redirect_uri grant_type",
        refresh="client_secret grant_type",
        token_as_secret=True,
    )

    answer = sender.send(shape, shape.refresh, grant_type="refresh_token")

    assert answer.status_code == 400
    if profile == "legacy":
        assert answer.json()["message"] == "refresh_token is a required parameter"
    else:
        assert answer.content == CLIENT_ID_MISSING


def test_the_java_sample_leaves_redirect_uri_out_and_is_told_so(
    sandbox: Sandbox, sender: Sender, new_code: Callable[[], str]
):
    sandbox.profile = PRESETS["legacy"]
    java = next(shape for shape in SHAPES if shape.client == "Java")

    answer = sender.send(
        java, "grant_type client_secret code", grant_type="authorization_code", code=new_code()
    )

    assert answer.status_code == 400
    assert answer.json()["message"] == "redirect_uri is a required parameter"


def test_a_token_of_nobody_as_the_secret_is_an_invalid_client_even_under_legacy(
    sandbox: Sandbox, sender: Sender, new_code: Callable[[], str]
):
    sandbox.profile = PRESETS["legacy"]
    application = sender.application
    own = application.access_token
    forged = f"{own[: own.index('-', 8)]}-010100-{'0' * 32}-{application.owner}"
    ruby = next(shape for shape in SHAPES if shape.client.startswith("Ruby"))

    answer = sender.send(
        ruby,
        ruby.create,
        grant_type="authorization_code",
        code=new_code(),
        client_secret=forged,
    )

    assert answer.json()["error"] == "invalid_client"
    assert sandbox.journal.last().cause == "secret_mismatch"


@pytest.mark.parametrize("more", ["code_verifier", "test_token"])
def test_documented_optional_fields_pass_under_every_profile(
    more: str, profile: str, sender: Sender, new_code: Callable[[], str]
):
    php = next(shape for shape in SHAPES if shape.client.startswith("PHP 3"))

    answer = sender.send(
        php, f"{php.create} {more}", grant_type="authorization_code", code=new_code()
    )

    assert answer.status_code == 200, answer.text


def test_the_whole_documentation_example_for_client_credentials_is_only_strict_s_business(
    profile: str, sender: Sender, new_code: Callable[[], str]
):
    """One public capture shows that a body with every field of the reference succeeded."""
    everything = "client_id client_secret code code_verifier grant_type redirect_uri refresh_token"
    node = SHAPES[0]

    answer = sender.send(
        node,
        everything,
        grant_type="client_credentials",
        code=new_code(),
        refresh_token="TG-000000000000000000000000-1",
    )

    if profile == "strict":
        assert answer.status_code == 400
        assert answer.json()["message"] == "unsupported parameter: code"
    else:
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
