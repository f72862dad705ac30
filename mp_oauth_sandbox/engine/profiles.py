"""Profiles by name, by file and by single switches: the same checks for every door."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints

import msgspec

from mp_oauth_sandbox.core.profile import DEFAULT, EVIDENCE, PRESETS, Profile
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.support.checked import did_you_mean, misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One field of a profile: its type as it is written, its default, and the evidence."""

    name: str
    type: str
    default: object
    evidence: str


@functools.cache
def switches() -> tuple[Switch, ...]:
    """Every switch of a profile, in the order of the class; its name is none."""
    hints = get_type_hints(Profile)
    return tuple(
        Switch(
            name=field.name,
            type=_written(hints[field.name]),
            default=field.default,
            evidence=field.metadata[EVIDENCE],
        )
        for field in fields(Profile)
        if field.name != "name"
    )


def _written(hint: object) -> str:
    """A type as it is written in the class."""
    return hint.__name__ if isinstance(hint, type) else str(hint).removeprefix("typing.")


def profile_named(name: str) -> Profile:
    """A preset by name. Raises InvalidInputError for an unknown one."""
    preset = PRESETS.get(name)
    if preset is None:
        raise InvalidInputError("profile", f"{name[:40]!r} is not one of {', '.join(PRESETS)}")
    return preset


def changed_profile(base: Profile, switches: Mapping[str, object]) -> Profile:
    """A profile with these switches changed.

    Raises InvalidInputError naming the switch that does not exist, or has no such value.
    """
    values: dict[str, object] = msgspec.to_builtins(base)
    for switch in switches:
        if switch not in values:
            question = did_you_mean(switch, values)
            raise InvalidInputError(switch[:60], f"there is no such switch in a profile{question}")
    for switch, value in switches.items():
        try:
            msgspec.convert({switch: value}, Profile)
        except msgspec.ValidationError as error:
            found = misfit(error, Profile)
            problem = found.problem + found.remedy
            raise InvalidInputError(switch, f"{problem} (given {str(value)[:40]!r})") from error
    return msgspec.convert({**values, **switches}, Profile)


def switched(profile: Profile) -> dict[str, object]:
    """The switches, by name, that differ from the preset of that name, else from the default."""
    preset = PRESETS.get(profile.name, DEFAULT)
    names = [one.name for one in fields(Profile) if one.name != "name"]
    values = {name: getattr(profile, name) for name in names}
    return {name: value for name, value in values.items() if value != getattr(preset, name)}


def described(profile: Profile) -> str:
    """A profile in a few words: its name, and how many switches differ from that preset."""
    changed = len(switched(profile)) if profile.name in PRESETS else 0
    return f"{profile.name}, {changed} switches changed" if changed else profile.name


def load_profile(name: str) -> Profile:
    """A preset by name, or a TOML file: switches by name, and `base`, the preset they alter.

    Raises InvalidInputError naming the preset, file or switch at fault.
    """
    if not name.endswith(".toml"):
        return profile_named(name)
    try:
        switches = msgspec.toml.decode(Path(name).read_bytes(), type=dict[str, object])
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise InvalidInputError("profile", f"{name} cannot be read: {error}") from error
    base = profile_named(str(switches.pop("base", "default")))
    return changed_profile(base, {"name": Path(name).stem, **switches})
