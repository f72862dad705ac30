"""`mp-oauth-sandbox apps`: the applications."""

from collections.abc import Callable, Mapping
from typing import Any

import click
import msgspec

from mp_oauth_sandbox.cli.durations import Lifetime
from mp_oauth_sandbox.cli.options import options_of
from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, given_as, remote_command
from mp_oauth_sandbox.control import applications as calls
from mp_oauth_sandbox.control.applications import (
    ApplicationChange,
    ApplicationIn,
    ApplicationOut,
    ApplicationsOut,
    ApplicationWanted,
)
from mp_oauth_sandbox.control.types import Listed

#: The fields whose options are not just their names.
_SPELLED = (
    click.Option(["--redirect-uri", "redirect_uris"], multiple=True, help="Repeatable."),
    click.Option(["--name"], help="What sellers see."),
    click.Option(
        ["--pkce/--no-pkce", "pkce_required"], default=None, help="Whether PKCE is required."
    ),
    click.Option(
        ["--activated/--not-activated"],
        default=None,
        help="Whether its production credentials are.",
    ),
    click.Option(["--scope", "scopes"], multiple=True, help="Repeatable."),
    click.Option(["--webhook-url"], help="Where notifications go."),
    click.Option(["--webhook-secret"], help="What signs them."),
    click.Option(
        ["--lifetime", "lifetimes"],
        type=Lifetime(),
        multiple=True,
        help="Of future codes and tokens: authorization_code, access_token, refresh_token or"
        " client_credentials_token, in seconds or as 10m; repeatable.",
    ),
)
_HELP = {
    "client_id": "Without it, one is made up.",
    "client_secret": "Without it, one is made up.",
    "owner": "A seller; without it, one is made.",
    "status": "As Mercado Pago sets it.",
    "application_type": "An online one is refused stores and points of sale.",
}


def _described(
    kind: type[msgspec.Struct], *, without: tuple[str, ...] = ()
) -> Callable[[click.Command], click.Command]:
    """Gives a command an option for each field of what it sends."""

    def with_options(command: click.Command) -> click.Command:
        spelled = [option.name or "" for option in _SPELLED]
        plainly = options_of(kind, names={}, helps=_HELP, without=(*spelled, "webhook", *without))
        command.params[:0] = [*_SPELLED, *plainly]
        return command

    return with_options


def _fields(given: Mapping[str, Any]) -> dict[str, object]:
    """What is given, as the control API takes it."""
    fields = {name: value for name, value in given.items() if value not in (None, ())}
    hook = {name: fields.pop(f"webhook_{name}", None) for name in ("url", "secret")}
    if any(hook.values()):
        fields["webhook"] = {name: value for name, value in hook.items() if value is not None}
    if "lifetimes" in fields:
        fields["lifetimes"] = dict(fields["lifetimes"])
    for name in ("redirect_uris", "scopes"):
        if name in fields:
            fields[name] = list(fields[name])
    return fields


def _row(one: ApplicationOut) -> tuple[str, ...]:
    return tuple(map(plain, (one.client_id, one.status, one.name, " ".join(one.redirect_uris))))


def _list_text(found: ApplicationsOut) -> str:
    return table([_row(one) for one in found.applications]) or "no applications"


def _shown(one: ApplicationOut, *, secret: bool) -> str:
    lifetimes = ", ".join(
        f"{name} {value}{' s' if isinstance(value, int) else ''}"
        for name, value in msgspec.structs.asdict(one.lifetimes).items()
    )
    rows: list[tuple[str, str]] = [("client_id", one.client_id)]
    if secret:
        rows.append(("client_secret", one.client_secret))
    rows += [
        ("name", one.name),
        ("status", one.status if one.activated else f"{one.status}, not activated"),
        ("owner", str(one.owner)),
        *(("redirect_uri", uri) for uri in one.redirect_uris),
        ("pkce", "required" if one.pkce_required else "optional"),
        ("type", one.application_type),
        ("scopes", " ".join(one.scopes)),
        ("lifetimes", lifetimes),
        ("webhook", one.webhook.url if one.webhook else "none"),
    ]
    if one.webhook and isinstance(one.webhook.secret, str):
        rows.append(("webhook_secret", one.webhook.secret))
    return table([(name, plain(value)) for name, value in rows])


def _with_secret(one: ApplicationOut) -> str:
    return _shown(one, secret=True)


@click.group(cls=DefaultGroup)
def apps() -> None:
    """List, register or edit applications.

    \b
    Examples:
      mp-oauth-sandbox apps
      mp-oauth-sandbox apps show 1234567890123456
      mp-oauth-sandbox apps add --redirect-uri http://localhost:8000/mp/callback
      mp-oauth-sandbox apps edit 1234567890123456 --lifetime access_token=60
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@apps.command("list")
@remote_command
def list_apps(remote: Remote) -> None:
    """The applications, without their secrets (--json is the whole answer)."""
    remote.run_pages(calls.LIST, Listed(), text=_list_text)


@apps.command()
@click.argument("client_id")
@remote_command
def show(remote: Remote, *, client_id: str) -> None:
    """One application, with its secret."""
    remote.run(calls.SHOW, ApplicationWanted(client_id=client_id), text=_with_secret)


@_described(ApplicationIn)
@apps.command()
@remote_command
def add(remote: Remote, /, **given: object) -> None:
    """Register an application.

    \b
    Example:
      mp-oauth-sandbox apps add --redirect-uri http://localhost:8000/mp/callback --pkce
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    fields: dict[str, object] = {"name": "Sandbox application", "redirect_uris": []}
    fields |= _fields(given)
    remote.run(calls.REGISTER, given_as(ApplicationIn, fields), text=_with_secret)


@_described(ApplicationChange, without=("client_id",))
@apps.command()
@click.argument("client_id")
@click.option("--no-webhook", is_flag=True, help="No notifications any more.")
@remote_command
def edit(remote: Remote, /, *, client_id: str, no_webhook: bool, **given: object) -> None:
    """Edit an application, as in the developer panel; what is left out stays.

    \b
    Example:
      mp-oauth-sandbox apps edit 1234567890123456 --lifetime access_token=60
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    fields = _fields(given)
    if no_webhook:
        fields["webhook"] = None
    if not fields:
        raise click.UsageError("say what to change")
    change = given_as(ApplicationChange, {"client_id": client_id, **fields})
    remote.run(calls.EDIT, change, text=lambda one: _shown(one, secret=False))
