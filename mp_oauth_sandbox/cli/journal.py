"""`mp-oauth-sandbox journal`: what happened, and why."""

import os
import signal
import time
from collections import deque
from collections.abc import Generator, Iterator
from datetime import datetime
from http import HTTPStatus
from types import FrameType

import click
import httpx
import msgspec
from msgspec.structs import replace

from mp_oauth_sandbox.cli.output import dated, plain, say, say_json
from mp_oauth_sandbox.cli.remote import RefusedCallError, Remote, given_as, remote_command
from mp_oauth_sandbox.cli.sandbox import unlike_start
from mp_oauth_sandbox.control import journal as calls
from mp_oauth_sandbox.control.errors import SandboxAbsentError
from mp_oauth_sandbox.control.journal import EVENT_STREAM, PAGE_LIMIT, EntryOut, JournalWanted
from mp_oauth_sandbox.control.sandbox import HEALTH

_TAIL = 10
_RETRY_SECONDS = 0.5
#: The sandbox says every 15 seconds that it is still there.
_SILENCE_SECONDS = 60.0


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with each new entry until Ctrl-C.")
@click.option("--last", type=click.IntRange(0, 1_000_000), metavar="N", help="Only the newest N.")
@click.option("--kind", metavar="KIND", help="authorization, token, resource, ...")
@click.option("--application", metavar="ID", help="Only of this application.")
@click.option("--seller", metavar="ID", help="Only of this seller.")
@click.option("--cause", metavar="CAUSE", help="Only what came out so for this cause.")
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

    --cause takes the word after "why:", of a refusal or of a notification.

    The first line tells what is not as at the start (consent, clock, faults, profile), if
    anything. With --json, one JSON object a line. With --follow, the last 10 entries first, unless
    --last or --since says otherwise.

    \b
    Examples:
      mp-oauth-sandbox journal --last 5
      mp-oauth-sandbox journal --follow
      mp-oauth-sandbox journal --cause code_expired --json
      mp-oauth-sandbox journal --cause forgery_accepted
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    filters = {
        "kind": kind,
        "application": application,
        "seller": seller,
        "cause": cause,
        "since": since,
    }
    wanted = given_as(JournalWanted, filters, strict=False)
    if follow and last is None and since is None:
        last = _TAIL
    if follow:
        # At once: an exception in the midst of the HTTP library can leave its lock held, and
        # whoever closes the connection then waits for ever. Lines are written as they come.
        signal.signal(signal.SIGINT, _leave)
    if not remote.as_json:
        _print_modes(remote)
    place = _print_pages(remote, wanted, last)
    if follow:
        _follow(remote, replace(wanted, since=None), place)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


def _print_modes(remote: Remote) -> None:
    """Tell people first what may be the reason of much that follows."""
    unlike = unlike_start(remote.caller.call(HEALTH))
    if unlike is not None:
        say(click.style(plain(unlike), fg="yellow"))


def _print(remote: Remote, entry: EntryOut) -> None:
    if remote.as_json:
        say_json(msgspec.json.encode(entry))
    else:
        say(
            dated(
                entry.at, plain(entry.explain), kind=entry.kind, why=entry.cause or entry.reception
            )
        )


def _print_pages(remote: Remote, wanted: JournalWanted, last: int | None) -> int:
    """Print what there is; the number to go on from."""
    kept: deque[EntryOut] = deque(maxlen=last)
    after = 0
    while True:
        page = remote.caller.call(calls.READ, replace(wanted, after=after, limit=PAGE_LIMIT))
        if last is None:
            for entry in page.entries:
                _print(remote, entry)
        else:
            kept.extend(page.entries)
        after = page.next
        if len(page.entries) < PAGE_LIMIT:
            break
    for entry in kept:
        _print(remote, entry)
    return after


def _follow(remote: Remote, wanted: JournalWanted, place: int) -> None:
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
            for data in _events(remote, replace(wanted, after=place)):
                entry = remote.caller.decoded(data, EntryOut)
                _print(remote, entry)
                place = entry.seq
                began = began or _beginning(remote)
        except (httpx.RequestError, SandboxAbsentError):
            if not gone:
                say(f"the sandbox at {remote.caller.url} is gone; waiting for it", err=True)
            gone = True
        time.sleep(_RETRY_SECONDS)


def _beginning(remote: Remote) -> tuple[int, datetime] | None:
    """What tells this journal from a later one: when its oldest entry was made."""
    entries = remote.caller.call(calls.READ, JournalWanted(after=0, limit=1)).entries
    return (entries[0].seq, entries[0].at) if entries else None


def _events(remote: Remote, wanted: JournalWanted) -> Generator[bytes]:
    """The data of each server-sent event. Raises httpx.RequestError when it breaks off."""
    request = remote.caller.request(calls.READ, replace(wanted, stream=True))
    request.extensions = {"timeout": httpx.Timeout(_SILENCE_SECONDS).as_dict()}
    response = remote.transport.handle_request(request)
    response.request = request
    try:
        if response.status_code != HTTPStatus.OK:
            response.read()
            raise remote.caller.refused(request, response)
        if not response.headers.get("content-type", "").startswith(EVENT_STREAM):
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
