"""What the sandbox tells of a pasted code, token or URL: all it knows, and no whole secret."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller
from mp_oauth_sandbox.explain.explain import Explained, UrlPart
from mp_oauth_sandbox.web.control.explain import ExplainIn

CALLBACK = "https://shop.example/mp/callback"
STATE = "Zk3v9QpX1mTn7LrB5cWd8sHy2fGj4aUe"
VERIFIER = "v" * 43
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Integration:
    """An application's part, driven by hand."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client, application: Application) -> None:
        self.sandbox, self.client, self.application = sandbox, client, application

    def url(self, **changes: str | None) -> str:
        values: dict[str, str | None] = {
            "client_id": self.application.client_id,
            "response_type": "code",
            "platform_id": "mp",
            "redirect_uri": CALLBACK,
            "state": STATE,
            **changes,
        }
        pairs = [f"{name}={quote(value, safe='')}" for name, value in values.items() if value]
        return f"{self.sandbox.url}/authorization?{'&'.join(pairs)}"

    def callback(self, **changes: str | None) -> str:
        return self.client.get(self.url(**changes)).headers["location"]

    def code(self, **changes: str | None) -> str:
        return httpx.URL(self.callback(**changes)).params["code"]

    def _post(self, **fields: str) -> httpx.Response:
        proof = {
            "client_id": self.application.client_id,
            "client_secret": self.application.client_secret,
        }
        return self.client.post("/oauth/token", json=proof | fields)

    def redeem(self, code: str, **fields: str) -> dict[str, Any]:
        fields = {"redirect_uri": CALLBACK, **fields}
        return self._post(grant_type="authorization_code", code=code, **fields).json()

    def refresh(self, token: str) -> dict[str, Any]:
        return self._post(grant_type="refresh_token", refresh_token=token).json()

    def client_credentials(self) -> dict[str, Any]:
        return self._post(grant_type="client_credentials").json()


@pytest.fixture
def shop(
    sandbox: Sandbox, client: httpx.Client, application: Application, seller: Seller
) -> Integration:
    sandbox.auto_consent(seller)
    return Integration(sandbox, client, application)


def told(sandbox: Sandbox, what: str, *secrets: str) -> Explained:
    """The explanation, with nothing secret in it and nothing changed by it."""
    before = everything(sandbox)

    explained = sandbox.explain(what)

    assert everything(sandbox) == before
    whole = msgspec.json.encode(explained).decode() + str(explained) + repr(explained)
    for secret in secrets:
        assert secret not in whole
    assert not re.search(r"(TG|APP_USR|TEST)-[0-9a-f]{8}", whole)
    assert all(line.isprintable() for line in str(explained).split("\n"))
    return explained


def everything(sandbox: Sandbox) -> object:
    engine = sandbox._engine
    return (
        list(engine.store.snapshot()),
        dict(engine.store.settings()),
        len(sandbox.journal),
        dict(engine._rates._counted),
        engine.mint._draws,
        engine.mint._requests,
    )


def finding(explained: Explained, name: str) -> UrlPart:
    found = [one for one in explained.findings if one.name == name]
    assert found, [one.name for one in explained.findings]
    return found[0]


# ---- codes ----


def test_a_fresh_code_would_be_accepted(sandbox: Sandbox, shop: Integration, seller: Seller):
    code = shop.code()

    explained = told(sandbox, code, code)

    assert explained.kind == "code"
    assert explained.facts["client_id"] == shop.application.client_id
    assert explained.facts["application"] == "Tienda Sol"
    assert explained.facts["user_id"] == str(seller.user_id)
    assert explained.facts["issued_by"].startswith("entry 2: GET /authorization")
    assert explained.facts["now"] == "accepted"
    assert "spent_at" not in explained.facts
    first, *_, last = str(explained).split("\n")
    assert "Tienda Sol" in first
    assert "ALMACEN" in first
    assert last == "now: would be accepted"


def test_a_spent_code_tells_which_exchange_spent_it(sandbox: Sandbox, shop: Integration):
    code = shop.code()
    tokens = shop.redeem(code)
    shop.redeem(code)

    explained = told(sandbox, code, code, tokens["access_token"], tokens["refresh_token"])

    assert explained.facts["cause"] == "code_already_redeemed"
    assert explained.facts["spent_by"].startswith("entry 3: POST /oauth/token")
    assert explained.facts["entries"] == "2, 3, 4"
    assert explained.facts["newest_generation"] == "1"
    label = sandbox._engine.mint.label
    assert label(tokens["refresh_token"]) in explained.facts["newest"]
    assert "\nnow: would be refused: code_already_redeemed. The code was" in str(explained)
    assert str(explained).split("\n")[-1].startswith("do: ")


def test_a_burnt_code_tells_which_failure_spent_it(sandbox: Sandbox, shop: Integration):
    sandbox.change_profile(failed_exchange_burns_code=True)
    code = shop.code()
    shop.redeem(code, redirect_uri="https://other.example/")

    explained = told(sandbox, code, code)

    assert explained.facts["cause"] == "code_burnt"
    assert explained.facts["spent_by"].startswith("entry 4: POST /oauth/token")


def test_an_expired_code_is_told_from_an_unknown_one(sandbox: Sandbox, shop: Integration):
    code = shop.code()
    sandbox.clock.advance(minutes=11)

    explained = told(sandbox, code, code)

    assert explained.facts["cause"] == "code_expired"
    assert "(1 min" in str(explained)


def test_a_revoked_code_tells_what_ended_the_link(
    sandbox: Sandbox, shop: Integration, seller: Seller
):
    code = shop.code()
    sandbox.unlink(shop.application, seller)

    explained = told(sandbox, code, code)

    assert explained.facts["cause"] == "link_revoked"


def test_the_code_of_another_application_is_explained_as_that_ones(
    sandbox: Sandbox, shop: Integration, client: httpx.Client
):
    other = sandbox.register_application(redirect_uris=[CALLBACK], name="Otra")
    code = Integration(sandbox, client, other).code()

    explained = told(sandbox, code, code)

    assert explained.facts["application"] == "Otra"
    assert explained.facts["now"] == "accepted"


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_a_code_with_a_challenge_needs_a_verifier_that_the_sandbox_does_not_know(
    sandbox: Sandbox, shop: Integration, method: str
):
    code = shop.code(code_challenge=CHALLENGE, code_challenge_method=method)

    explained = told(sandbox, code, code, CHALLENGE)

    assert explained.facts["now"] == "accepted"
    assert explained.facts["code_verifier"] == "must be sent"
    assert f"accepted, with the code_verifier of its code_challenge ({method})" in str(explained)


def test_a_code_without_challenge_of_an_application_that_requires_one_is_lost(
    sandbox: Sandbox, shop: Integration
):
    sandbox.change_profile(challenge_missing="issue_code")
    sandbox.update_application(
        shop.application.client_id, lambda one: replace(one, pkce_required=True)
    )
    code = shop.code()

    explained = told(sandbox, code, code)

    assert explained.facts["cause"] == "challenge_missing"


# ---- tokens ----


def test_fresh_tokens_would_be_accepted(sandbox: Sandbox, shop: Integration):
    tokens = shop.redeem(shop.code())

    for name in ("access_token", "refresh_token"):
        explained = told(sandbox, f"  '{tokens[name]}'\n", tokens[name])
        assert explained.kind == name
        assert explained.facts["now"] == "accepted"
        assert explained.facts["issued_by"].startswith("entry 3: ")
        assert explained.facts["scopes"] == "offline_access payments read write"
        assert explained.facts["live_mode"] == "true"


def test_an_expired_access_token_is_told_with_its_end(sandbox: Sandbox, shop: Integration):
    token = shop.redeem(shop.code())["access_token"]
    sandbox.clock.advance(days=181)

    explained = told(sandbox, f"Bearer {token}", token)

    assert explained.facts["cause"] == "token_expired"
    assert "(1 d ago)" in str(explained)


def test_a_revoked_access_token_tells_why(sandbox: Sandbox, shop: Integration, seller: Seller):
    token = shop.redeem(shop.code())["access_token"]
    sandbox.change_password(seller)

    explained = told(sandbox, token, token)

    assert explained.facts["cause"] == "token_revoked"
    assert "password" in explained.facts["explanation"]


def test_a_replaced_refresh_token_leads_to_the_newest(sandbox: Sandbox, shop: Integration):
    first = shop.redeem(shop.code())["refresh_token"]
    second = shop.refresh(first)["refresh_token"]
    third = shop.refresh(second)["refresh_token"]

    explained = told(sandbox, first, first, second, third)

    assert explained.facts["cause"] == "refresh_replaced"
    assert explained.facts["spent_by"].startswith("entry 4: ")
    assert explained.facts["newest_by"].startswith("entry 5: ")
    assert sandbox._engine.mint.label(third) in explained.facts["newest"]
    assert (explained.facts["generation"], explained.facts["newest_generation"]) == ("1", "3")


def test_asking_for_a_replaced_token_ends_no_family(sandbox: Sandbox, shop: Integration):
    sandbox.change_profile(refresh_reuse_revokes_family=True)
    first = shop.redeem(shop.code())["refresh_token"]
    second = shop.refresh(first)["refresh_token"]

    told(sandbox, first, first)

    assert "access_token" in shop.refresh(second)


def test_asking_changes_no_code_that_a_seed_makes():
    codes: list[str] = []
    for curious in (False, True):
        start = datetime(2026, 1, 1, tzinfo=UTC)
        with Sandbox(live=False, seed=1, start=start, frozen=True) as sandbox:
            app = sandbox.register_application(redirect_uris=[CALLBACK])
            sandbox.auto_consent(sandbox.create_seller())
            with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
                shop = Integration(sandbox, client, app)
                code = shop.code()
                if curious:
                    told(sandbox, code, code)
                codes.append(shop.code())

    assert codes[0] == codes[1]


def test_the_platforms_own_token_never_expires(sandbox: Sandbox, application: Application):
    explained = told(sandbox, application.access_token, application.access_token)

    assert explained.kind == "access_token"
    assert str(explained).startswith("the platform's own access token")
    assert explained.facts["expires_at"] == "never"
    assert explained.facts["now"] == "accepted"


def test_a_token_of_client_credentials_is_named_as_such(sandbox: Sandbox, shop: Integration):
    token = shop.client_credentials()["access_token"]

    explained = told(sandbox, token, token)

    assert str(explained).startswith("access token from client credentials")


# ---- what was never issued here ----


def test_an_unknown_access_token_is_read_by_its_parts(sandbox: Sandbox, application: Application):
    token = f"APP_USR-{application.client_id}-060112-{'0a' * 16}-987654321"

    explained = told(sandbox, token, token)

    assert explained.kind == "unknown"
    assert explained.facts["looks_like"] == "access_token"
    assert f"of application {application.client_id} Tienda Sol" in str(explained)
    assert "seller 987654321 (unknown here)" in str(explained)
    assert explained.facts["cause"] == "token_unknown"


def test_an_unknown_code_tells_when_it_was_made(sandbox: Sandbox, seller: Seller):
    code = f"TG-68a4b0c0{'0' * 16}-{seller.user_id}"

    explained = told(sandbox, code, code)

    assert explained.kind == "unknown"
    assert "ALMACEN" in str(explained)
    assert "2025-08-19T17:13:36" in str(explained)


def test_a_client_id_tells_of_its_application(sandbox: Sandbox, application: Application):
    explained = told(sandbox, application.client_id, application.client_secret)

    assert explained.kind == "unknown"
    assert explained.facts["looks_like"] == "client_id"
    assert CALLBACK in str(explained)


def test_a_client_secret_is_known_and_not_shown(sandbox: Sandbox, application: Application):
    rotated = sandbox.rotate_secret(application)

    now = told(sandbox, rotated.client_secret, rotated.client_secret)
    before = told(sandbox, application.client_secret, application.client_secret)

    assert "is the client_secret of application Tienda Sol" in str(now)
    assert "is the client_secret before its rotation of application" in str(before)


@pytest.mark.parametrize(
    "what", ["", "   ", '""', "garbage", "TG-", "12345", "what?", "/home", "http://", "Bearer "]
)
def test_garbage_has_a_clear_answer(sandbox: Sandbox, what: str):
    explained = told(sandbox, what)

    assert explained.kind == "unknown"
    assert str(explained)


def test_a_public_key_is_no_token(sandbox: Sandbox, application: Application):
    explained = told(sandbox, application.public_key, application.public_key)

    assert "looks like a public key" in str(explained)


# ---- authorization URLs ----


def test_a_good_url_has_nothing_wrong(sandbox: Sandbox, shop: Integration):
    explained = told(sandbox, f" <{shop.url()}>\n", STATE)

    assert explained.kind == "authorization_url"
    assert [one.name for one in explained.findings if not one.ok] == []
    assert finding(explained, "redirect_uri").text.endswith(CALLBACK)
    assert "\n  ok client_id " in str(explained)
    assert str(explained).endswith(
        "now: would be accepted: a redirect with a code at once (auto consent)"
    )


def test_what_is_answered_depends_on_the_consent_mode(sandbox: Sandbox, shop: Integration):
    sandbox.show_consent_page()
    assert "consent page" in str(told(sandbox, shop.url()))

    sandbox.deny()
    assert "access_denied" in str(told(sandbox, shop.url()))


def test_a_collaborator_who_consents_by_itself_is_refused(
    sandbox: Sandbox, shop: Integration, seller: Seller
):
    sandbox.auto_consent(sandbox.create_seller(collaborator_of=seller))

    explained = told(sandbox, shop.url())

    assert explained.facts["cause"] == "operator_account"


def test_an_almost_right_redirect_uri_is_set_beside_the_nearest(
    sandbox: Sandbox, shop: Integration
):
    explained = told(sandbox, shop.url(redirect_uri=f"{CALLBACK}/"))

    wrong = finding(explained, "redirect_uri")
    assert not wrong.ok
    sent, expected, caret = wrong.text.split("\n")[1:]
    assert sent.endswith(f"{CALLBACK}/")
    assert expected.endswith(CALLBACK)
    assert caret.index("^") == len(sent) - 1
    assert explained.facts["cause"] == "redirect_uri_not_registered"
    assert "would be refused with an error page" in str(explained)


def test_a_different_redirect_uri_is_set_beside_the_nearest_too(
    sandbox: Sandbox, shop: Integration
):
    explained = told(sandbox, shop.url(redirect_uri="http://localhost:3000/cb"))

    lines = finding(explained, "redirect_uri").text.split("\n")
    assert lines[-1].strip() == "^"
    assert lines[-2].endswith(CALLBACK)


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (None, "missing"),
        ("abc", "short"),
        ("a" * 64, "always the same"),
        ("1764000000123456789012345", "a number"),
        ("x1" * 5000, "more than the sandbox takes"),
    ],
)
def test_a_state_that_protects_nobody_is_named(
    sandbox: Sandbox, shop: Integration, state: str | None, problem: str
):
    explained = told(sandbox, shop.url(state=state))

    assert not finding(explained, "state").ok
    assert problem in finding(explained, "state").text


def test_a_state_that_brought_several_codes_is_named(sandbox: Sandbox, shop: Integration):
    shop.code()
    shop.code()

    explained = told(sandbox, shop.url(), STATE)

    assert "several codes already (entries 2, 3)" in finding(explained, "state").text


def test_an_unknown_client_is_named(sandbox: Sandbox, shop: Integration):
    explained = told(sandbox, shop.url(client_id="42"))

    assert finding(explained, "client_id").text == "No application has the client_id 42."
    assert explained.facts["cause"] == "application_unknown"


def test_a_secret_as_client_id_is_not_shown(sandbox: Sandbox, shop: Integration):
    secret = shop.application.client_secret

    for name in ("client_id", "redirect_uri", "scope", "response_type", "platform_id", secret):
        told(sandbox, shop.url(**{name: secret}), secret)
        told(sandbox, shop.url(**{name: f"https://x.example/{secret}"}), secret)


@pytest.mark.parametrize(("switch", "now"), [("issue_code", "accepted"), ("error_page", "refused")])
def test_a_missing_challenge_is_named_where_it_is_required(
    sandbox: Sandbox, shop: Integration, switch: str, now: str
):
    sandbox.change_profile(challenge_missing=switch)
    sandbox.update_application(
        shop.application.client_id, lambda one: replace(one, pkce_required=True)
    )

    explained = told(sandbox, shop.url())

    missing = finding(explained, "code_challenge")
    assert not missing.ok
    assert ("its exchange would fail" in missing.text) == (now == "accepted")
    assert explained.facts["now"] == now


@pytest.mark.parametrize(
    ("challenge", "method", "name", "problem"),
    [
        (CHALLENGE, "plain", "code_challenge_method", "whoever reads"),
        (CHALLENGE, None, "code_challenge_method", "plain is meant"),
        (CHALLENGE, "S512", "code_challenge_method", "neither S256 nor plain"),
        (None, "S256", "code_challenge_method", "without a code_challenge"),
        ("short", "S256", "code_challenge", "malformed: 5 characters"),
        ("0a" * 32, "S256", "code_challenge", "hex"),
    ],
)
def test_a_challenge_that_helps_nobody_is_named(
    sandbox: Sandbox,
    shop: Integration,
    challenge: str | None,
    method: str | None,
    name: str,
    problem: str,
):
    url = shop.url(code_challenge=challenge, code_challenge_method=method)

    explained = told(sandbox, url, CHALLENGE)

    assert not finding(explained, name).ok
    assert problem in finding(explained, name).text


def test_a_good_challenge_is_right(sandbox: Sandbox, shop: Integration):
    url = shop.url(code_challenge=CHALLENGE, code_challenge_method="S256")

    explained = told(sandbox, url, CHALLENGE)

    assert all(one.ok for one in explained.findings)


def test_a_duplicated_parameter_is_named(sandbox: Sandbox, shop: Integration):
    explained = told(sandbox, f"{shop.url()}&state=other")

    assert [one.ok for one in explained.findings if one.name == "state"] == [True, False]
    assert explained.facts["cause"] == "parameter_duplicated"


@pytest.mark.parametrize(
    ("address", "ok"),
    [
        ("https://auth.mercadopago.com.ar/authorization", True),
        ("https://auth.mercadopago.cl/authorization", True),
        ("https://auth.mercadopago.com/authorization", True),
        ("https://auth.mercadolibre.com.ar/authorization", True),
        ("https://auth.mercadolivre.com.br/authorization", True),
        ("/authorization", True),
        ("https://auth.mercadopago.com.cl/authorization", False),
        ("http://auth.mercadopago.com/authorization", False),
        ("https://api.mercadopago.com/authorization", False),
        ("https://auth.mercadopago.com.evil.example/authorization", False),
        ("http://localhost:1/authorization", False),
        ("https://evil.example/authorization", False),
    ],
)
def test_the_host_is_judged(sandbox: Sandbox, shop: Integration, address: str, ok: bool):
    explained = told(sandbox, f"{address}?{shop.url().partition('?')[2]}")

    assert finding(explained, "host").ok is ok
    assert finding(explained, "path").ok
    assert explained.facts["now"] == "accepted"


def test_another_path_is_named(sandbox: Sandbox, shop: Integration):
    url = shop.url().replace("/authorization?", "/oauth/authorize?")

    assert not finding(told(sandbox, url), "path").ok


@pytest.mark.parametrize(
    ("name", "ok", "text"),
    [
        ("prompt", True, "seen in public clients"),
        ("utm_source", True, "documented nowhere"),
        ("redirect_url", False, "not a parameter"),
        ("client_secret", False, "a secret"),
        ("amp;scope", False, "&amp;"),
    ],
)
def test_a_strange_parameter_is_judged_by_its_name(
    sandbox: Sandbox, shop: Integration, name: str, ok: bool, text: str
):
    explained = told(sandbox, f"{shop.url()}&{name}=sosecretnobodymayknow", "sosecretnobody")

    assert finding(explained, name).ok is ok
    assert text in finding(explained, name).text


def test_what_stands_after_a_hash_is_named(sandbox: Sandbox, shop: Integration):
    explained = told(sandbox, shop.url() + "#x")

    assert not finding(explained, "#").ok


def test_surplus_scopes_are_named(sandbox: Sandbox, shop: Integration):
    explained = told(sandbox, shop.url(scope="read everything"))

    assert "asks for everything" in finding(explained, "scope").text


# ---- callback URLs ----


def test_a_callback_tells_of_its_code_and_state(sandbox: Sandbox, shop: Integration):
    callback = shop.callback()
    code = httpx.URL(callback).params["code"]

    explained = told(sandbox, callback, code, STATE)

    assert explained.kind == "callback_url"
    assert [one.name for one in explained.findings if not one.ok] == []
    assert "as in entry 2" in finding(explained, "state").text
    assert explained.facts["now"] == "accepted"
    assert str(explained).endswith("now: would be accepted")


@pytest.mark.parametrize(
    ("change", "name", "problem"),
    [
        (lambda url: url.replace(STATE, "other"), "state", "not the state of this code"),
        (lambda url: url.partition("&state")[0], "state", "missing, but the request"),
        (lambda url: url.replace("shop.", "sh0p."), "address", "not here"),
        (lambda url: re.sub("code=TG-.{8}", "code=TG-00000000", url), "code", "never issued"),
        (lambda url: f"{url}&error=access_denied", "error", "refused to link"),
    ],
)
def test_a_callback_that_should_not_be_taken_is_named(
    sandbox: Sandbox,
    shop: Integration,
    change: Callable[[str], str],
    name: str,
    problem: str,
):
    explained = told(sandbox, change(shop.callback()), STATE)

    assert not finding(explained, name).ok
    assert problem in finding(explained, name).text


def test_a_callback_with_a_spent_code_says_so(sandbox: Sandbox, shop: Integration):
    callback = shop.callback()
    shop.redeem(httpx.URL(callback).params["code"])

    explained = told(sandbox, callback)

    assert "code_already_redeemed" in finding(explained, "code").text


def test_a_denial_is_explained(sandbox: Sandbox, shop: Integration):
    sandbox.deny()

    explained = told(sandbox, shop.callback(), STATE)

    assert explained.kind == "callback_url"
    assert "refused to link" in finding(explained, "error").text
    assert "the consent mode is deny" in finding(explained, "error").text
    assert "mp-oauth-sandbox consent page" in finding(explained, "error").remedy
    assert finding(explained, "state").ok


def test_a_query_by_itself_is_enough(sandbox: Sandbox, shop: Integration):
    explained = told(sandbox, shop.callback().partition("?")[2])

    assert explained.kind == "callback_url"
    assert all(one.ok for one in explained.findings)


def test_the_token_endpoint_is_no_page(sandbox: Sandbox):
    code = f"TG-{'0' * 24}-1"

    explained = told(sandbox, f"https://api.mercadopago.com/oauth/token?code={code}", code)

    assert "token endpoint" in str(explained)


# ---- hostile inputs ----


HOSTILE = [
    "x" * 10_000_000,
    "/authorization?" + "&" * 60_000,
    "/authorization?" + "a&" * 30_000,
    "/authorization?" + "".join(f"p{n}=%00&" for n in range(5_000)),
    "/authorization?client_id=" + "?" * 60_000,
    "https://" + "?" * 60_000,
    "https://" + "[" * 60_000 + "/authorization?client_id=1",
    "/authorization?client_id=%zz&redirect_uri=%ff%fe&state=%00&scope=%",
    "/authorization?client_id=\ud800&state=\udfff&\ud800=1",
    "http://x/authorization?\x1b[31m=\x00&client_id=\x1b]0;x\x07",
    "https://a\x00b\u202e/authori\nzation?code=\r\n\x1b[2J&state=%1b",
    "\ud800",
    "\x00",
    "TG-\x00\x1b",
    "APP_USR-" + "1" * 60_000,
    "code=" + "TG-" * 20_000,
    "http://user:TG-aaaaaaaaaaaaaaaaaaaaaaaa-1@host/cbTG-aaaaaaaaaaaaaaaaaaaaaaaa-1?code=1",
    "redirect_uri=https%3A%2F%2Fx.example%2FAPP_USR-1-010101-aaaa-1&TG-aaaaaaaaaaaaaaaaaaaaaaaa=1",
    "/authorization?client_id=1&redirect_uri=https://x.example/TG%25252Daaaaaaaaaaaaaaaaaaaaaaaa-1",
    "?code=TG%252Daaaaaaaaaaaaaaaaaaaaaaaa-1&error=APP_USR-1",
]


@pytest.mark.parametrize("index", range(len(HOSTILE)))
@pytest.mark.timeout(10)
def test_hostile_inputs_have_a_short_clear_answer(
    sandbox: Sandbox, application: Application, index: int
):
    for text in (HOSTILE[index], HOSTILE[index].replace("=1", f"={application.client_id}")):
        explained = told(sandbox, text, "aaaaaaaaaaaaaaaaaaaaaaaa")

        assert 0 < len(str(explained)) < 40_000


def test_what_is_far_too_long_is_not_looked_at(sandbox: Sandbox):
    explained = told(sandbox, "https://shop.example/?code=" + "x" * 70_000)

    assert explained.kind == "unknown"
    assert "70027 characters: longer than any" in str(explained)


def test_a_data_file_is_asked_as_safely(tmp_path: Path):
    with Sandbox(live=False, data=tmp_path / "data.db") as sandbox:
        for text in HOSTILE:
            assert str(told(sandbox, text))


# ---- the control API ----


def test_the_control_api_explains_too(sandbox: Sandbox, shop: Integration, client: httpx.Client):
    code = shop.code()

    answer = client.post("/_sandbox/explain", json={"what": code})

    assert answer.status_code == 200
    assert code not in answer.text
    explained = msgspec.convert(answer.json(), Explained)
    assert explained.facts["application"] == "Tienda Sol"
    assert str(explained).endswith("now: would be accepted")


def test_a_call_does_not_show_what_it_was_given():
    assert "TG-" not in repr(ExplainIn(what="TG-abc"))
