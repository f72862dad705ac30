"""`mp-oauth-sandbox apps`: the applications."""

from collections.abc import Callable

import click
import msgspec

from mp_oauth_sandbox.cli.durations import Lifetime
from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, remote_command, segment


class _Webhook(msgspec.Struct):
    url: str


class _Application(msgspec.Struct):
    client_id: str
    client_secret: str
    name: str
    owner: int
    status: str
    redirect_uris: list[str]
    pkce_required: bool
    scopes: list[str]
    lifetimes: dict[str, int | str]
    webhook: _Webhook | None

    def row(self) -> tuple[str, ...]:
        uris = " ".join(self.redirect_uris)
        return tuple(map(plain, (self.client_id, self.status, self.name, uris)))


class _Applications(msgspec.Struct):
    applications: list[_Application]


def _shown(one: _Application, *, secret: bool) -> str:
    lifetimes = ", ".join(
        f"{name} {value}{' s' if isinstance(value, int) else ''}"
        for name, value in one.lifetimes.items()
    )
    rows: list[tuple[str, str]] = [("client_id", one.client_id)]
    if secret:
        rows.append(("client_secret", one.client_secret))
    rows += [
        ("name", one.name),
        ("status", one.status),
        ("owner", str(one.owner)),
        *(("redirect_uri", uri) for uri in one.redirect_uris),
        ("pkce", "required" if one.pkce_required else "optional"),
        ("scopes", " ".join(one.scopes)),
        ("lifetimes", lifetimes),
        ("webhook", one.webhook.url if one.webhook else "none"),
    ]
    return table([(name, plain(value)) for name, value in rows])


def _described(command: Callable[..., None]) -> Callable[..., None]:
    """The options that `add` and `edit` share."""
    options = (
        click.option("--redirect-uri", "redirect_uris", multiple=True, help="Repeatable."),
        click.option("--name", help="What sellers see."),
        click.option("--pkce/--no-pkce", "pkce", default=None, help="Whether PKCE is required."),
        click.option("--scope", "scopes", multiple=True, help="Repeatable."),
        click.option("--webhook-url", help="Where notifications go."),
        click.option("--webhook-secret", help="What signs them."),
        click.option(
            "--lifetime",
            "lifetimes",
            type=Lifetime(),
            multiple=True,
            help="Of future codes and tokens: authorization_code, access_token, refresh_token or"
            " client_credentials_token, in seconds or as 10m; repeatable.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _fields(
    *,
    redirect_uris: tuple[str, ...],
    name: str | None,
    pkce: bool | None,
    scopes: tuple[str, ...],
    webhook_url: str | None,
    webhook_secret: str | None,
    lifetimes: tuple[tuple[str, int], ...],
) -> dict[str, object]:
    """What is given of them, as the control API takes it."""
    webhook = {"url": webhook_url, "secret": webhook_secret}
    fields: dict[str, object] = {
        "redirect_uris": list(redirect_uris) or None,
        "name": name,
        "pkce_required": pkce,
        "scopes": list(scopes) or None,
        "webhook": {key: value for key, value in webhook.items() if value is not None} or None,
        "lifetimes": dict(lifetimes) or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


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
    remote.run(
        "GET",
        "applications",
        gives=_Applications,
        text=lambda found: table([one.row() for one in found.applications]) or "no applications",
    )


@apps.command()
@click.argument("client_id")
@remote_command
def show(remote: Remote, *, client_id: str) -> None:
    """One application, with its secret."""
    remote.run(
        "GET",
        f"applications/{segment(client_id)}",
        gives=_Application,
        text=lambda one: _shown(one, secret=True),
    )


@apps.command()
@_described
@click.option("--client-id", help="Without it, one is made up.")
@click.option("--client-secret", help="Without it, one is made up.")
@click.option("--owner", type=int, metavar="ID", help="A seller; without it, one is made.")
@remote_command
def add(
    remote: Remote,
    *,
    client_id: str | None,
    client_secret: str | None,
    owner: int | None,
    redirect_uris: tuple[str, ...],
    name: str | None,
    pkce: bool | None,
    scopes: tuple[str, ...],
    webhook_url: str | None,
    webhook_secret: str | None,
    lifetimes: tuple[tuple[str, int], ...],
) -> None:
    """Register an application.

    \b
    Example:
      mp-oauth-sandbox apps add --redirect-uri http://localhost:8000/mp/callback --pkce
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    body = _fields(
        redirect_uris=redirect_uris,
        name=name or "Sandbox application",
        pkce=pkce,
        scopes=scopes,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        lifetimes=lifetimes,
    )
    body.setdefault("redirect_uris", [])
    body |= {"client_id": client_id, "client_secret": client_secret, "owner": owner}
    remote.run(
        "POST",
        "applications",
        body,
        gives=_Application,
        text=lambda one: _shown(one, secret=True),
    )


@apps.command()
@click.argument("client_id")
@_described
@click.option("--no-webhook", is_flag=True, help="No notifications any more.")
@click.option("--status", type=click.Choice(["active", "blocked"]), help="As Mercado Pago sets it.")
@remote_command
def edit(
    remote: Remote,
    *,
    client_id: str,
    no_webhook: bool,
    status: str | None,
    redirect_uris: tuple[str, ...],
    name: str | None,
    pkce: bool | None,
    scopes: tuple[str, ...],
    webhook_url: str | None,
    webhook_secret: str | None,
    lifetimes: tuple[tuple[str, int], ...],
) -> None:
    """Edit an application, as in the developer panel; what is left out stays.

    \b
    Example:
      mp-oauth-sandbox apps edit 1234567890123456 --lifetime access_token=60
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    body = _fields(
        redirect_uris=redirect_uris,
        name=name,
        pkce=pkce,
        scopes=scopes,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        lifetimes=lifetimes,
    )
    if no_webhook:
        body["webhook"] = None
    if status is not None:
        body["status"] = status
    if not body:
        raise click.UsageError("say what to change")
    remote.run(
        "PATCH",
        f"applications/{segment(client_id)}",
        body,
        gives=_Application,
        text=lambda one: _shown(one, secret=False),
    )
