"""Contracts: what every integration must keep. Inherit, and say how to make yours.

    class TestLinking(StateContract, ExpiryContract):
        @pytest.fixture
        def mp_integration(self, mp_sandbox, mp_application):
            def make():
                shop = Shop(mp_url=mp_sandbox.url, client_id=mp_application.client_id, ...)
                return AsgiIntegration(shop.asgi, ENDPOINTS, move_clock=shop.move_clock)

            return make

The methods are plain tests; the properties live inside them, so that one class may be
inherited many times. Hypothesis' settings are the user's own, but for the deadline:
an example is a conversation over HTTP.
"""

from mp_oauth_sandbox.driver.endpoints import Endpoints, Login, StatusPage, Tolerances
from mp_oauth_sandbox.driver.integration import AsgiIntegration, HttpIntegration, Integration
from pytest_mp_oauth.contracts.expiry import ExpiryContract
from pytest_mp_oauth.contracts.state import StateContract

__all__ = [
    "AsgiIntegration",
    "Endpoints",
    "ExpiryContract",
    "HttpIntegration",
    "Integration",
    "Login",
    "StateContract",
    "StatusPage",
    "Tolerances",
]
