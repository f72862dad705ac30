"""What a person sees when an authorization request cannot go on: both texts, and no redirect."""

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

MERCADO_PAGO = "Sorry, the application cannot connect to your account"


def why(page: "Page") -> "Locator":
    """The part of the error page that is the sandbox's own, set apart from Mercado Pago's."""
    return page.get_by_role("region", name="Why? (sandbox)")


def test_a_redirect_uri_that_differs_by_one_character_is_shown_beside_the_registered_one(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    answer = page.goto(
        sandbox.authorization_url(application, redirect_uri=f"{callback}/") + "&lang=en"
    )

    assert answer is not None
    assert answer.status == 400
    assert page.url.startswith(sandbox.url)
    expect(page.get_by_role("heading", level=1)).to_have_text(MERCADO_PAGO)
    expect(why(page)).to_contain_text("differs by one character")
    expect(why(page).get_by_role("definition")).to_have_text([f"{callback}/", callback])
    slices = why(page).locator(".comparison span").all_inner_texts()
    rows = ["".join(row) for row in zip(*(text.split("\n") for text in slices), strict=True)]
    assert rows[2].index("^") == len(callback)


def test_the_caret_stands_under_the_first_difference_also_where_the_lines_wrap(
    open_page: "Callable[..., Page]", sandbox: Sandbox
) -> None:
    application = sandbox.register_application(redirect_uris=["https://shop.example/mp/callback"])
    page = open_page(viewport={"width": 320, "height": 640})
    page.goto(
        sandbox.authorization_url(application, redirect_uri="https://shop.example/mp/callbacc")
    )

    carets = page.locator(".comparison span").filter(has_text="^")
    sent, registered, marker = carets.inner_text().split("\n")
    position = marker.index("^")
    assert (sent[position], registered[position]) == ("c", "k")


def test_an_unknown_client_id_is_named(page: "Page", sandbox: Sandbox, callback: str) -> None:
    page.goto(
        f"{sandbox.url}/authorization?client_id=404404&response_type=code"
        f"&redirect_uri={quote(callback, safe='')}&lang=en"
    )

    expect(page.get_by_role("heading", level=1)).to_have_text(MERCADO_PAGO)
    expect(why(page)).to_contain_text("No application has the client_id 404404.")
    expect(why(page)).to_contain_text("Compare client_id with the one the sandbox printed")


def test_a_missing_challenge_is_explained_under_the_strict_profile(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback], pkce_required=True)
    sandbox.change_profile(challenge_missing="error_page")
    page.goto(sandbox.authorization_url(application) + "&lang=en")

    expect(page.get_by_role("heading", level=1)).to_have_text(MERCADO_PAGO)
    expect(why(page)).to_contain_text("requires PKCE")
    expect(why(page)).to_contain_text("code_challenge_method=S256")


def test_a_collaborator_is_told_to_use_the_main_account(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    main = sandbox.create_seller(nickname="MAIN_ACCOUNT")
    sandbox.create_seller(nickname="HELPING_HAND", collaborator_of=main)
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    page.get_by_role("button", name="HELPING_HAND collaborator").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("A collaborator account cannot")
    expect(page.get_by_text("invalid_operator_user_id")).to_be_visible()
    expect(why(page)).to_contain_text(f"HELPING_HAND is a collaborator of account {main.user_id}")


def test_the_error_page_leads_to_its_entry_in_the_journal(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    page.goto(
        sandbox.authorization_url(application, redirect_uri="https://else.example/") + "&lang=en"
    )
    page.get_by_role("link", name="See the entry in the journal").click()

    entry = page.locator(".entry:target")
    expect(entry).to_contain_text("redirect_uri_not_registered")
    expect(entry).to_be_in_viewport()
