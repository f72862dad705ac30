"""A project of a user, with the small integrations of `tests/apps` in it."""

from pathlib import Path

import pytest

SHOP = Path(__file__).parents[1] / "apps" / "shop.py"

CONFTEST = """
import pytest
from hypothesis import settings
from pytest_mp_oauth.contracts import AsgiIntegration, Endpoints, Login, StatusPage, Tolerances

settings.register_profile("user", max_examples=20, derandomize=True, database=None)
settings.load_profile("user")

ENDPOINTS = Endpoints(
    base_url="http://localhost:8000",
    start_url="/start",
    callback_path="/callback",
    trigger_url="/charge",
    login=Login(url="/login", json={"user": "{account}"}),
    status=StatusPage(url="/status", pointer="/mp"),
    tolerances=Tolerances(synchronous=True),
)


@pytest.fixture
def make_with(mp_sandbox, mp_application):
    def make(shop_class, *, endpoints=ENDPOINTS, clock=True):
        shop = shop_class(
            mp_url=mp_sandbox.url,
            client_id=mp_application.client_id,
            client_secret=mp_application.client_secret,
            transport=mp_sandbox.transport(),
        )
        move_clock = shop.move_clock if clock else None
        return AsgiIntegration(shop.asgi, endpoints, move_clock=move_clock)

    return make
"""


@pytest.fixture
def project(pytester: pytest.Pytester, usual_profile: None) -> pytest.Pytester:
    """A folder with the shops, and a `make_with` fixture that makes integrations of them."""
    pytester.makepyfile(shop=SHOP.read_text(encoding="utf-8"))
    pytester.makeconftest(CONFTEST)
    return pytester
