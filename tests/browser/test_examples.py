"""The examples in a browser, beside the real consent page."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox
from tests.examples.running import CLIENT_ID, CLIENT_SECRET, EXAMPLES, Examples, Running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SELLER = "LIBRERIA_DEL_SUR"


@dataclass
class Visit:
    """Somebody who is logged in at an example."""

    page: "Page"
    home: str

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^{button}")).click()

    def is_linked(self) -> None:
        """Wait for the application's own page, which shows the seller."""
        self.page.wait_for_url(self.home)
        expect(self.page.get_by_text("Mercado Pago: linked")).to_be_visible()


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest, examples: Examples, mp_sandbox: Sandbox) -> Running:
    """An example that the sandbox knows, and that knows nobody yet."""
    running = examples.get(request.param)
    mp_sandbox.register_application(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uris=[running.callback]
    )
    mp_sandbox.create_seller(country="AR", nickname=SELLER)
    return running


@pytest.fixture
def visit(page: "Page", example: Running) -> Visit:
    page.goto(example.url)
    page.get_by_label("Account").fill("ana")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("ana")).to_be_visible()
    return Visit(page, f"{example.url}/")


def test_a_seller_links_on_the_consent_page_sells_and_unlinks(visit: Visit, mp_sandbox: Sandbox):
    visit.press("Link")
    visit.press(SELLER)
    visit.press("Autorizar")
    visit.is_linked()
    seller = next(one for one in mp_sandbox.sellers() if one.nickname == SELLER)
    expect(visit.page.get_by_text(str(seller.user_id))).to_be_visible()

    visit.press("Sell")
    expect(visit.page.get_by_text("sold")).to_contain_text("true")
    assert mp_sandbox.journal.last("resource").user_id == seller.user_id

    visit.page.goto(visit.home)
    visit.press("Unlink")
    expect(visit.page.get_by_text("Mercado Pago: unlinked")).to_be_visible()


def test_the_callback_opened_again_still_shows_a_link(visit: Visit, mp_sandbox: Sandbox):
    callbacks: list[str] = []
    visit.page.on(
        "request", lambda one: callbacks.append(one.url) if "/mp/callback" in one.url else None
    )
    visit.press("Link")
    visit.press(SELLER)
    visit.press("Autorizar")
    visit.is_linked()

    visit.page.goto(callbacks[0])

    visit.is_linked()
    mp_sandbox.journal.assert_count(1, kind="token")


def test_a_seller_who_cancels_is_told_so_and_may_start_again(visit: Visit, mp_sandbox: Sandbox):
    visit.press("Link")
    visit.press(SELLER)
    visit.press("Cancelar")
    visit.page.wait_for_url(f"{visit.home}**")
    mp_sandbox.journal.assert_count(0, kind="token")

    visit.page.goto(visit.home)
    expect(visit.page.get_by_text("Mercado Pago: not linked")).to_be_visible()
    visit.press("Link")
    visit.press("Autorizar")
    visit.is_linked()


def test_a_link_outlives_its_token_and_a_revoked_one_can_be_made_again(
    visit: Visit, example: Running, mp_sandbox: Sandbox
):
    visit.press("Link")
    visit.press(SELLER)
    visit.press("Autorizar")
    visit.is_linked()
    seller = next(one for one in mp_sandbox.sellers() if one.nickname == SELLER)
    example.advance(timedelta(days=170))
    mp_sandbox.clock.advance(days=170)

    visit.press("Sell")
    expect(visit.page.get_by_text("sold")).to_contain_text("true")
    mp_sandbox.journal.assert_count(1, kind="token", grant_type="refresh_token")

    mp_sandbox.change_password(seller)
    visit.page.goto(visit.home)
    visit.press("Sell")
    expect(visit.page.get_by_text("sold")).to_contain_text("false")
    visit.page.goto(visit.home)
    expect(visit.page.get_by_text("please link again")).to_be_visible()
    visit.press("Link")
    visit.press("Autorizar")
    visit.is_linked()
