"""Authlib's httpx clients with PKCE, as installed, over a socket and without one."""

import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

with warnings.catch_warnings(record=True):
    # Importing it tells about a successor of httpx; that is between the two of them.
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client, OAuthError

pytestmark = pytest.mark.usefixtures("seller")

CALLBACK = "https://shop.example/mp/callback"
VERIFIER = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    return sandbox.register_application(redirect_uris=[CALLBACK], pkce_required=True)


@pytest.fixture(params=["socket", "in process"])
def settings(
    request: pytest.FixtureRequest, sandbox: Sandbox, application: Application
) -> dict[str, Any]:
    """Arguments of a client that the documentation of both sides leads to."""
    settings: dict[str, Any] = {
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "redirect_uri": CALLBACK,
        "token_endpoint_auth_method": "client_secret_post",
        "code_challenge_method": "S256",
    }
    if request.param == "in process":
        settings["transport"] = sandbox.transport()
    return settings


def synchronous(settings: dict[str, Any]) -> Any:
    """A client, untyped: published stubs do not know it for one of httpx."""
    return OAuth2Client(**settings)


def asynchronous(settings: dict[str, Any]) -> Any:
    return AsyncOAuth2Client(**settings)


def test_it_links_with_pkce_and_refreshes(
    settings: dict[str, Any], sandbox: Sandbox, seller: Seller, approved: Callable[[str], str]
):
    token_url = f"{sandbox.url}/oauth/token"
    with synchronous(settings) as client:
        url, state = client.create_authorization_url(
            f"{sandbox.url}/authorization", code_verifier=VERIFIER
        )
        tokens = client.fetch_token(
            token_url,
            authorization_response=approved(url),
            state=state,
            code_verifier=VERIFIER,
        )
        assert tokens["user_id"] == seller.user_id
        assert client.get(f"{sandbox.url}/users/me").json()["id"] == seller.user_id

        renewed = client.refresh_token(token_url, refresh_token=tokens["refresh_token"])
        assert renewed["refresh_token"] != tokens["refresh_token"]

        with pytest.raises(OAuthError) as refused:
            client.refresh_token(token_url, refresh_token=tokens["refresh_token"])
    assert refused.value.error == "invalid_grant"
    assert sandbox.journal.last().cause == "refresh_replaced"


def test_a_replayed_code_raises_its_error(
    settings: dict[str, Any], sandbox: Sandbox, approved: Callable[[str], str]
):
    token_url = f"{sandbox.url}/oauth/token"
    with synchronous(settings) as client:
        url, _ = client.create_authorization_url(
            f"{sandbox.url}/authorization", code_verifier=VERIFIER
        )
        code = httpx.URL(approved(url)).params["code"]
        client.fetch_token(token_url, code=code, code_verifier=VERIFIER)

        with pytest.raises(OAuthError) as refused:
            client.fetch_token(token_url, code=code, code_verifier=VERIFIER)

    assert refused.value.error == "invalid_grant"
    assert sandbox.journal.last().cause == "code_already_redeemed"


@pytest.mark.parametrize(
    ("verifier", "error", "cause"),
    [
        (None, "invalid_request", "verifier_missing"),
        ("x" * 43, "invalid_grant", "verifier_mismatch"),
        ("short", "invalid_grant", "verifier_malformed"),
    ],
)
def test_without_the_right_verifier_there_are_no_tokens(
    settings: dict[str, Any],
    sandbox: Sandbox,
    approved: Callable[[str], str],
    verifier: str | None,
    error: str,
    cause: str,
):
    token_url = f"{sandbox.url}/oauth/token"
    with synchronous(settings) as client:
        url, _ = client.create_authorization_url(
            f"{sandbox.url}/authorization", code_verifier=VERIFIER
        )
        code = httpx.URL(approved(url)).params["code"]
        sent = {} if verifier is None else {"code_verifier": verifier}

        with pytest.raises(OAuthError) as refused:
            client.fetch_token(token_url, code=code, **sent)
        assert (refused.value.error, sandbox.journal.last().cause) == (error, cause)

        # A failed exchange does not burn the code.
        assert client.fetch_token(token_url, code=code, code_verifier=VERIFIER)["live_mode"] is True


@pytest.mark.anyio
async def test_its_asynchronous_client_does_the_same(
    settings: dict[str, Any], sandbox: Sandbox, seller: Seller, approved: Callable[[str], str]
):
    token_url = f"{sandbox.url}/oauth/token"
    async with asynchronous(settings) as client:
        url, state = client.create_authorization_url(
            f"{sandbox.url}/authorization", code_verifier=VERIFIER
        )
        callback = approved(url)
        tokens = await client.fetch_token(
            token_url, authorization_response=callback, state=state, code_verifier=VERIFIER
        )
        profile = await client.get(f"{sandbox.url}/users/me")
        assert profile.json()["id"] == seller.user_id
        renewed = await client.refresh_token(token_url, refresh_token=tokens["refresh_token"])
        assert renewed["access_token"] != tokens["access_token"]

        with pytest.raises(OAuthError) as refused:
            await client.fetch_token(
                token_url, authorization_response=callback, state=state, code_verifier=VERIFIER
            )
    assert refused.value.error == "invalid_grant"


def test_its_default_of_http_basic_is_refused_as_the_real_one_never_documented_it(
    settings: dict[str, Any], sandbox: Sandbox, approved: Callable[[str], str]
):
    settings["token_endpoint_auth_method"] = "client_secret_basic"
    with synchronous(settings) as client:
        url, _ = client.create_authorization_url(
            f"{sandbox.url}/authorization", code_verifier=VERIFIER
        )
        code = httpx.URL(approved(url)).params["code"]
        with pytest.raises(OAuthError) as refused:
            client.fetch_token(f"{sandbox.url}/oauth/token", code=code, code_verifier=VERIFIER)

    assert refused.value.error == "invalid_request"
    assert sandbox.journal.last().cause == "parameter_missing"
