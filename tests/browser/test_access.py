"""The pages work on a phone, without JavaScript, by keyboard, and for assistive technology."""

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from mp_oauth_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

UNBROKEN = "Supercalifragilisticoespialidoso" * 4


def every_page(page: "Page", sandbox: Sandbox, *, name: str) -> "Iterator[str]":
    """Visit each kind of page in turn and say where the browser is."""
    callback = f"{sandbox.url}/callback"
    application = sandbox.register_application(name=name, redirect_uris=[callback])
    main = sandbox.create_seller(country="BR", nickname="W" * 60)
    sandbox.create_seller(country="AR", nickname="HELPER", collaborator_of=main)
    link = sandbox.authorization_url(application) + "&lang=en"
    page.goto(sandbox.authorization_url(application, redirect_uri=f"{callback}{'x' * 90}"))
    yield "error"
    page.goto(f"{sandbox.url}/authorization/consent?request=gone")
    yield "expired"
    page.goto(link)
    yield "sign-in"
    page.get_by_label("Seller's nickname").fill("<>")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "sign-in, nickname refused"
    page.goto(link)
    page.get_by_role("button", name="W" * 60).click()
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    yield "consent"
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="What arrived at this callback")).to_be_visible()
    yield "callback"
    page.get_by_role("button", name="Exchange it now").click()
    expect(page.locator("pre").first).to_contain_text("access_token")
    yield "callback, exchanged"
    page.goto(f"{sandbox.url}/")
    yield "index"


def test_no_page_scrolls_sideways_on_a_phone(
    open_page: "Callable[..., Page]", sandbox: Sandbox
) -> None:
    page = open_page(is_mobile=True, has_touch=True, viewport={"width": 320, "height": 640})
    too_wide: list[str] = []
    visited = 0
    for where in every_page(page, sandbox, name=UNBROKEN):
        visited += 1
        for width in (320, 360):
            page.set_viewport_size({"width": width, "height": 640})
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                too_wide.append(f"{where}: {needed} of {width}")

    assert visited == 8
    assert too_wide == []


def test_axe_finds_nothing_serious_on_any_page_in_light_and_dark(
    open_page: "Callable[..., Page]", sandbox: Sandbox
) -> None:
    page = open_page(bypass_csp=True)  # axe is a script from outside
    found: list[str] = []
    visited = 0
    for where in every_page(page, sandbox, name="Tienda Demo"):
        visited += 1
        page.evaluate(Axe().axe_script)
        page.emulate_media(color_scheme="light")
        found += serious(page, f"{where}, light")
        page.emulate_media(color_scheme="dark")
        found += serious(page, f"{where}, dark", runOnly=["color-contrast"])

    assert visited == 8
    assert found == []


def serious(page: "Page", where: str, **options: object) -> list[str]:
    """What axe calls serious or critical: the rule and the element."""
    result = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **options}
    )
    return [
        f"{where}: {violation['id']}: {node['html']}"
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


def test_linking_works_without_javascript(
    open_page: "Callable[..., Page]", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    seller = sandbox.create_seller()
    page = open_page(java_script_enabled=False)
    page.goto(sandbox.authorization_url(application, state="kept") + "&lang=en")
    page.get_by_role("button", name=seller.nickname).click()
    page.get_by_role("button", name="Authorize").click()

    page.wait_for_url(f"{callback}?code=*&state=kept")


def test_the_sandboxs_own_pages_work_without_javascript(
    open_page: "Callable[..., Page]", sandbox: Sandbox
) -> None:
    page = open_page(java_script_enabled=False)

    assert list(every_page(page, sandbox, name="Tienda Demo"))[-1] == "index"
    expect(page.locator(".entry").first).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(
        "Newest first. Reload the page for new entries."
    )


def tab_to(page: "Page", name: str) -> None:
    """Press Tab until the button of that name has a focus that can be seen."""
    button = page.get_by_role("button", name=name)
    for _ in range(20):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(({outlineStyle, outlineWidth}) => outlineStyle + ' ' + outlineWidth)"
            "(getComputedStyle(document.activeElement))"
        )
        assert outline == "solid 3px"
        if button.evaluate("it => it === document.activeElement"):
            return
    pytest.fail(f"Tab never reaches {name}")


def test_linking_works_by_keyboard_with_a_visible_focus(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    seller = sandbox.create_seller()
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    tab_to(page, seller.nickname)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Authorize")).to_be_visible()
    tab_to(page, "Authorize")
    page.keyboard.press("Enter")

    page.wait_for_url(f"{callback}?code=*")


def test_a_nickname_can_be_typed_and_sent_by_keyboard_alone(
    page: "Page", sandbox: Sandbox, callback: str
) -> None:
    application = sandbox.register_application(redirect_uris=[callback])
    page.goto(sandbox.authorization_url(application) + "&lang=en")
    tab_to_field = page.get_by_label("Seller's nickname")
    while not tab_to_field.evaluate("it => it === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("TECLADO")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Signed in as TECLADO")).to_be_visible()
