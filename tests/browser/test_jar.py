"""The driver's cookie jar beside Chromium's, cookie by cookie."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from mp_oauth_sandbox.driver.jars import CookieJar
from mp_oauth_sandbox.hosting.live import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.browser

SET_COOKIES = (
    "unset=1",
    "lax=1; SameSite=Lax",
    "strict=1; SameSite=Strict",
    "none_plain=1; SameSite=None",
    "none_secure=1; SameSite=None; Secure",
    "odd=1; SameSite=Sometimes",
    "lax_secure=1; Secure; SameSite=Lax; HttpOnly",
    "__Host-ok=1; Secure; Path=/",
    "__Host-path=1; Secure; Path=/app",
    "__Host-insecure=1; Path=/",
    "__Secure-ok=1; Secure; Path=/",
    "__Secure-insecure=1",
    "root=1; Path=/",
    "below=1; Path=/app/below",
    "beside=1; Path=/ap",
    "slash=1; Path=/app/",
    "relative=1; Path=app",
    "aged=1; Max-Age=100",
    "dead=1; Max-Age=0",
    "negative=1; Max-Age=-5",
    "past=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "dashes=1; Expires=Fri, 01-Jan-2100 00:00:00 GMT",
    "both=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "not_a_date=1; Expires=soon",
    "other_domain=1; Domain=example.test",
    "own_domain=1; Domain=localhost",
    "again=1",
    "again=2",
    "gone=1",
    "gone=; Max-Age=0",
    " spaced = 1 ; SameSite = Strict",
    "=nameless",
    "valueless=",
    "bare",
    'quoted="1 2"',
)

# What the other site's page does, and how the jar is told of it.
NAVIGATIONS = {
    "typed": ("GET", False),
    "link": ("GET", True),
    "link_below": ("GET", True),
    "post": ("POST", True),
    "post_then_redirect": ("GET", True),
}


class _Sites:
    """One ASGI application that plays both sites, and remembers the cookies that came."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        self.target = ""

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        path, headers = scope["path"], [(b"content-type", b"text/html")]
        status, body = 200, b"<!doctype html><title>site</title>"
        if path == "/app/set":
            headers += [(b"set-cookie", cookie.encode()) for cookie in SET_COOKIES]
        elif path.startswith("/app/see"):
            sent = dict(scope["headers"])
            self.seen[path] = sent.get(b"cookie", b"").decode()
        elif path == "/bounce":
            status, headers = 303, [(b"location", f"{self.target}/app/see".encode())]
        elif path == "/elsewhere":
            body = f"""<!doctype html><title>another site</title>
                <a id="link" href="{self.target}/app/see">go</a>
                <a id="link_below" href="{self.target}/app/see/below">go</a>
                <form method="post" action="{self.target}/app/see"><button id="post"></form>
                <form method="post" action="/bounce"><button id="post_then_redirect"></form>
                """.encode()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def sites() -> Iterator[tuple[_Sites, str, str]]:
    """The application, its own address, and that of the other site."""
    application = _Sites()
    with LiveServer(application) as server:
        application.target = f"http://localhost:{server.port}"
        yield application, application.target, f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize("navigation", NAVIGATIONS)
def test_the_jar_sends_what_chromium_sends(
    navigation: str, sites: tuple[_Sites, str, str], open_page: "Callable[..., Page]"
):
    application, own, other = sites
    page = open_page()
    page.goto(f"{own}/app/set")
    path = "/app/see/below" if navigation == "link_below" else "/app/see"
    if navigation == "typed":
        page.goto(own + path)
    else:
        page.goto(f"{other}/elsewhere")
        page.click(f"#{navigation}")
        page.wait_for_url(own + path)

    jar = CookieJar()
    jar.store(f"{own}/app/set", SET_COOKIES)
    method, crosses = NAVIGATIONS[navigation]
    initiator = f"{other}/elsewhere" if crosses else None

    assert listed(jar.header(own + path, method=method, initiator=initiator) or "") == listed(
        application.seen[path]
    )


def test_the_jar_keeps_what_chromium_keeps(sites: tuple[_Sites, str, str], chromium: "Browser"):
    _, own, _ = sites
    context = chromium.new_context()
    try:
        context.new_page().goto(f"{own}/app/set")
        kept = sorted(
            tuple(cookie.get(key) for key in ("name", "value", "path", "secure"))
            for cookie in context.cookies()
        )
    finally:
        context.close()

    jar = CookieJar()
    jar.store(f"{own}/app/set", SET_COOKIES)

    assert sorted((one.name, one.value, one.path, one.secure) for one in jar) == kept


def listed(header: str) -> list[str]:
    """The cookies in the order sent, one in each line of a failure."""
    return header.split("; ")
