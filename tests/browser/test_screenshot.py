"""The consent page as the README shows it.

`MP_OAUTH_SCREENSHOT=docs/images/consent.png pytest tests/browser/test_screenshot.py` makes the
picture anew.
"""

import os
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_consent_page_shows_who_asks_for_what_and_where_it_leads(
    open_page: "Callable[..., Page]", sandbox: Sandbox
) -> None:
    application = sandbox.register_application(
        name="Tienda Demo", redirect_uris=["http://localhost:8000/mp/callback"]
    )
    seller = sandbox.create_seller(country="AR", nickname="LIBRERIA_DEL_SUR", user_id=200000001)
    page = open_page(
        viewport={"width": 600, "height": 540}, device_scale_factor=2, color_scheme="light"
    )
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    page.get_by_role("button", name=seller.nickname).click()

    expect(page.get_by_text("mp-oauth-sandbox · unofficial test double")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Authorize Tienda Demo")
    expect(page.get_by_text("Signed in as LIBRERIA_DEL_SUR AR 200000001")).to_be_visible()
    expect(page.get_by_role("button", name="Use another account")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_text("you will return to http://localhost:8000")).to_be_visible()
    if picture := os.environ.get("MP_OAUTH_SCREENSHOT"):
        page.screenshot(path=picture)
