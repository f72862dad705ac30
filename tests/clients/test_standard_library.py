"""The HTTP clients that come with Python: one closes each connection, one sends in two pieces."""

import http.client
import json
import urllib.request
from collections.abc import Callable

import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller


def by_urllib(sandbox: Sandbox, body: bytes) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - the address is the sandbox's
        f"{sandbox.url}/oauth/token", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return answer.read()


def by_http_client(sandbox: Sandbox, body: bytes) -> bytes:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    connection.request("POST", "/oauth/token", body, {"Content-Type": "application/json"})
    try:
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.parametrize("post", [by_urllib, by_http_client])
def test_it_exchanges_a_code(
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    new_code: Callable[[], str],
    post: Callable[[Sandbox, bytes], bytes],
):
    fields = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "code": new_code(),
        "redirect_uri": application.redirect_uris[0],
    }

    tokens = json.loads(post(sandbox, json.dumps(fields).encode()))

    assert tokens["user_id"] == seller.user_id
