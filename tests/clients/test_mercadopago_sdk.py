"""The official `mercadopago` package, as installed: only its base URL is redirected."""

from collections.abc import Callable

import mercadopago
import pytest
from mercadopago.config import Config, RequestOptions

from mp_oauth_sandbox import Application, Sandbox, Seller
from mp_oauth_sandbox.core.profile import LEGACY

pytestmark = pytest.mark.usefixtures("seller")

INVALID_GRANT = {
    "message": "Error validating grant. Your authorization code or refresh token may be expired"
    " or it was already used",
    "error": "invalid_grant",
    "status": 400,
    "cause": [],
}
CLIENT_ID_MISSING = {
    "message": "the following parameters are required: grant_type, client_id, client_secret."
    " Missing parameters: client_id",
    "error": "invalid_request",
    "status": 400,
    "cause": [],
}


@pytest.fixture
def sdk(
    sandbox: Sandbox, application: Application, monkeypatch: pytest.MonkeyPatch
) -> mercadopago.SDK:
    monkeypatch.setattr(Config, "api_base_url", sandbox.url)
    return mercadopago.SDK(application.access_token)


def exchange(application: Application, code: str, **more: str) -> dict[str, str]:
    return {
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": application.redirect_uris[0],
        **more,
    }


def renewal(application: Application, refresh_token: str) -> dict[str, str]:
    return {
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    }


def test_it_links_a_seller_and_acts_for_the_seller(
    sdk: mercadopago.SDK, application: Application, seller: Seller, new_code: Callable[[], str]
):
    answer = sdk.oauth().create(exchange(application, new_code()))

    assert answer["status"] == 200
    tokens = answer["response"]
    assert list(tokens) == [
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "user_id",
        "refresh_token",
        "public_key",
        "live_mode",
    ]
    assert tokens["user_id"] == seller.user_id

    profile = mercadopago.SDK(tokens["access_token"]).user().get()
    assert profile["status"] == 200
    assert profile["response"]["id"] == seller.user_id
    assert profile["response"]["site_id"] == "MLA"
    assert "test_user" in profile["response"]["tags"]


def test_its_authorization_url_is_accepted_byte_for_byte(
    sdk: mercadopago.SDK,
    sandbox: Sandbox,
    application: Application,
    approved: Callable[[str], str],
):
    built = sdk.oauth().get_authorization_url(
        application.client_id, application.redirect_uris[0], "a b&c/ñ"
    )
    real = "https://auth.mercadopago.com"
    assert built.startswith(f"{real}/authorization?client_id={application.client_id}&")

    callback = approved(built.replace(real, sandbox.url))

    beginning, _, state = callback.partition("&state=")
    assert beginning.startswith(f"{application.redirect_uris[0]}?code=TG-")
    assert state == "a%20b%26c%2F%C3%B1"


def test_a_replayed_code_is_refused_in_words_it_can_show(
    sdk: mercadopago.SDK, sandbox: Sandbox, application: Application, new_code: Callable[[], str]
):
    body = exchange(application, new_code())
    sdk.oauth().create(body)

    replay = sdk.oauth().create(body)

    assert replay["status"] == 400
    assert replay["response"] == INVALID_GRANT
    assert sandbox.journal.last().cause == "code_already_redeemed"


def test_a_refresh_rotates_and_the_replaced_token_is_refused(
    sdk: mercadopago.SDK, sandbox: Sandbox, application: Application, new_code: Callable[[], str]
):
    first = sdk.oauth().create(exchange(application, new_code()))["response"]

    second = sdk.oauth().refresh(renewal(application, first["refresh_token"]))
    again = sdk.oauth().refresh(renewal(application, first["refresh_token"]))

    assert second["status"] == 200
    assert second["response"]["refresh_token"] != first["refresh_token"]
    assert second["response"]["access_token"] != first["access_token"]
    assert second["response"]["public_key"] == first["public_key"]
    assert (again["status"], again["response"]) == (400, INVALID_GRANT)
    assert sandbox.journal.last().cause == "refresh_replaced"
    third = sdk.oauth().refresh(renewal(application, second["response"]["refresh_token"]))
    assert third["status"] == 200


def test_what_its_docstrings_show_is_refused_today_as_the_real_one_refuses_it(
    sdk: mercadopago.SDK, application: Application, new_code: Callable[[], str]
):
    tokens = sdk.oauth().create(exchange(application, new_code()))["response"]

    created = sdk.oauth().create(documented_exchange(application, new_code()))
    refreshed = sdk.oauth().refresh(documented_renewal(application, tokens["refresh_token"]))

    assert (created["status"], created["response"]) == (400, CLIENT_ID_MISSING)
    assert (refreshed["status"], refreshed["response"]) == (400, CLIENT_ID_MISSING)


def test_the_platforms_token_as_the_secret_of_a_named_application_is_an_invalid_client(
    sdk: mercadopago.SDK, sandbox: Sandbox, application: Application, new_code: Callable[[], str]
):
    body = exchange(application, new_code(), client_secret=application.access_token)

    answer = sdk.oauth().create(body)

    assert answer["status"] == 400
    assert answer["response"]["error"] == "invalid_client"
    assert "client_secret holds an access token" in (sandbox.journal.last().explanation or "")


def test_what_its_docstrings_show_works_under_the_legacy_profile(
    sdk: mercadopago.SDK, sandbox: Sandbox, application: Application, new_code: Callable[[], str]
):
    sandbox.profile = LEGACY

    created = sdk.oauth().create(documented_exchange(application, new_code()))
    assert created["status"] == 200
    first = created["response"]["refresh_token"]
    refreshed = sdk.oauth().refresh(documented_renewal(application, first))

    assert refreshed["status"] == 200
    assert refreshed["response"]["user_id"] == created["response"]["user_id"]


def test_its_headers_are_tolerated_whatever_they_hold(
    sdk: mercadopago.SDK, application: Application, new_code: Callable[[], str]
):
    """A Bearer token and an idempotency key of some 39 digits, on every call."""
    headers = RequestOptions(access_token="x").get_headers()
    assert headers["x-idempotency-key"].isdigit()
    assert 33 <= len(headers["x-idempotency-key"]) <= 39
    body = exchange(application, new_code())
    options = RequestOptions(
        access_token="not-a-token-at-all",
        custom_headers={"x-idempotency-key": "1" * 39},
        integrator_id="dev_1",
        platform_id="p",
        corporation_id="c",
    )

    first = sdk.oauth().create(body, options)
    second = sdk.oauth().create(body, options)

    assert first["status"] == 200
    # Nothing documents an effect of the key: the same one again does not repeat the answer.
    assert second["status"] == 400


def test_a_garbled_token_makes_it_report_a_401(sdk: mercadopago.SDK):
    answer = mercadopago.SDK("APP_USR-nobody").user().get()

    assert answer["status"] == 401
    assert answer["response"] == {"code": "unauthorized", "message": "invalid access token"}


def documented_exchange(application: Application, code: str) -> dict[str, str]:
    body = exchange(application, code, client_secret=application.access_token)
    del body["client_id"]
    return body


def documented_renewal(application: Application, refresh_token: str) -> dict[str, str]:
    return {
        "client_secret": application.access_token,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    }
