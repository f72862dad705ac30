"""A live example, the sandbox that it calls, and people who use both.

The sandbox is the plugin's: as if just started for each test. The process is started once and
reset for each test, for starting one takes longer than most tests.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller, Webhook

from .person import Person
from .running import CLIENT_ID, CLIENT_SECRET, EACH, WEBHOOK_SECRET, Examples, Running
from .watch import nothing_leaked, nothing_was_misused


@pytest.fixture(params=EACH)
def example(
    request: pytest.FixtureRequest, examples: Examples, mp_sandbox: Sandbox
) -> Iterator[Running]:
    """An example that knows nobody yet, and is watched whatever the test is about."""
    running = examples.get(request.param)
    yield running
    nothing_leaked(running)
    nothing_was_misused(mp_sandbox)


@pytest.fixture(autouse=True)
def application(mp_sandbox: Sandbox, example: Running) -> Application:
    """What the example is registered as; without a webhook."""
    return mp_sandbox.register_application(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uris=[example.callback]
    )


@pytest.fixture
def notified(mp_sandbox: Sandbox, application: Application, example: Running) -> Application:
    """The application with its webhook at the example."""
    webhook = Webhook(url=example.webhook, secret=WEBHOOK_SECRET)
    return mp_sandbox.update_application(CLIENT_ID, lambda one: replace(one, webhook=webhook))


@pytest.fixture
def seller(mp_sandbox: Sandbox) -> Seller:
    return mp_sandbox.create_seller(country="AR")


@pytest.fixture
def person(example: Running, mp_sandbox: Sandbox) -> Iterator[Callable[[str], Person]]:
    """Make people, each logged in as an account of that name in a browser of their own."""
    with ExitStack() as browsers:

        def one(account: str) -> Person:
            made = Person(example, mp_sandbox, account)
            browsers.callback(made.http.close)
            return made.log_in()

        yield one


@pytest.fixture
def ana(person: Callable[[str], Person]) -> Person:
    """Somebody who is logged in."""
    return person("ana")


@pytest.fixture
def linked(ana: Person, seller: Seller) -> Person:
    """Ana, who has linked the seller."""
    ana.link(seller)
    return ana


@pytest.fixture
def advance(example: Running, mp_sandbox: Sandbox) -> Callable[..., None]:
    """Let time pass, for the example and Mercado Pago alike."""

    def move(**duration: float) -> None:
        step = timedelta(**duration)
        # First the example's: what is sent at the end of the move must not be of its future.
        example.advance(step)
        mp_sandbox.clock.advance(seconds=step.total_seconds())

    return move
