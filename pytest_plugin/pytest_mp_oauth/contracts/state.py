"""What must hold for `state` and the callback."""

from typing import TYPE_CHECKING

from hypothesis import given

from mp_oauth_sandbox.driver.acts import Callback
from mp_oauth_sandbox.driver.play import Play
from mp_oauth_sandbox.driver.verdicts import Finding, Verdict
from pytest_mp_oauth.contracts.stage import Contract, MakeIntegration, Stage, tried
from pytest_mp_oauth.strategies import ForeignCallback, Pair, foreign_callbacks, pairs

if TYPE_CHECKING:
    from mp_oauth_sandbox import Sandbox

_BIND = (
    "keep each state in the browser's session when linking starts, compare it with the "
    "callback's, and forget it; a login begins a new session"
)


class StateContract(Contract):
    """A callback links only in the browser session that started linking.

    Source: RFC 6749 sections 10.12 and 4.1.1.
    """

    def test_p1_no_code_is_exchanged_with_a_state_of_another_session(
        self, mp_sandbox: "Sandbox", mp_integration: MakeIntegration
    ) -> None:
        """P1: whatever the state, code and browser, unless the state is that session's own."""
        stage = Stage(mp_sandbox, mp_integration, needs=())

        @tried()
        @given(foreign=foreign_callbacks())
        def holds(foreign: ForeignCallback) -> None:
            with stage.play() as play:
                _open_foreign_callback(play, foreign)

        stage.run(holds)

    def test_p6_only_the_session_that_started_linking_finishes_it(
        self, mp_sandbox: "Sandbox", mp_integration: MakeIntegration
    ) -> None:
        """P6: equal sessions link, others change neither account."""
        stage = Stage(mp_sandbox, mp_integration, needs=("status",))

        @tried()
        @given(pair=pairs())
        def holds(pair: Pair) -> None:
            with stage.play() as play:
                _link_across(play, pair)

        stage.run(holds)


def _open_foreign_callback(play: Play, foreign: ForeignCallback) -> None:
    play.start("A")
    callback = play.approve("A", seller="S1")
    others: Callback | None = None
    if foreign.code == "another seller's" or foreign.state.kind == "another session's":
        play.start("X")
        others = play.approve("X", seller="SX")
    opener = "A"
    if foreign.where == "another login":
        play.log_in("A", account_of="B")
    elif foreign.where == "another account":
        opener = "B"
        play.log_in("B")
    elif foreign.where == "nobody":
        opener = "N"
    names = (play.actor("A").account or "", play.actor("B").account or "")
    theirs = others.get("state") if others else None
    state = foreign.state.applied(callback.get("state") or "", others=theirs or "", names=names)
    code = callback.get("code")
    if foreign.code == "another seller's" and others is not None:
        code = others.get("code")
    elif foreign.code != "fresh":
        code = {"garbage": "TG-0123456789abcdef-1", "undefined": "undefined"}[foreign.code]
    play.deliver(opener, callback.changed(code=code, state=state))


def _link_across(play: Play, pair: Pair) -> None:
    play.start(pair.starter)
    callback = play.approve(pair.starter, seller="S1")
    if pair.switches_account:
        play.log_in(pair.starter, account_of="C")
    if pair.finisher not in {"nobody", pair.starter}:
        play.log_in(pair.finisher)
    seen = play.deliver(pair.finisher, callback)
    people = [pair.starter, pair.finisher]
    linked = {name for name in people if name != "nobody" and play.status(name) == "linked"}
    if pair.is_own and not (seen.tokens_issued == 1 and linked == {pair.starter}):
        play.findings.append(_finding("the session that started linking could not finish it"))
    if not pair.is_own and (seen.tokens_issued or linked):
        play.findings.append(_finding(f"{pair.finisher} finished what another session had started"))


def _finding(what: str) -> Finding:
    return Finding(check="P6", verdict=Verdict.VIOLATED, what=what, do=_BIND)
