"""The running sandbox that a command is for: how it is named, called, and not found."""

import functools
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

import click
import httpx
import msgspec

from mp_oauth_sandbox.cli.output import plain, say, say_json
from mp_oauth_sandbox.control import applications, sellers
from mp_oauth_sandbox.control.applications import ApplicationOut
from mp_oauth_sandbox.control.caller import Caller
from mp_oauth_sandbox.control.errors import SandboxAbsentError, SandboxRefusedError
from mp_oauth_sandbox.control.types import Call, In, Listing, Out, Wanted, following
from mp_oauth_sandbox.driver.browser import Network, origin_of
from mp_oauth_sandbox.first_run import PORT
from mp_oauth_sandbox.support.checked import invalid

#: Exit codes beside 0, and 2 for a command that is not written right (click's own).
REFUSED, ABSENT = 1, 3

#: Longer than any call of the control API may wait (settling: 60 seconds).
_TIMEOUT_SECONDS = 70.0

Options = ParamSpec("Options")


class RefusedCallError(click.ClickException):
    """The sandbox said no: field and remedy, as it said them."""

    exit_code = REFUSED


class NoSandboxError(click.ClickException):
    """There is no sandbox there; says how to start one."""

    exit_code = ABSENT


class Remote:
    """A running sandbox, and whether its own JSON is wanted."""

    def __init__(self, caller: Caller, transport: httpx.BaseTransport, *, as_json: bool) -> None:
        """`transport` carries what is not over with one answer."""
        self.caller = caller
        self.transport = transport
        self.as_json = as_json

    def run(
        self, call: Call[In, Out], given: In | None = None, *, text: Callable[[Out], str]
    ) -> Out:
        """Make a call, and print its answer, for people by `text`. Raises as `Caller.call`."""
        answer = self.caller.send(call, given)
        found = self.caller.decoded(answer, call.gives)
        if self.as_json:
            say_json(answer)
        else:
            say(text(found))
        return found

    def run_pages(
        self, call: Call[Wanted, Listing], page: Wanted, *, text: Callable[[Listing], str]
    ) -> None:
        """Make a call for each page of a list, from this one on, and print each as it comes."""
        wanted: Wanted | None = page
        while wanted is not None:
            wanted = following(wanted, self.run(call, wanted, text=text))

    def only_application(self) -> str:
        """The application, if there is just one. Raises click.UsageError."""
        names = [one.client_id for one in self._applications() if one.status != "deleted"]
        return _only(names, "application")

    def only_seller(self) -> int:
        """The seller, if there is just one beside the applications' owners. Raises UsageError."""
        owners = {one.owner for one in self._applications()}
        found = self.caller.call(sellers.LIST).sellers
        return _only([one.user_id for one in found if one.user_id not in owners], "seller")

    def _applications(self) -> list[ApplicationOut]:
        return self.caller.call(applications.LIST).applications


def given_as(kind: type[In], fields: Mapping[str, object], *, strict: bool = True) -> In:
    """What was typed, as the input of a call; without `strict`, numbers may be text.

    Raises RefusedCallError in the words with which the sandbox would refuse it.
    """
    try:
        return msgspec.convert(fields, kind, strict=strict)
    except msgspec.ValidationError as error:
        problem = invalid(error, whole="input", wanted=kind)
        raise RefusedCallError(plain(str(problem))) from error


def remote_command(
    command: Callable[Concatenate[Remote, Options], None],
) -> Callable[Options, None]:
    """A command's function, given the running sandbox first; adds --url, --token and --json."""

    @click.option(
        "--url",
        envvar="MP_OAUTH_SANDBOX_URL",
        default=f"http://127.0.0.1:{PORT}",
        show_default=True,
        show_envvar=True,
        help="Where the sandbox runs.",
    )
    @click.option(
        "--token",
        envvar="MP_OAUTH_SANDBOX_TOKEN",
        show_envvar=True,
        help="Its control token, if it has one.",
    )
    @click.option("--json", "as_json", is_flag=True, help="The control API's JSON, for scripts.")
    @functools.wraps(command)
    def run(*args: Options.args, **options: Options.kwargs) -> None:
        url = cast("str", options.pop("url"))
        token = cast("str | None", options.pop("token"))
        as_json = bool(options.pop("as_json"))
        with _found(url, token, as_json=as_json) as remote:
            command(remote, *args, **options)

    return run


@contextmanager
def _found(url: str, token: str | None, *, as_json: bool) -> Generator[Remote]:
    """The sandbox there, with everything that it may say turned into an exit code."""
    url = _checked_url(url)
    if token is not None and not (token.isascii() and token.isprintable()):
        raise click.UsageError("--token: must be printable ASCII")
    try:
        with ExitStack() as stack:
            # Where there is no TLS no certificates need to be loaded.
            transport = stack.enter_context(httpx.HTTPTransport(verify=url.startswith("https:")))
            network = Network({origin_of(url): transport}, timeout_seconds=_TIMEOUT_SECONDS)
            caller = Caller(url, network=network, token=token)
            yield Remote(caller, transport, as_json=as_json)
    except SandboxRefusedError as error:
        raise RefusedCallError(_refusal(error)) from error
    except SandboxAbsentError as error:
        raise NoSandboxError(_absence(url, error)) from error
    except UnicodeEncodeError as error:
        raise click.UsageError("what is given must be valid UTF-8") from error
    except BrokenPipeError:
        # Whoever read the output has enough: `| head`.
        _discard_output()
    except OSError as error:
        raise click.ClickException(f"the output cannot be written: {error}") from error


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        httpx.URL(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) > 0
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good:
        shown = plain(url.encode(errors="replace").decode())[:100]
        raise click.UsageError(f"--url: {shown!r} must be like http://127.0.0.1:{PORT}")
    return url


def _refusal(error: SandboxRefusedError) -> str:
    text = plain(f"{error.field}: {error.problem}" if error.field else error.problem)
    if error.status == HTTPStatus.UNAUTHORIZED:
        text += "\nGive its control token by --token or MP_OAUTH_SANDBOX_TOKEN."
    return text


def _absence(url: str, error: SandboxAbsentError) -> str:
    what = "no sandbox answers"
    if not isinstance(error.__cause__, httpx.RequestError):
        what = "something answers, but it is no sandbox of this version"
    return (
        f"{what} at {plain(url)}\n"
        "Start one with `mp-oauth-sandbox serve`, or say where it runs by --url or "
        "MP_OAUTH_SANDBOX_URL."
    )


def _discard_output() -> None:
    """Let nothing more be written, not even what Python still holds when it ends."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _only(found: list[Out], what: str) -> Out:
    if len(found) == 1:
        return found[0]
    shown = ", ".join(map(str, found[:20])) or "none"
    raise click.UsageError(f"--{what} must say which; there are: {plain(shown)}")


class DefaultGroup(click.Group):
    """A group that runs its first command when none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click.Group.parse_args."""
        names = list(self.commands)
        if names and (not args or (args[0].startswith("-") and args[0] not in {"-h", "--help"})):
            args = [names[0], *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were written."""
        return list(self.commands)
