"""Choosing how sellers answer: all of them, or the person in one browser."""

from http import HTTPStatus

from mp_oauth_sandbox.control import consent
from mp_oauth_sandbox.control.consent import ConsentIn, ConsentOut, SessionOut
from mp_oauth_sandbox.control.types import Nothing
from mp_oauth_sandbox.core.consent import Consent, told
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.web.control.operations import (
    CallRefusedError,
    Heard,
    Operation,
    does,
    does_hearing,
)
from mp_oauth_sandbox.web.pages.sessions import Sessions


class ConsentOperations:
    """How sellers answer."""

    def __init__(self, engine: Engine, sessions: Sessions) -> None:
        """Work on this engine, and on these browsers."""
        self._engine = engine
        self._panel = Panel(engine)
        self._sessions = sessions

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (
            does(consent.SET, self._set),
            does(consent.SHOW, self._show),
            does_hearing(consent.OPEN_SESSION, self._open_session),
        )

    async def _set(self, given: ConsentIn) -> ConsentOut:
        wanted = self._panel.checked_consent(Consent(mode=given.mode, seller=given.seller))
        if given.session is None:
            self._engine.set_consent(wanted)
        else:
            self._answer_as(given.session, wanted)
        return _shown(wanted)

    def _answer_as(self, session_id: str, wanted: Consent) -> None:
        session = self._sessions.find(session_id)
        if session is None:
            raise CallRefusedError(
                HTTPStatus.NOT_FOUND,
                "there is no such browser session; open one with POST /_sandbox/sessions",
                field="session",
            )
        was, session.consent = session.consent, wanted
        if wanted != was:
            self._engine.note(f"consent of one browser: {told(wanted.mode, wanted.seller)}")

    async def _show(self, _: Nothing) -> ConsentOut:
        return _shown(self._engine.consent)

    async def _open_session(self, _: Nothing, heard: Heard) -> SessionOut:
        session = self._sessions.open()
        return SessionOut(cookie=heard.cookie, session=session.session_id)


def _shown(consent: Consent) -> ConsentOut:
    return ConsentOut(mode=consent.mode, seller=consent.seller)
