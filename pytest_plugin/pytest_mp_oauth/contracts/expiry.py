"""What must hold for expiry."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.driver.play import Play
from pytest_mp_oauth.contracts.stage import Contract, MakeIntegration, Stage, tried
from pytest_mp_oauth.strategies import Renewal, renewals

if TYPE_CHECKING:
    from mp_oauth_sandbox import Sandbox


class ExpiryContract(Contract):
    """Tokens are not used past their expiry. It needs `move_clock` and `trigger_url`.

    Source: RFC 6749 section 5.1 (`expires_in`); 180 days: Mercado Pago, POST /oauth/token.
    """

    def test_p14_no_call_carries_an_expired_token(
        self, mp_sandbox: "Sandbox", mp_integration: MakeIntegration
    ) -> None:
        """P14: whatever the lifetimes, and however long nobody calls."""
        stage = Stage(mp_sandbox, mp_integration, needs=("trigger_url", "move_clock"))
        with stage.play() as play:
            _link(play)
            calls = play.trigger("A").calls
        if not calls:
            pytest.skip("not checked: trigger_url makes the integration call nothing")

        @tried()
        @given(first=renewals(), later=st.lists(renewals(), max_size=3))
        def holds(first: Renewal, later: list[Renewal]) -> None:
            with stage.play() as play:
                _link(play, first)
                for renewal in [first, *later]:
                    play.set_lifetime("A", access_token=renewal.lifetime)
                    play.advance(renewal.move)
                    play.trigger("A")

        stage.run(holds)


def _link(play: Play, first: Renewal | None = None) -> None:
    play.start("A")
    if first is not None:
        play.set_lifetime("A", access_token=first.lifetime)
    play.deliver("A", play.approve("A", seller="S1"))
