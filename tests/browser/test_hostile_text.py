"""Names and parameters come from strangers: they are shown as text, never run as markup."""

from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Each page fails its test at the end if a dialog opens or a console complains.
MARKUP = "</title><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'\"&amp;"


def assert_harmless(page: "Page") -> None:
    assert page.locator("body img").count() == 0
    assert page.locator("script:not([src])").count() == 0


def test_markup_in_an_applications_name_is_text_on_every_page(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(name=MARKUP, redirect_uris=[callback])
    seller = sandbox.create_seller()
    page.goto(f"{sandbox.url}/")
    expect(page.get_by_role("heading", level=2, name="alert(1)")).to_have_text(MARKUP)
    assert_harmless(page)
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    expect(page.locator(".lead")).to_contain_text(MARKUP)
    assert_harmless(page)
    page.get_by_role("button", name=seller.nickname).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"Authorize {MARKUP}")
    assert page.title() == f"Authorize {MARKUP} · mp-oauth-sandbox"
    assert_harmless(page)


def test_markup_typed_as_a_nickname_is_refused_and_never_run(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    page.get_by_label("Seller's nickname").fill(MARKUP)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("alert")).to_be_visible()
    assert_harmless(page)


def test_markup_in_a_query_is_text_on_the_error_and_callback_pages(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    page.goto(sandbox.authorization_url(application, redirect_uri=MARKUP))
    expect(page.get_by_role("region")).to_contain_text("<script>alert(1)</script>")
    assert_harmless(page)
    query = httpx.QueryParams(code=MARKUP, state=MARKUP, error_description=MARKUP)
    page.goto(f"{sandbox.url}/callback?{query}")

    expect(page.get_by_role("definition").first).to_have_text(MARKUP)
    assert_harmless(page)


def test_markup_in_the_live_journal_is_text(page: "Page", sandbox: Sandbox, callback: str) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    page.goto(sandbox.url)
    expect(page.get_by_role("status")).to_contain_text("by themselves")
    httpx.get(sandbox.authorization_url(application, redirect_uri=MARKUP))

    expect(page.locator(".entry")).to_contain_text("<script>")
    assert_harmless(page)
    page.reload()
    expect(page.locator(".entry")).to_contain_text("<script>")
    assert_harmless(page)
