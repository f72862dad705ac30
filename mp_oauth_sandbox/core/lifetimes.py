"""How long codes and tokens live, each number with its source."""

import calendar
from datetime import UTC, datetime, timedelta

from mp_oauth_sandbox.core.values import Value

#: Ten minutes and a single use. Mercado Pago, POST /oauth/token reference.
AUTHORIZATION_CODE = timedelta(minutes=10)

#: 15552000 seconds. Mercado Pago, POST /oauth/token reference; seen in 6 public captures.
ACCESS_TOKEN = timedelta(days=180)

#: 21600 seconds. Mercado Pago, "Get Access Token", client credentials.
CLIENT_CREDENTIALS_TOKEN = timedelta(hours=6)


#: A hundred years: whatever is issued while the clock may still move expires in the calendar.
LONGEST = timedelta(days=36525)


class CalendarMonths(Value, frozen=True, kw_only=True):
    """A lifetime counted in calendar months; 31 August plus 6 months is the end of February."""

    months: int

    def after(self, instant: datetime) -> datetime:
        """The instant this many months later, at the same time of day."""
        years, month = divmod(instant.month - 1 + self.months, 12)
        year = instant.year + years
        last_day = calendar.monthrange(year, month + 1)[1]
        return instant.replace(year=year, month=month + 1, day=min(instant.day, last_day))


#: "6 months", a little longer than the 180 days of the access token, so that a renewal
#: just after expiry can work. Mercado Pago, OAuth overview; Mercado Libre,
#: "Authentication and Authorization".
REFRESH_TOKEN = CalendarMonths(months=6)


def expiry(issued_at: datetime, lifetime: timedelta | CalendarMonths) -> datetime:
    """The first instant at which something issued at `issued_at` is expired.

    What would outlive the calendar ends with it.
    """
    try:
        if isinstance(lifetime, CalendarMonths):
            return lifetime.after(issued_at)
        return issued_at + lifetime
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=UTC)


class Lifetimes(Value, frozen=True, kw_only=True):
    """The lifetimes of one application's codes and tokens.

    Every application starts with Mercado Pago's numbers; shorter ones let a test reach
    an expiry without moving any clock. A code lifetime of zero makes each code expire
    at once.
    """

    authorization_code: timedelta = AUTHORIZATION_CODE
    access_token: timedelta = ACCESS_TOKEN
    refresh_token: timedelta | CalendarMonths = REFRESH_TOKEN
    client_credentials_token: timedelta = CLIENT_CREDENTIALS_TOKEN
