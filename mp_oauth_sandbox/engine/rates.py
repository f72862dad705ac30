"""How many token requests an application makes: the one thing counted outside the store."""

from collections import OrderedDict
from datetime import datetime

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.profile import Profile
from mp_oauth_sandbox.core.refusals import refuse

#: Client ids counted at a time, the longest silent out first; anybody may invent some.
_KEPT = 1_000


class RateLimit:
    """Counts token requests per application and minute of virtual time."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._counted: OrderedDict[str | None, tuple[int, int]] = OrderedDict()

    def refusal(self, client_id: str | None, now: datetime, profile: Profile) -> Refused | None:
        """Count one request, and refuse it if its minute is full."""
        limit = profile.token_requests_per_minute
        if limit is None:
            return None
        minute = int(now.timestamp()) // 60
        counted_minute, count = self._counted.get(client_id, (minute, 0))
        count = count + 1 if counted_minute == minute else 1
        self._counted[client_id] = (minute, count)
        self._counted.move_to_end(client_id)
        if len(self._counted) > _KEPT:
            self._counted.popitem(last=False)
        return refuse(Cause.RATE_LIMITED, limit=limit) if count > limit else None
