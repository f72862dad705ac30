"""What does each call of the control API."""

from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.web.control.applications import ApplicationOperations
from mp_oauth_sandbox.web.control.clock import ClockOperations
from mp_oauth_sandbox.web.control.consent import ConsentOperations
from mp_oauth_sandbox.web.control.explain import ExplainOperations
from mp_oauth_sandbox.web.control.faults import FaultOperations
from mp_oauth_sandbox.web.control.journal import JournalOperations
from mp_oauth_sandbox.web.control.leaks import LeakOperations
from mp_oauth_sandbox.web.control.operations import Operation
from mp_oauth_sandbox.web.control.profile import ProfileOperations
from mp_oauth_sandbox.web.control.resources import ResourceOperations
from mp_oauth_sandbox.web.control.revocations import RevocationOperations
from mp_oauth_sandbox.web.control.sandbox import SandboxOperations
from mp_oauth_sandbox.web.control.sellers import SellerOperations
from mp_oauth_sandbox.web.control.webhooks import WebhookOperations
from mp_oauth_sandbox.web.pages.sessions import Sessions
from mp_oauth_sandbox.webhooks.public import Webhooks


def operations(engine: Engine, webhooks: Webhooks, sessions: Sessions) -> tuple[Operation, ...]:
    """Every operation, on this engine, these notifications and these browsers."""
    nouns = (
        SandboxOperations(engine, sessions),
        ApplicationOperations(engine),
        SellerOperations(engine),
        ConsentOperations(engine, sessions),
        ClockOperations(engine.clock, webhooks),
        RevocationOperations(engine, webhooks),
        ProfileOperations(engine),
        JournalOperations(engine.journal),
        WebhookOperations(webhooks),
        ResourceOperations(engine.resources),
        ExplainOperations(engine),
        LeakOperations(engine),
        FaultOperations(engine.faults),
    )
    return tuple(one for noun in nouns for one in noun.operations())
