"""A local, unofficial test double of Mercado Pago's OAuth authorization server.

The names below load lazily, so that importing the package costs nothing (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mp_oauth_sandbox.core.causes import Cause
    from mp_oauth_sandbox.core.lifetimes import CalendarMonths, Lifetimes
    from mp_oauth_sandbox.core.profile import Profile
    from mp_oauth_sandbox.core.reception import Reception
    from mp_oauth_sandbox.core.records import Application, Notification, Seller, Webhook
    from mp_oauth_sandbox.core.registration import InvalidInputError
    from mp_oauth_sandbox.engine.clock import Clock, ClockError
    from mp_oauth_sandbox.hosting.live import PortUnavailableError
    from mp_oauth_sandbox.journal import Entry, Journal
    from mp_oauth_sandbox.sandbox import Sandbox
    from mp_oauth_sandbox.stores.protocol import StoreError

__version__ = "0.1.0"

_HOMES = {
    "Application": "core.records",
    "CalendarMonths": "core.lifetimes",
    "Cause": "core.causes",
    "Clock": "engine.clock",
    "ClockError": "engine.clock",
    "Entry": "journal",
    "InvalidInputError": "core.registration",
    "Journal": "journal",
    "Lifetimes": "core.lifetimes",
    "Notification": "core.records",
    "PortUnavailableError": "hosting.live",
    "Profile": "core.profile",
    "Reception": "core.reception",
    "Sandbox": "sandbox",
    "Seller": "core.records",
    "StoreError": "stores.protocol",
    "Webhook": "core.records",
}

__all__ = [
    "Application",
    "CalendarMonths",
    "Cause",
    "Clock",
    "ClockError",
    "Entry",
    "InvalidInputError",
    "Journal",
    "Lifetimes",
    "Notification",
    "PortUnavailableError",
    "Profile",
    "Reception",
    "Sandbox",
    "Seller",
    "StoreError",
    "Webhook",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
