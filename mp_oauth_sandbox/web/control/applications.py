"""Registering and editing applications."""

from http import HTTPStatus

from mp_oauth_sandbox.control import applications
from mp_oauth_sandbox.control.applications import (
    ApplicationChange,
    ApplicationIn,
    ApplicationOut,
    ApplicationsOut,
    ApplicationWanted,
)
from mp_oauth_sandbox.control.types import Listed
from mp_oauth_sandbox.core.records import Application
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.web.control.operations import CallRefusedError, Operation, does
from mp_oauth_sandbox.web.control.pages import page_of


class ApplicationOperations:
    """The developer panel's part about applications."""

    def __init__(self, engine: Engine) -> None:
        """Work on this engine."""
        self._store = engine.store
        self._panel = Panel(engine)

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(applications.REGISTER, self._register),
            does(applications.LIST, self._list),
            does(applications.SHOW, self._show),
            does(applications.EDIT, self._edit),
        )

    async def _register(self, given: ApplicationIn) -> ApplicationOut:
        made = self._panel.register_application(given.wanted())
        return ApplicationOut.of(made, given.webhook)

    async def _list(self, given: Listed) -> ApplicationsOut:
        found, following = page_of(self._store, Application, given, known=self._panel.application)
        return ApplicationsOut([ApplicationOut.of(one) for one in found], following)

    async def _show(self, given: ApplicationWanted) -> ApplicationOut:
        return ApplicationOut.of(self._found(given.client_id))

    async def _edit(self, given: ApplicationChange) -> ApplicationOut:
        known = self._found(given.client_id)
        changed = self._panel.update_application(known.client_id, given.applied_to)
        return ApplicationOut.of(changed, given.webhook)

    def _found(self, client_id: str) -> Application:
        application = self._panel.application(client_id)
        if application is None:
            problem = f"there is no application {client_id[:40]}"
            raise CallRefusedError(HTTPStatus.NOT_FOUND, problem, field="client_id")
        return application
