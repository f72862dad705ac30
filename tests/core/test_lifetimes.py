"""Lifetimes. Sources: Mercado Pago, POST /oauth/token reference, OAuth overview."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.lifetimes import CalendarMonths, Lifetimes, expiry

INSTANTS = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9000, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)


def test_the_numbers_are_mercado_pagos():
    lifetimes = Lifetimes()
    assert lifetimes.authorization_code.total_seconds() == 600
    assert lifetimes.access_token.total_seconds() == 15_552_000
    assert lifetimes.client_credentials_token.total_seconds() == 21_600
    assert lifetimes.refresh_token == CalendarMonths(months=6)


@pytest.mark.parametrize(
    ("issued", "months", "ends"),
    [
        ("2026-01-15T10:30:59.000001", 6, "2026-07-15T10:30:59.000001"),
        ("2026-08-31T12:00:00", 6, "2027-02-28T12:00:00"),
        ("2027-08-31T12:00:00", 6, "2028-02-29T12:00:00"),
        ("2027-08-30T12:00:00", 6, "2028-02-29T12:00:00"),
        ("2027-08-29T12:00:00", 6, "2028-02-29T12:00:00"),
        ("2026-03-31T12:00:00", 6, "2026-09-30T12:00:00"),
        ("2026-12-31T23:59:59", 6, "2027-06-30T23:59:59"),
        ("2026-07-01T00:00:00", 6, "2027-01-01T00:00:00"),
        ("2028-02-29T00:00:00", 12, "2029-02-28T00:00:00"),
        ("2026-12-05T00:00:00", 25, "2029-01-05T00:00:00"),
        ("2026-12-05T00:00:00", 0, "2026-12-05T00:00:00"),
    ],
)
def test_a_month_that_is_too_short_ends_on_its_last_day(issued: str, months: int, ends: str):
    start = datetime.fromisoformat(issued).replace(tzinfo=UTC)
    end = datetime.fromisoformat(ends).replace(tzinfo=UTC)
    assert expiry(start, CalendarMonths(months=months)) == end


@given(INSTANTS)
def test_six_months_outlive_the_access_token(issued: datetime):
    # So that a renewal just after expiry can work.
    lifetimes = Lifetimes()
    lead = expiry(issued, lifetimes.refresh_token) - expiry(issued, lifetimes.access_token)
    assert timedelta(days=1) <= lead <= timedelta(days=4)


@given(INSTANTS, st.integers(0, 1200))
def test_months_land_in_the_right_month_at_the_same_time_of_day(issued: datetime, months: int):
    end = CalendarMonths(months=months).after(issued)
    assert (end.year - issued.year) * 12 + end.month - issued.month == months
    assert end.timetz() == issued.timetz()
    assert end.day <= issued.day


@pytest.mark.parametrize(
    "lifetime", [timedelta(days=800 * 365), timedelta.max, CalendarMonths(months=12 * 800)]
)
def test_what_would_outlive_the_calendar_ends_with_it(lifetime: timedelta | CalendarMonths):
    end = expiry(datetime(9990, 1, 1, tzinfo=UTC), lifetime)
    assert end == datetime.max.replace(tzinfo=UTC)
