"""Spans of time as people write them."""

import re

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*"
    r"(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?)?(?=[\s\d,]|$)[\s,]*",
    re.ASCII | re.IGNORECASE,
)


def seconds_of(text: str) -> float:
    """Seconds of "180 days", "1h 30m", "90": a number alone is seconds. Raises ValueError."""
    total, place = 0.0, 0
    text = text.strip()
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            break
        total += float(part["number"]) * _SECONDS[(part["unit"] or "s")[0].lower()]
        place = part.end()
    if not text or place < len(text):
        raise ValueError('must be like "180 days", "1h 30m" or 90 (seconds)')
    return total


class Lifetime(click.ParamType[tuple[str, int]]):
    """NAME=DURATION, as its name and whole seconds."""

    name = "NAME=DURATION"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """See click.ParamType.convert."""
        name, sign, text = str(value).partition("=")
        if not sign:
            self.fail("must be NAME=DURATION, such as access_token=60", param, ctx)
        try:
            return name, int(seconds_of(text))
        except (ValueError, OverflowError) as error:
            self.fail(f"{name}: {error}", param, ctx)
