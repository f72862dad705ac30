"""The system's Chromium, pages that notice what goes wrong in them, and an integration's callback.

The sandbox is at 127.0.0.1 and the callback at localhost: two sites, as in production.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from mp_oauth_sandbox import Sandbox
from mp_oauth_sandbox.hosting.live import LiveServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Response
    from starlette.types import Receive, Scope, Send

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CALLBACK_PAGE = (
    b'<!doctype html><html lang="en"><title>Tienda Demo</title><link rel="icon" href="data:,">'
    b"<h1>Back at the integration</h1></html>"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The system's Chromium, started when a test first wants it."""
    program = os.environ.get("MP_OAUTH_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if program is None:
        absent = "no Chromium found: install chromium, or set MP_OAUTH_CHROMIUM"
        if os.environ.get("MP_OAUTH_REQUIRE_BROWSER") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        loop = asyncio.get_running_loop()
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        asyncio.events._set_running_loop(loop)
        browser.close()
    asyncio.events._set_running_loop(None)


@pytest.fixture(autouse=True)
def _playwright_loop(chromium: "Browser") -> Iterator[None]:
    """Let other tests of this process run event loops of their own.

    Playwright's loop stays marked as running in this thread while it waits for the next
    call. Between browser tests nobody calls, so the mark can be lifted.
    """
    asyncio.events._set_running_loop(chromium._loop)
    yield
    asyncio.events._set_running_loop(None)


@pytest.fixture
def open_page(chromium: "Browser", _playwright_loop: None) -> Iterator[Callable[..., "Page"]]:
    """Open a page in a context of its own: `open_page(java_script_enabled=False)`.

    Afterwards the test fails if any page complained in its console, threw, broke its
    Content-Security-Policy, or showed a dialog.
    """
    complaints: list[str] = []
    with ExitStack() as contexts:

        def open_one(**options: object) -> "Page":
            context = contexts.enter_context(chromium.new_context(**options))  # pyright: ignore[reportArgumentType] - passed through
            context.set_default_timeout(10_000)
            context.on("page", lambda page: _watch(page, complaints))
            return context.new_page()

        yield open_one
    assert complaints == []


def _watch(page: "Page", complaints: list[str]) -> None:
    refusals: set[str] = set()

    def note_refusal(response: "Response") -> None:
        if response.status in {400, 409} and response.request.resource_type == "document":
            refusals.add(response.url)

    def note_message(message: "ConsoleMessage") -> None:
        # An error page is itself an error to the console; nothing else may be.
        if message.type in {"error", "warning"} and message.location["url"] not in refusals:
            complaints.append(f"{page.url}: {message.text}")

    def note_dialog(dialog: "Dialog") -> None:
        complaints.append(f"{page.url} opened a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("response", note_refusal)
    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("dialog", note_dialog)


@pytest.fixture
def page(open_page: Callable[..., "Page"]) -> "Page":
    """A page in a fresh context, where nobody is signed in."""
    return open_page()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A live sandbox of the test's own."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def callback() -> Iterator[str]:
    """The registered redirect URI of a small integration on another site."""
    with LiveServer(_integration) as server:
        yield f"http://localhost:{server.port}/mp/callback"


async def _integration(scope: "Scope", receive: "Receive", send: "Send") -> None:
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": CALLBACK_PAGE})
