"""requests-oauthlib, as installed: id and secret in a form body."""

from collections.abc import Callable

import pytest
from oauthlib.oauth2 import InvalidGrantError, OAuth2Error
from requests_oauthlib import OAuth2Session

from mp_oauth_sandbox import Application, Sandbox, Seller

pytestmark = pytest.mark.usefixtures("seller")


@pytest.fixture(autouse=True)
def plain_http_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def token_url(sandbox: Sandbox) -> str:
    return f"{sandbox.url}/oauth/token"


def callback_of(session: OAuth2Session, sandbox: Sandbox, approved: Callable[[str], str]) -> str:
    url, _ = session.authorization_url(f"{sandbox.url}/authorization", platform_id="mp")
    return approved(url)


def test_it_links_a_seller_and_refreshes(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    approved: Callable[[str], str],
    token_url: str,
):
    client_id, client_secret = application.client_id, application.client_secret
    with OAuth2Session(application.client_id, redirect_uri=application.redirect_uris[0]) as session:
        callback = callback_of(session, sandbox, approved)
        tokens = session.fetch_token(
            token_url,
            authorization_response=callback,
            include_client_id=True,
            client_secret=client_secret,
        )
        assert tokens["user_id"] == seller.user_id
        assert tokens["scope"] == ["offline_access", "payments", "read", "write"]
        assert session.get(f"{sandbox.url}/users/me").json()["id"] == seller.user_id

        first = tokens["refresh_token"]
        renewed = session.refresh_token(
            token_url, refresh_token=first, client_id=client_id, client_secret=client_secret
        )
        assert renewed["refresh_token"] != first
        assert session.get(f"{sandbox.url}/users/me").status_code == 200

        with pytest.raises(InvalidGrantError):
            session.refresh_token(
                token_url, refresh_token=first, client_id=client_id, client_secret=client_secret
            )
        assert sandbox.journal.last().cause == "refresh_replaced"

        with pytest.raises(InvalidGrantError):
            session.fetch_token(
                token_url,
                authorization_response=callback,
                include_client_id=True,
                client_secret=client_secret,
            )
        assert sandbox.journal.last().cause == "code_already_redeemed"


def test_it_links_with_pkce(
    sandbox: Sandbox, seller: Seller, approved: Callable[[str], str], token_url: str
):
    uri = "https://shop.example/callback"
    application = sandbox.register_application(redirect_uris=[uri], pkce_required=True)
    with OAuth2Session(application.client_id, redirect_uri=uri, pkce="S256") as session:
        tokens = session.fetch_token(
            token_url,
            authorization_response=callback_of(session, sandbox, approved),
            include_client_id=True,
            client_secret=application.client_secret,
        )
    assert tokens["user_id"] == seller.user_id


def test_its_default_of_http_basic_lacks_both_id_and_secret(
    sandbox: Sandbox, application: Application, approved: Callable[[str], str], token_url: str
):
    with OAuth2Session(application.client_id, redirect_uri=application.redirect_uris[0]) as session:
        callback = callback_of(session, sandbox, approved)
        with pytest.raises(OAuth2Error) as raised:
            session.fetch_token(
                token_url,
                authorization_response=callback,
                client_secret=application.client_secret,
            )
    assert raised.value.error == "invalid_request"
    refused = sandbox.journal.last()
    assert refused.cause == "parameter_missing"
    assert "client_id, client_secret" in (refused.explanation or "")
