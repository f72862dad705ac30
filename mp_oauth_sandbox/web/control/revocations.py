"""Ending links from Mercado Pago's side."""

from mp_oauth_sandbox.control import revocations
from mp_oauth_sandbox.control.revocations import RevocationIn, RevocationOut
from mp_oauth_sandbox.core.records import Application
from mp_oauth_sandbox.core.revoke import REVOCATIONS
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.web.control.operations import Operation, does
from mp_oauth_sandbox.web.control.webhooks import settle
from mp_oauth_sandbox.webhooks.public import Webhooks


class RevocationOperations:
    """What sellers and Mercado Pago do to links."""

    def __init__(self, engine: Engine, webhooks: Webhooks) -> None:
        """Work on this engine, and wait for these notifications where that is asked for."""
        self._panel = Panel(engine)
        self._webhooks = webhooks

    def operations(self) -> tuple[Operation, ...]:
        """What does the one call."""
        return (does(revocations.REVOKE, self._revoke),)

    async def _revoke(self, given: RevocationIn) -> RevocationOut:
        reason = given.reason
        ended = self._panel.revoke(reason, client_id=given.client_id, user_id=given.user_id)
        if given.settle:
            await settle(self._webhooks)
        secret = None
        if isinstance(ended, Application) and reason == "secret_rotated":
            secret = ended.client_secret
        row = REVOCATIONS[reason]
        return RevocationOut(
            reason=reason,
            ended=row.concerns,
            client_id=given.client_id,
            user_id=given.user_id,
            explanation=row.explanation,
            source=row.source,
            client_secret=secret,
        )
