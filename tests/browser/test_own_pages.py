"""The built-in callback and the front page with its live journal."""

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_built_in_callback_exchanges_the_code_and_shows_the_answer(
    page: "Page", sandbox: Sandbox
) -> None:
    callback = f"{sandbox.url}/callback"
    application = sandbox.register_application(redirect_uris=[callback])
    seller = sandbox.create_seller()
    page.goto(sandbox.authorization_url(application, state="s-1") + "&lang=en")
    page.get_by_role("button", name=seller.nickname).click()
    page.get_by_role("button", name="Authorize").click()
    facts = page.get_by_role("region", name="What arrived at this callback")
    expect(facts.get_by_role("definition")).to_contain_text(["TG-", "s-1", callback])
    expect(page.locator("pre")).to_contain_text("curl -s")
    page.get_by_role("button", name="Exchange it now").click()

    answer = page.get_by_role("region", name="POST /oauth/token answered 200").locator("pre")
    assert json.loads(answer.inner_text())["user_id"] == seller.user_id
    page.get_by_role("button", name="Exchange it again").click()
    second = page.get_by_role("region", name="POST /oauth/token answered 400").locator("pre")
    assert json.loads(second.inner_text())["error"] == "invalid_grant"


def test_the_built_in_callback_shows_a_denial_and_offers_no_exchange(
    page: "Page", sandbox: Sandbox
) -> None:
    application = sandbox.register_application(redirect_uris=[f"{sandbox.url}/callback"])
    sandbox.deny()
    page.goto(sandbox.authorization_url(application))

    expect(page.get_by_role("heading", level=1)).to_have_text("The seller is back without a code")
    expect(page.get_by_text("access_denied")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_the_front_page_leads_into_linking_a_seller(page: "Page", sandbox: Sandbox) -> None:
    sandbox.register_application(name="Tienda Demo", redirect_uris=[f"{sandbox.url}/callback"])
    page.goto(sandbox.url)
    page.get_by_role("link", name="Link a seller").click()

    expect(page.get_by_text("Tienda Demo wants to connect")).to_be_visible()


def test_the_front_page_of_an_empty_sandbox_says_how_to_begin(
    page: "Page", sandbox: Sandbox
) -> None:
    page.goto(sandbox.url)

    expect(page.get_by_role("heading", level=1)).to_have_text("The sandbox is running")
    expect(page.get_by_text("No application is registered yet.")).to_be_visible()


def test_modes_on_the_front_page_come_and_go_by_themselves(page: "Page", sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    modes = page.get_by_role("region", name="Not as at the start")
    expect(page.get_by_role("status")).to_contain_text("New entries appear by themselves")
    expect(modes).to_be_hidden()

    sandbox.deny()
    expect(modes).to_contain_text("consent deny")
    sandbox.faults.add("slow", on="token", seconds=1)
    expect(modes.get_by_role("listitem")).to_have_count(2)
    sandbox.reset()
    expect(modes).to_be_hidden()


def test_the_journal_on_the_front_page_grows_by_itself_with_cause_and_remedy(
    page: "Page", sandbox: Sandbox
) -> None:
    application = sandbox.register_application(redirect_uris=["http://localhost/cb"])
    page.goto(sandbox.url)
    expect(page.get_by_role("status")).to_contain_text("New entries appear by themselves")
    page.evaluate("document.body.dataset.loaded = 'once'")
    httpx.post(
        f"{sandbox.url}/oauth/token",
        json={
            "grant_type": "authorization_code",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "code": "TG-0123456789abcdef01234567-1",
            "redirect_uri": "http://localhost/cb",
        },
    )

    newest = page.locator(".entry").first
    expect(newest).to_contain_text("400 POST /oauth/token authorization_code refused")
    expect(newest).to_contain_text("code_unknown")
    told = sandbox.journal.last()
    assert told.explanation
    assert told.remedy
    expect(newest.locator(".entry-explanation")).to_have_text(told.explanation)
    expect(newest.locator(".entry-remedy")).to_have_text(told.remedy)
    assert page.evaluate("document.body.dataset.loaded") == "once"


def test_the_live_journal_starts_over_after_a_reset(page: "Page", sandbox: Sandbox) -> None:
    sandbox.register_application(redirect_uris=["http://localhost/cb"])
    for _ in range(3):
        httpx.get(f"{sandbox.url}/users/me")
    page.goto(sandbox.url)
    expect(page.locator(".entry")).to_have_count(3)
    sandbox.reset()

    expect(page.locator(".entry")).to_have_count(0)
    expect(page.get_by_text("Nothing has happened yet.")).to_be_visible()
    httpx.get(f"{sandbox.url}/users/me")
    expect(page.locator(".entry")).to_have_count(1)
