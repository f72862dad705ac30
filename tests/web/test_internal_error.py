"""The sandbox's own failure looks the same, whoever notices it first."""

import httpx
import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.wire.errors import INTERNAL_ERROR


def test_a_store_that_fails_is_answered_as_the_host_answers_a_crash(
    tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    with Sandbox(live=False, data=tmp_path / "sandbox.db") as sandbox:
        application = sandbox.register_application(redirect_uris=["https://shop.example/mp"])
        with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
            sandbox._engine.store.close()
            body = {
                "grant_type": "client_credentials",
                "client_id": application.client_id,
                "client_secret": application.client_secret,
            }

            answer = client.post("/oauth/token", json=body)

    assert (answer.status_code, answer.content) == (500, INTERNAL_ERROR)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert "failed on POST /oauth/token" in caplog.text
