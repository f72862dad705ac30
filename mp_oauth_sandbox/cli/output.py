"""All that the command line prints: for people, or the control API's own JSON."""

import os
import sys
from datetime import datetime

import click

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.reception import AS_IT_SHOULD_BE, Reception
from mp_oauth_sandbox.journal.entries import Kind

#: Everything that moves a terminal's cursor or changes its colours, but line breaks.
_CONTROLS = {code: "?" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x0A}


def plain(text: object) -> str:
    """Text from the sandbox, without what would act on a terminal."""
    return str(text).translate(_CONTROLS)


def say(text: str, *, err: bool = False) -> None:
    """Print a line; colours reach only a terminal, and none where NO_COLOR is set."""
    stream = sys.stderr if err else sys.stdout
    # None where there is no such stream at all: `>&-`.
    if stream is None:
        return
    # What requests say may not exist in the terminal's encoding.
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")
    click.echo(text, file=stream, color=False if os.environ.get("NO_COLOR") else None)


def dated(at: datetime, text: str, *, kind: Kind, why: Cause | Reception | None) -> str:
    """A journal entry with its date, and its first line in the colour of what came of it.

    The date, because a test may move the clock by months between one entry and the next.
    """
    first, newline, rest = text.partition("\n")
    fine = why is None or why in AS_IT_SHOULD_BE
    if kind == "control":
        first = click.style(first, dim=True)
    else:
        first = click.style(first, fg="green" if fine else "red")
    return f"{at.date()} {first}{newline}{rest}"


def say_json(answer: bytes) -> None:
    """Print an answer of the control API as it came, on one line."""
    if sys.stdout is not None:
        click.echo(answer)


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows in columns as wide as needed."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
