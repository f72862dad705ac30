"""`mp-oauth-sandbox journal`: what happened, and why."""

import os
import signal
import time
from collections import deque
from collections.abc import Generator, Iterator
from http import HTTPStatus
from types import FrameType
from urllib.parse import urlencode

import click
import httpx
import msgspec

from mp_oauth_sandbox.cli.output import plain, say, say_json
from mp_oauth_sandbox.cli.remote import RefusedCallError, Remote, remote_command
from mp_oauth_sandbox.control.errors import SandboxAbsentError

_PAGE = 1000
_TAIL = 10
_RETRY_SECONDS = 0.5
#: The sandbox says every 15 seconds that it is still there.
_SILENCE_SECONDS = 60.0


class _Entry(msgspec.Struct):
    seq: int
    at: str
    line: str
    kind: str
    cause: str | None = None
    explanation: str | None = None
    remedy: str | None = None
    explain: str | None = None


class _Page(msgspec.Struct):
    entries: list[msgspec.Raw]
    next: int


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with each new entry until Ctrl-C.")
@click.option("--last", type=click.IntRange(0, 1_000_000), metavar="N", help="Only the newest N.")
@click.option("--kind", metavar="KIND", help="authorization, token, resource, ...")
@click.option("--application", metavar="ID", help="Only of this application.")
@click.option("--seller", metavar="ID", help="Only of this seller.")
@click.option("--cause", metavar="CAUSE", help="Only refusals with this true cause.")
@click.option("--since", metavar="NUMBER|INSTANT", help="Only later than that.")
@remote_command
def journal(
    remote: Remote,
    *,
    follow: bool,
    last: int | None,
    kind: str | None,
    application: str | None,
    seller: str | None,
    cause: str | None,
    since: str | None,
) -> None:
    """What happened, and why: the true cause of each refusal, and what to do.

    With --json, one JSON object a line. With --follow, the last 10 entries first, unless
    --last or --since says otherwise.

    \b
    Examples:
      mp-oauth-sandbox journal --last 5
      mp-oauth-sandbox journal --follow
      mp-oauth-sandbox journal --cause code_expired --json
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    filters = {
        "kind": kind,
        "application": application,
        "seller": seller,
        "cause": cause,
        "since": since,
    }
    given = {name: value for name, value in filters.items() if value is not None}
    if follow and last is None and since is None:
        last = _TAIL
    if follow:
        # At once: an exception in the midst of the HTTP library can leave its lock held, and
        # whoever closes the connection then waits for ever. Lines are written as they come.
        signal.signal(signal.SIGINT, _leave)
    place = _print_pages(remote, given, last)
    if follow:
        given.pop("since", None)
        _follow(remote, given, place)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


def _print_pages(remote: Remote, filters: dict[str, str], last: int | None) -> int:
    """Print what there is; the number to go on from."""
    kept: deque[msgspec.Raw] = deque(maxlen=last)
    after = 0
    while True:
        query = urlencode({**filters, "after": after, "limit": _PAGE})
        page = remote.fetch("GET", f"journal?{query}", gives=_Page)
        if last is None:
            for entry in page.entries:
                _print(remote, bytes(entry))
        else:
            kept.extend(page.entries)
        after = page.next
        if len(page.entries) < _PAGE:
            break
    for entry in kept:
        _print(remote, bytes(entry))
    return after


def _print(remote: Remote, data: bytes) -> int:
    """Print an entry; its number."""
    entry = remote.caller.decoded(data, _Entry)
    if remote.as_json:
        say_json(data)
        return entry.seq
    text = entry.explain
    if text is None:
        text = f"{entry.at} {entry.line}"
        if entry.cause is not None:
            text += f"\n  why: {entry.cause}. {entry.explanation}\n  do:  {entry.remedy}"
    first, newline, rest = plain(text).partition("\n")
    if entry.kind == "control":
        first = click.style(first, dim=True)
    else:
        first = click.style(first, fg="green" if entry.cause is None else "red")
    say(f"{first}{newline}{rest}")
    return entry.seq


def _follow(remote: Remote, filters: dict[str, str], place: int) -> None:
    """Print each new entry, for ever; over a restart of the sandbox, too."""
    gone = False
    began = _beginning(remote)
    while True:
        try:
            now = _beginning(remote)
            if gone:
                say("the sandbox is back", err=True)
            gone = False
            if began is not None and now != began:
                say("the journal began anew (a reset or a restart)", err=True)
                place = 0
            began = now
            for data in _events(remote, filters, place):
                place = _print(remote, data)
                began = began or _beginning(remote)
        except (httpx.RequestError, SandboxAbsentError):
            if not gone:
                say(f"the sandbox at {remote.caller.url} is gone; waiting for it", err=True)
            gone = True
        time.sleep(_RETRY_SECONDS)


def _beginning(remote: Remote) -> bytes | None:
    """What tells this journal from a later one: when its oldest entry was made."""
    page = remote.fetch("GET", "journal?after=0&limit=1", gives=_Page)
    if not page.entries:
        return None
    entry = remote.caller.decoded(bytes(page.entries[0]), _Entry)
    return f"{entry.seq} {entry.at}".encode()


def _events(remote: Remote, filters: dict[str, str], after: int) -> Generator[bytes]:
    """The data of each server-sent event. Raises httpx.RequestError when it breaks off."""
    query = urlencode({**filters, "after": after})
    request = remote.caller.request("GET", f"journal?{query}")
    request.headers["accept"] = "text/event-stream"
    request.extensions = {"timeout": httpx.Timeout(_SILENCE_SECONDS).as_dict()}
    response = remote.transport.handle_request(request)
    response.request = request
    try:
        if response.status_code != HTTPStatus.OK:
            response.read()
            raise remote.caller.refused(request, response)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            raise RefusedCallError("this sandbox cannot be followed: it is of an older version")
        for line in _lines(response.iter_bytes()):
            name, _, value = line.partition(b":")
            if name == b"data":
                yield value.removeprefix(b" ")
    finally:
        response.close()


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines; JSON may hold what Python's splitlines takes for more ends of lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
