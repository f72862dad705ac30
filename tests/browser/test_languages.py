"""The pages speak Spanish, Portuguese and English, and say so to screen readers."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("country", "language", "title", "areas"),
    [
        ("AR", "es", "Autorizar a Tienda Demo", "La aplicación podrá:"),
        ("BR", "pt", "Autorizar Tienda Demo", "O aplicativo poderá:"),
    ],
)
def test_the_consent_page_speaks_the_language_of_the_sellers_country(
    page: "Page",
    sandbox: Sandbox,
    callback: str,
    country: str,
    language: str,
    title: str,
    areas: str,
) -> None:
    application = sandbox.register_application(name="Tienda Demo", redirect_uris=[callback])
    seller = sandbox.create_seller(country=country)
    page.goto(sandbox.authorization_url(application))
    page.get_by_role("button", name=seller.nickname).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("heading", level=2)).to_have_text(areas)
    assert page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize(
    ("locale", "heading"),
    [
        ("es-AR", "Inicia sesión como vendedor de prueba"),
        ("pt-BR", "Entre como vendedor de teste"),
        ("en-GB", "Sign in as a test seller"),
        ("de-DE", "Inicia sesión como vendedor de prueba"),
    ],
)
def test_the_sign_in_page_speaks_the_browsers_language_or_else_spanish(
    open_page: "Callable[..., Page]", sandbox: Sandbox, callback: str, locale: str, heading: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    page = open_page(locale=locale)
    page.goto(sandbox.authorization_url(application))

    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_lang_in_the_link_wins_and_stays_through_sign_in(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(name="Tienda Demo", redirect_uris=[callback])
    seller = sandbox.create_seller(country="BR")
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("button", name=seller.nickname).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Authorize Tienda Demo")
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_seller_can_change_the_language_of_the_page_and_still_approve(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    seller = sandbox.create_seller(country="AR")
    page.goto(sandbox.authorization_url(application))
    page.get_by_role("button", name=seller.nickname).click()
    page.get_by_role("link", name="Português").click()
    expect(page.get_by_role("heading", name="O aplicativo poderá:")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "pt"
    page.get_by_role("link", name="English").click()
    page.get_by_role("button", name="Authorize").click()

    page.wait_for_url(f"{callback}?code=*")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("es", "La aplicación no está preparada para conectarse a Mercado Pago"),
        ("pt", "Desculpe, não foi possível conectar o aplicativo à sua conta"),
        ("en", "Sorry, the application cannot connect to your account"),
    ],
)
def test_an_error_page_speaks_mercado_pagos_words_in_each_language(
    page: "Page", sandbox: Sandbox, language: str, sentence: str
) -> None:
    page.goto(f"{sandbox.url}/authorization?client_id=1&response_type=code&lang={language}")

    expect(page.get_by_role("heading", level=1)).to_have_text(sentence)
    assert page.locator("html").get_attribute("lang") == language
