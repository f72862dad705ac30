"""The switches for what the evidence leaves open."""

from dataclasses import fields

from msgspec import UNSET, Struct, UnsetType, defstruct

from mp_oauth_sandbox.control.types import Call, Nothing
from mp_oauth_sandbox.core.profile import PresetName, Profile

#: Every switch of a profile, each optional, and `preset`: the one they are changed from.
ProfileChange: type[Struct] = defstruct(
    "ProfileChange",
    [
        ("preset", PresetName | UnsetType, UNSET),
        *((switch.name, switch.type | UnsetType, UNSET) for switch in fields(Profile)),
    ],
    forbid_unknown_fields=True,
)

SHOW = Call("profile", "GET", "/profile", "Every switch and its value", Nothing, Profile)
CHANGE = Call(
    "change_profile",
    "PATCH",
    "/profile",
    "Change single switches, or first take a preset (`preset`)",
    ProfileChange,
    Profile,
)

CALLS = (SHOW, CHANGE)
