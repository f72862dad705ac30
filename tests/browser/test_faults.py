"""Tampered and lost redirects, as a seller's real browser meets them."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error, expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def start(sandbox: Sandbox) -> str:
    """An authorization link back to the built-in callback page, with one seller to choose."""
    application = sandbox.register_application(redirect_uris=[f"{sandbox.url}/callback"])
    sandbox.create_seller(country="AR", nickname="LIBRERIA_DEL_SUR")
    return sandbox.authorization_url(application, state="any") + "&lang=en"


def test_markup_in_an_error_arrives_as_text_after_the_consent_page(
    page: "Page", sandbox: Sandbox, start: str
) -> None:
    sandbox.faults.add("tamper", how="markup")

    page.goto(start)
    page.get_by_role("button", name="LIBRERIA_DEL_SUR").click()
    page.get_by_role("button", name="Authorize").click()

    page.wait_for_url("**/callback?error=access_denied*")
    # The page watches for dialogs: none may have opened.
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    assert sandbox.journal.last().faults == ("f1 tamper markup (match 1)",)


def test_a_code_that_was_issued_never_arrives_when_the_answer_is_lost(
    page: "Page", sandbox: Sandbox, start: str
) -> None:
    sandbox.auto_consent()
    sandbox.faults.add("lose-response", on="authorization", times="always")

    with pytest.raises(Error, match=r"ERR_EMPTY_RESPONSE|ERR_CONNECTION"):
        page.goto(start)

    entry = sandbox.journal.last()
    assert (entry.outcome, entry.delivery) == ("code issued", "dropped")
