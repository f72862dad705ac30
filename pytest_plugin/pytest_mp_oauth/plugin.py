"""The fixtures, as pytest loads them; imports only pytest at the top."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mp_oauth_sandbox import Application, Clock, Sandbox, Seller


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show in a failed test's report what the sandbox refused, and how its notifications fared."""
    report = yield
    sandbox = getattr(item, "funcargs", {}).get("mp_sandbox")
    if report.when == "call" and report.failed and sandbox is not None:
        refusals = sandbox.journal.refusals()[-5:]
        if refusals:
            text = "\n".join(f"{entry.at.date()} {entry}" for entry in refusals)
            report.sections.append(("mp_sandbox: the last refusals", text))
        told = [entry for entry in sandbox.journal.query(kind="webhook") if entry.reception][-5:]
        if told:
            text = "\n".join(str(entry) for entry in told)
            report.sections.append(("mp_sandbox: the last notifications of note", text))
    return report


@pytest.fixture(scope="session")
def mp_server() -> Iterator["Sandbox"]:
    """The live sandbox of this process (with xdist: of this worker). Tests use `mp_sandbox`."""
    from mp_oauth_sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def mp_sandbox(mp_server: "Sandbox", request: pytest.FixtureRequest) -> Iterator["Sandbox"]:
    """A live sandbox as if just started: empty, real time, default profile, consent page.

    A fault that the test added and that did nothing is a warning: it tested nothing.
    """
    from mp_oauth_sandbox import Clock, Profile
    from mp_oauth_sandbox.faults import unreached

    # Whatever an earlier test did or asked to keep.
    mp_server.faults.clear()
    mp_server.resources.clear()
    mp_server.clock.restore(Clock().state())
    mp_server.profile = Profile()
    mp_server.show_consent_page()
    mp_server.keep()
    mp_server.reset()
    yield mp_server
    for armed in mp_server.faults.never_reached():
        request.node.warn(pytest.PytestWarning(f"never reached: fault {unreached(armed)}"))


@pytest.fixture
def mp_redirect_uris() -> list[str]:
    """The redirect URIs of `mp_application`; override it with your own."""
    return ["http://localhost:8000/callback"]


@pytest.fixture
def mp_application(mp_sandbox: "Sandbox", mp_redirect_uris: list[str]) -> "Application":
    """A registered application: `client_id`, `client_secret`, `redirect_uris`."""
    return mp_sandbox.register_application(redirect_uris=mp_redirect_uris)


@pytest.fixture
def mp_seller(mp_sandbox: "Sandbox") -> "Seller":
    """A seller in Argentina who approves every authorization request at once."""
    seller = mp_sandbox.create_seller(country="AR")
    mp_sandbox.auto_consent(seller)
    return seller


@pytest.fixture
def mp_clock(mp_sandbox: "Sandbox") -> "Clock":
    """The sandbox's clock; it goes back to real time after the test."""
    return mp_sandbox.clock
