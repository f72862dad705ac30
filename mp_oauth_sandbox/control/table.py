"""Every call of the control API, in the order of its OpenAPI document."""

from typing import Any

from mp_oauth_sandbox.control import (
    applications,
    clock,
    consent,
    explain,
    faults,
    journal,
    leaks,
    profile,
    resources,
    revocations,
    sandbox,
    sellers,
    webhooks,
)
from mp_oauth_sandbox.control.types import Call

TABLE: tuple[Call[Any, Any], ...] = (
    *sandbox.CALLS,
    *applications.CALLS,
    *sellers.CALLS,
    *consent.CALLS,
    *clock.CALLS,
    *revocations.CALLS,
    *profile.CALLS,
    *journal.CALLS,
    *webhooks.CALLS,
    *resources.CALLS,
    *explain.CALLS,
    *leaks.CALLS,
    *faults.CALLS,
)
