"""What a sandbox remembers beside its records: encoded and decoded here, and nowhere else."""

from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import msgspec

from mp_oauth_sandbox.core.consent import Consent
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.engine.clock import ClockState
from mp_oauth_sandbox.stores.protocol import SettingsStore, StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each is saved under its own name. None: nothing is remembered, or it is to stay as it is.

    `mint` is the seed of codes and tokens, and how often a sandbox was started over it.
    """

    clock: ClockState | None = None
    profile: Profile | None = None
    consent: Consent | None = None
    mint: tuple[str, int] | None = None


def load(store: SettingsStore) -> Settings:
    """What was saved. Raises StoreError for what this version cannot read."""
    saved, hints = store.settings(), get_type_hints(Settings)
    try:
        known: dict[str, Any] = {
            name: msgspec.json.decode(saved[name], type=hint)
            for name, hint in hints.items()
            if name in saved
        }
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise StoreError(
            f"the data file holds a setting that this version cannot read ({error}); start with"
            " another file"
        ) from error
    return Settings(**known)


def save(store: SettingsStore, settings: Settings) -> None:
    """Let the store remember them. Raises StoreError if it cannot, and then it remembers none."""
    store.save_settings(encoded(settings))


def encoded(settings: Settings) -> dict[str, str]:
    """Settings as a store keeps them, without those that are to stay."""
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)}
    return {
        name: msgspec.json.encode(value).decode()
        for name, value in values.items()
        if value is not None
    }
