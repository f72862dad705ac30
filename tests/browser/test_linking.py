"""Linking a seller in a browser: sign in, approve or cancel, and come back."""

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

STATE = "xyz /?&=+é"


def arrived(page: "Page", callback: str) -> dict[str, str]:
    """The parameters with which the browser came to the callback."""
    page.wait_for_url(f"{callback}?*")
    expect(page.get_by_role("heading", name="Back at the integration")).to_be_visible()
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).query).items()}


def codes_issued(sandbox: Sandbox) -> int:
    return sum(entry.outcome == "code issued" for entry in sandbox.journal.entries())


@pytest.fixture
def start(sandbox: Sandbox, callback: str) -> str:
    """The authorization link of an application with one seller to choose, in English."""
    application = sandbox.register_application(
        name="Tienda Demo", redirect_uris=[callback], client_id="1234", client_secret="fake"
    )
    sandbox.create_seller(country="AR", nickname="LIBRERIA_DEL_SUR")
    return sandbox.authorization_url(application, state=STATE) + "&lang=en"


def test_a_seller_signs_in_and_approves_and_the_code_is_good_for_tokens(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    page.goto(start)
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Authorize Tienda Demo")
    page.get_by_role("button", name="Authorize").click()

    answer = arrived(page, callback)
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == STATE
    tokens = httpx.post(
        f"{sandbox.url}/oauth/token",
        json={
            "grant_type": "authorization_code",
            "client_id": "1234",
            "client_secret": "fake",
            "code": answer["code"],
            "redirect_uri": callback,
        },
    )
    assert tokens.status_code == 200
    seller = sandbox.seller(tokens.json()["user_id"])
    assert seller is not None
    assert seller.nickname == "LIBRERIA_DEL_SUR"


def test_a_seller_who_cancels_comes_back_with_access_denied(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    page.goto(start)
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    page.get_by_role("button", name="Cancel").click()

    assert arrived(page, callback) == {"error": "access_denied", "state": STATE}
    assert codes_issued(sandbox) == 0


def test_a_typed_nickname_signs_in_as_a_new_test_seller(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    page.goto(start)
    page.get_by_label("Seller's nickname").fill("PANADERIA_NUEVA")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Signed in as PANADERIA_NUEVA")).to_be_visible()
    page.get_by_role("button", name="Authorize").click()

    user_id = arrived(page, callback)["code"].rpartition("-")[2]
    seller = sandbox.seller(int(user_id))
    assert seller is not None
    assert seller.nickname == "PANADERIA_NUEVA"


def test_an_unusable_nickname_is_explained_beside_the_field_which_has_the_focus(
    page: "Page", start: str
) -> None:
    page.goto(start)
    page.get_by_label("Seller's nickname").fill("<nobody>")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("alert")).to_contain_text("This nickname cannot be used")
    expect(page.get_by_label("Seller's nickname")).to_be_focused()


def test_a_signed_in_seller_can_use_another_account_for_the_same_request(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    other = sandbox.create_seller(country="MX", nickname="FERRETERIA_NORTE")
    page.goto(start)
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    page.get_by_role("button", name="Use another account").click()
    page.get_by_role("button", name="FERRETERIA_NORTE").click()
    page.get_by_role("button", name="Authorize").click()

    answer = arrived(page, callback)
    assert answer["code"].endswith(f"-{other.user_id}")
    assert answer["state"] == STATE


def test_a_seller_who_is_signed_in_goes_straight_to_the_consent_page(
    page: "Page", start: str, callback: str
) -> None:
    page.goto(start)
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    page.get_by_role("button", name="Authorize").click()
    arrived(page, callback)

    page.goto(start)
    expect(page.get_by_text("Signed in as LIBRERIA_DEL_SUR")).to_be_visible()


def test_auto_consent_redirects_at_once_without_a_page(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    chosen = sandbox.create_seller(country="CL")
    sandbox.auto_consent(chosen)
    answers: list[str] = []
    page.on("response", lambda response: answers.append(f"{response.status} {response.url}"))
    page.goto(start)

    assert arrived(page, callback)["code"].endswith(f"-{chosen.user_id}")
    assert answers == [f"302 {start}", f"200 {page.url}"]


def test_under_auto_consent_a_signed_in_browser_approves_as_its_own_seller(
    page: "Page", open_page: "Callable[..., Page]", sandbox: Sandbox, start: str, callback: str
) -> None:
    page.goto(start)
    page.get_by_label("Seller's nickname").fill("MI_CUENTA")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Signed in as MI_CUENTA")).to_be_visible()
    configured = sandbox.create_seller(country="UY")
    sandbox.auto_consent(configured)

    page.goto(start)
    mine = arrived(page, callback)["code"].rpartition("-")[2]
    other_browser = open_page()
    other_browser.goto(start)
    theirs = arrived(other_browser, callback)["code"].rpartition("-")[2]

    seller = sandbox.seller(int(mine))
    assert seller is not None
    assert seller.nickname == "MI_CUENTA"
    assert theirs == str(configured.user_id)


def test_the_deny_mode_sends_every_seller_back_with_access_denied(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    sandbox.deny()
    page.goto(start)

    assert arrived(page, callback) == {"error": "access_denied", "state": STATE}


def test_going_back_after_approving_shows_a_friendly_page_and_issues_no_second_code(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    page.goto(start.removesuffix("&lang=en"))
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    page.get_by_role("button", name="Autorizar").click()
    arrived(page, callback)
    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_contain_text("ya fue respondida")
    assert codes_issued(sandbox) == 1


def test_approving_in_a_second_tab_shows_a_friendly_page_and_issues_no_second_code(
    page: "Page", sandbox: Sandbox, start: str, callback: str
) -> None:
    page.goto(start.removesuffix("&lang=en"))
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    expect(page.get_by_role("button", name="Autorizar")).to_be_visible()
    second_tab = page.context.new_page()
    second_tab.goto(page.url)
    page.get_by_role("button", name="Autorizar").click()
    arrived(page, callback)
    second_tab.get_by_role("button", name="Autorizar").click()

    expect(second_tab.get_by_role("heading", level=1)).to_contain_text("ya fue respondida")
    assert codes_issued(sandbox) == 1


def test_a_double_click_on_authorize_issues_exactly_one_code(
    page: "Page", sandbox: Sandbox, start: str
) -> None:
    page.goto(start)
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    page.get_by_role("button", name="Authorize").dblclick()

    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile("Back at the integration|ya fue respondida")
    )
    assert codes_issued(sandbox) == 1
