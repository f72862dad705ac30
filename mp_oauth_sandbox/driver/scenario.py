"""Scenarios: stories with a script and what must come of it, one TOML file each."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

import mp_oauth_sandbox
from mp_oauth_sandbox.driver.config import explain
from mp_oauth_sandbox.driver.endpoints import Status
from mp_oauth_sandbox.driver.errors import ConfigError

Severity = Literal["critical", "high", "medium", "low"]
Name = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]*$")]


class Expectations(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must come of one step; what is left out is not judged.

    `token_requests_at_most` and `tokens_issued` count what the sandbox saw in the step
    (J), `status` lists what the integration may say of the actor's account (St).
    """

    token_requests_at_most: Annotated[int, Meta(ge=0)] | None = None
    tokens_issued: Annotated[int, Meta(ge=0)] | None = None
    status: list[Status] | None = None
    because: str = ""


class StartStep(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="start", tag_field="do"
):
    """`actor` begins linking; the authorization URL is held."""

    actor: Name


class ApproveStep(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="approve", tag_field="do"
):
    """`actor` opens the held authorization URL and approves as `seller`."""

    actor: Name
    seller: Name


class DenyStep(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="deny", tag_field="do"
):
    """`actor` opens the held authorization URL and cancels."""

    actor: Name


class LogInStep(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="log-in", tag_field="do"
):
    """`actor` logs in; `start` does so by itself where it is needed."""

    actor: Name


class DeliverStep(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="deliver", tag_field="do"
):
    """The newest callback of `callback_of` (default: of `actor`) is opened by `actor`."""

    actor: Name
    callback_of: Name | None = None
    expect: Expectations = Expectations()


class AdvanceStep(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="advance", tag_field="do"
):
    """Time passes: on the sandbox, and on the integration if its clock can be moved."""

    seconds: Annotated[int, Meta(ge=1)]

    @property
    def duration(self) -> timedelta:
        """How much."""
        return timedelta(seconds=self.seconds)


Step = LogInStep | StartStep | ApproveStep | DenyStep | DeliverStep | AdvanceStep


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One story. `name` is that of its file."""

    title: str
    severity: Severity
    story: str
    passes: str
    steps: Annotated[list[Step], Meta(min_length=1)]
    name: str = ""


def scenario_folder() -> Path:
    """Where the scenarios lie: inside the installed package, or beside it in a checkout."""
    package = Path(mp_oauth_sandbox.__file__).parent
    bundled = package / "_bundled_scenarios"
    return bundled if bundled.is_dir() else package.parent / "scenarios"


@cache
def scenario_names() -> tuple[str, ...]:
    """The names of all scenarios, in alphabetical order."""
    return tuple(sorted(path.stem for path in scenario_folder().glob("*.toml")))


def load_scenario(name: str) -> Scenario:
    """A scenario by name, or from a file of one's own (a path that ends in .toml).

    Raises ConfigError if there is none, or naming the key at fault.
    """
    path = Path(name) if name.endswith(".toml") else scenario_folder() / f"{name}.toml"
    if not name.endswith(".toml") and name not in scenario_names():
        raise ConfigError(name[:100], f"no such scenario; there are {', '.join(scenario_names())}")
    try:
        scenario = msgspec.toml.decode(path.read_text(encoding="utf-8"), type=Scenario)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"it cannot be read ({error})") from error
    except msgspec.ValidationError as error:
        key, problem = explain(error, Scenario)
        raise ConfigError(f"{path.name}: {key}", problem) from error
    except msgspec.DecodeError as error:
        raise ConfigError(str(path), f"it is not valid TOML ({error})") from error
    return msgspec.structs.replace(scenario, name=path.stem)
