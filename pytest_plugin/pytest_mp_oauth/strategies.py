"""What the contracts draw: forged states, foreign sessions, codes, lifetimes."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from hypothesis import strategies as st

Mutation = Literal[
    "genuine",
    "absent",
    "empty",
    "another session's",
    "another account's name in it",
    "truncated",
    "one character changed",
    "other case",
    "same shape",
]
Code = Literal["fresh", "another seller's", "garbage", "undefined"]
#: Whose browser: the one that started linking, the same after another account logged in there,
#: another account's, or one in which nobody is logged in.
Where = Literal["the owner", "another login", "another account", "nobody"]


@dataclass(frozen=True, kw_only=True)
class StateMutation:
    """What becomes of a state; `luck` chooses where or what, the same way each time."""

    kind: Mutation
    luck: int = 0

    def applied(self, state: str, *, others: str, names: tuple[str, str]) -> str | None:
        """The altered state, None for none.

        Args:
            state: The genuine one.
            others: A genuine one of another session.
            names: Of the account it was issued to, and of the account that presents it.
        """
        match self.kind:
            case "genuine":
                return state
            case "absent":
                return None
            case "empty":
                return ""
            case "another session's":
                return others
            case "another account's name in it":
                return state.replace(*names)
            case "other case":
                return state.swapcase()
            case "truncated":
                return state[: self.luck % max(len(state), 1)]
            case "one character changed":
                at = self.luck % max(len(state), 1)
                return state[:at] + _another(state[at : at + 1], self.luck) + state[at + 1 :]
            case "same shape":
                return "".join(_another(one, self.luck + at) for at, one in enumerate(state))


@dataclass(frozen=True, kw_only=True)
class ForeignCallback:
    """A callback whose state does not belong to the session that it is opened in."""

    where: Where
    state: StateMutation
    code: Code


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Who starts linking and who opens the callback; between, the starter may log in anew."""

    starter: Literal["A", "B"]
    finisher: Literal["A", "B", "X", "nobody"]
    switches_account: bool = False

    @property
    def is_own(self) -> bool:
        """Whether the one session that may finish this linking is the one that does."""
        return self.starter == self.finisher and not self.switches_account


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """Tokens issued from now on live `lifetime`; then `move` passes, and the API is called."""

    lifetime: timedelta
    move: timedelta


def state_mutations() -> st.SearchStrategy[StateMutation]:
    """Ways to alter a state."""
    return st.builds(
        StateMutation,
        kind=st.sampled_from(get_args(Mutation)),
        luck=st.integers(min_value=0, max_value=255),
    )


def code_kinds() -> st.SearchStrategy[Code]:
    """Codes to bring along."""
    return st.sampled_from(get_args(Code))


def sessions() -> st.SearchStrategy[Where]:
    """Browsers to open a callback in."""
    return st.sampled_from(get_args(Where))


def foreign_callbacks() -> st.SearchStrategy[ForeignCallback]:
    """Callbacks that must not lead to any token request."""
    drawn = st.builds(ForeignCallback, where=sessions(), state=state_mutations(), code=code_kinds())
    return drawn.filter(lambda one: one.where != "the owner" or one.state.kind != "genuine")


def pairs() -> st.SearchStrategy[Pair]:
    """Sessions that start and sessions that finish, equal or not."""
    return st.builds(
        Pair,
        starter=st.sampled_from(["A", "B"]),
        finisher=st.sampled_from(["A", "B", "X", "nobody"]),
        switches_account=st.booleans(),
    )


#: From a minute up: the edge of a shorter lifetime would judge the machine's speed.
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=400)


@st.composite
def renewals(draw: st.DrawFn) -> Renewal:
    """A lifetime, and a move that ends before, near or after its end."""
    lifetime = _in_seconds(draw(st.integers(_seconds(_SHORTEST), _seconds(_LONGEST))))
    move = draw(
        st.sampled_from([lifetime + timedelta(seconds=1), lifetime, lifetime / 2, lifetime * 2])
        | st.integers(1, _seconds(_LONGEST)).map(_in_seconds)
    )
    return Renewal(lifetime=lifetime, move=move)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _in_seconds(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def _another(character: str, luck: int) -> str:
    """Another character of the same class."""
    alphabet = "0123456789" if character.isdigit() else "abcdefghijklmnopqrstuvwxyz"
    alphabet = alphabet.upper() if character.isupper() else alphabet
    choices = alphabet.replace(character, "") if character else alphabet
    return random.Random(luck).choice(choices)  # noqa: S311 - reproducible, and no secret
