"""`mp-oauth-sandbox serve`: the sandbox in a terminal."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

import click
import msgspec

from mp_oauth_sandbox.cli.output import dated, say
from mp_oauth_sandbox.cli.printer import Printer
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.engine.profiles import described, load_profile
from mp_oauth_sandbox.faults import load_faults, unreached
from mp_oauth_sandbox.first_run import CLIENT_ID, CLIENT_SECRET, PORT, FirstRun, first_run
from mp_oauth_sandbox.hosting.door import Unserved
from mp_oauth_sandbox.hosting.live import PortUnavailableError
from mp_oauth_sandbox.journal import Entry
from mp_oauth_sandbox.sandbox import Sandbox
from mp_oauth_sandbox.stores.protocol import StoreError

_ANSWERS = {
    "auto": "approved at once",
    "page": "open it, sign in, approve",
    "deny": "denied at once",
}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port; 0 lets the system choose.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep records, journal and settings in a SQLite file; without it, in memory. What an"
    " option does not say is as the file remembers it. A kill -9 may cost the newest entries of the"
    " journal, nothing else.",
)
@click.option(
    "--sync",
    type=click.Choice(["normal", "full"]),
    default="normal",
    show_default=True,
    help="With --data: 'full' survives a power cut too, and is slower.",
)
@click.option(
    "--auto-consent/--no-auto-consent",
    default=None,
    help="Approve every request at once, as the first seller, or ask on a page.",
)
@click.option("--client-id", default=CLIENT_ID, show_default=True, help="Of the first application.")
@click.option(
    "--client-secret", default=CLIENT_SECRET, show_default=True, help="Of the first application."
)
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    metavar="URI",
    help="Of the first application; repeatable. Without it, a built-in callback page.",
)
@click.option(
    "--profile",
    metavar="NAME|FILE",
    help='default, strict, legacy, or a TOML file of switches (base = "strict", ...).',
)
@click.option(
    "--faults",
    "fault_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Faults to start with: a TOML file of [[fault]] and [[sequence]] tables.",
)
@click.option(
    "--seed", help="Codes, tokens and ids follow from this text, from their order and the time."
)
@click.option(
    "--resources",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file of further resources of the API: [[resource]] with method, path, status,"
    " body, headers.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    help="A further host name by which browsers may reach the pages; repeatable.",
)
@click.option(
    "--allow-webhook-host",
    "allow_webhook_hosts",
    multiple=True,
    metavar="NAME",
    help="A host beyond this machine to which webhooks may be sent; repeatable.",
)
@click.option(
    "--control-token",
    envvar="MP_OAUTH_SANDBOX_TOKEN",
    help="Bearer token of the control API; chosen by itself beyond loopback.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or one JSON object a line for programs.",
)
def serve(
    *,
    host: str,
    port: int,
    data: Path | None,
    sync: str,
    auto_consent: bool | None,
    client_id: str,
    client_secret: str,
    redirect_uris: tuple[str, ...],
    profile: str | None,
    fault_file: Path | None,
    seed: str | None,
    resources: Path | None,
    allow_hosts: tuple[str, ...],
    allow_webhook_hosts: tuple[str, ...],
    control_token: str | None,
    log_format: str,
) -> None:
    """Run the sandbox until Ctrl-C: a fake Mercado Pago on this machine.

    Point your integration at the URLs it prints, open the link it prints, and watch every
    exchange with the true reason of each refusal.

    \b
    Examples:
      mp-oauth-sandbox serve
      mp-oauth-sandbox serve --redirect-uri http://localhost:8000/mp/callback
      mp-oauth-sandbox serve --auto-consent --port 0 --log-format json
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    # Not an Event, whose lock a signal would find held when it comes in the midst of another.
    stop: SimpleQueue[None] = SimpleQueue()

    def stop_serving(_number: int, _frame: FrameType | None) -> None:
        # A second one, of somebody in a hurry, must not cut the end short.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        stop.put(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop_serving)
    printer = Printer[Entry | Unserved](
        _json_line if log_format == "json" else _text_line,
        left_out=_left_out_json if log_format == "json" else _left_out_text,
        write=say,
        failed=lambda: stop.put(None),
    )
    try:
        with Sandbox(
            host=host,
            port=port,
            profile=None if profile is None else load_profile(profile),
            seed=seed,
            data=data,
            sync="full" if sync == "full" else "normal",
            allow_hosts=allow_hosts,
            allow_webhook_hosts=allow_webhook_hosts,
            control_token=control_token,
            refused=printer.tell,
        ) as sandbox:
            start = first_run(
                sandbox,
                client_id=client_id,
                client_secret=client_secret,
                redirect_uris=redirect_uris,
            )
            if auto_consent:
                sandbox.auto_consent(start.sellers[0])
            elif auto_consent is not None:
                sandbox.show_consent_page()
            if fault_file is not None:
                sandbox.faults.arm(load_faults(fault_file))
            if resources is not None:
                sandbox.resources.load(resources)
            sandbox.keep(start.application, *start.sellers)
            # Before it is announced: whoever reads that may ask at once.
            sandbox.journal.subscribe(printer.tell)
            _announce(sandbox, start, json=log_format == "json")
            printer.start()
            _wait_for(stop)
            never_reached = sandbox.faults.never_reached()
        # Only now: what is turned away until the end is told at the end.
        read = printer.close(within=1)
        for armed in never_reached:
            say(f"never reached: {unreached(armed)}", err=True)
    except (InvalidInputError, PortUnavailableError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"the output cannot be written: {error}") from error
    if printer.error is not None:
        say(f"Error: the output cannot be written any more: {printer.error}", err=True)
    elif not read:
        say("the last lines are missing: whoever reads them was too slow", err=True)
    elif log_format == "text":
        say("stopped", err=True)
    if printer.error is not None or not read:
        # Python would try once more to write what is stuck, or wait for ever.
        os._exit(0 if printer.error is None else 1)


def _wait_for(stop: "SimpleQueue[None]") -> None:
    # Without a timeout, Ctrl-C would not come through on Windows.
    while True:
        with suppress(Empty):
            return stop.get(timeout=3600)


def _announce(sandbox: Sandbox, start: FirstRun, *, json: bool) -> None:
    application = start.application
    if json:
        ready = {
            "event": "ready",
            "url": sandbox.url,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "redirect_uri": application.redirect_uris[0],
            "seller": start.sellers[0].user_id,
        }
        say(msgspec.json.encode(ready).decode())
        return
    link = sandbox.authorization_url(application, state="any-random-state")
    answer = _ANSWERS[sandbox.consent.mode]
    names = ", ".join(f"{seller.nickname} ({seller.user_id})" for seller in start.sellers)
    say(
        f"""\
{click.style("mp-oauth-sandbox", bold=True)} is running at {sandbox.url}
An unofficial test double: nothing here reaches Mercado Pago. Ctrl-C stops it.

{click.style("Link a seller", bold=True)} ({answer}):
  {link}

{click.style("For your .env", bold=True)}:
MP_AUTH_URL={sandbox.url}/authorization
MP_API_URL={sandbox.url}
MP_CLIENT_ID={application.client_id}
MP_CLIENT_SECRET={application.client_secret}
MP_REDIRECT_URI={application.redirect_uris[0]}

Sellers   {names}
Profile   {described(sandbox.profile)}
Journal   {sandbox.url}/
"""
    )
    if sandbox.control_token is not None:
        say(f"Control token   {sandbox.control_token}")
        say("Pages answer to loopback names and this host; --allow-host adds others.\n")
    say("Serve your own application as http://localhost:PORT: another site, as in production.")
    say("Exchanges appear below.\n")


def _text_line(told: Entry | Unserved) -> str:
    if isinstance(told, Unserved):
        return click.style(str(told), fg="yellow")
    return dated(told.at, told.explain(), kind=told.kind, why=told.why)


def _json_line(told: Entry | Unserved) -> str:
    fields: dict[str, object] = msgspec.to_builtins(told)
    if isinstance(told, Unserved):
        fields |= {"problem": told.problem, "remedy": told.remedy}
        return msgspec.json.encode({"event": "refused", **fields}).decode()
    # The answer is on its way while this line is written.
    del fields["delivery"]
    fields["explain"] = told.explain()
    return msgspec.json.encode({"event": "exchange", **fields}).decode()


def _left_out_text(count: int) -> str:
    return f"({count} exchanges are missing here, as nobody was reading; the journal has them)"


def _left_out_json(count: int) -> str:
    return msgspec.json.encode({"event": "left_out", "count": count}).decode()
