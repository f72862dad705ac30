"""`mp-oauth-sandbox webhooks`: the notifications to applications."""

from typing import get_args

import click

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, given_as, remote_command
from mp_oauth_sandbox.control import webhooks as calls
from mp_oauth_sandbox.control.webhooks import (
    NotificationOut,
    NotificationsWanted,
    NotificationWanted,
    SettleIn,
    SimulateIn,
)
from mp_oauth_sandbox.core.records import NotificationStatus, WebhookAction

_PREFIX = "application."
_ACTIONS = tuple(one.removeprefix(_PREFIX) for one in get_args(WebhookAction))


def _row(one: NotificationOut) -> tuple[str, ...]:
    last = f": {one.latest[-1].outcome}" if one.latest else ""
    due = f"due {one.due_at}" if one.status == "pending" else ""
    cells = (
        one.id,
        one.action.removeprefix(_PREFIX),
        f"application {one.client_id}",
        f"seller {one.user_id}",
        one.status,
        f"{one.attempts} sent{last}",
        due,
    )
    return tuple(map(plain, cells))


def _text(one: NotificationOut) -> str:
    return table([_row(one)])


@click.group(cls=DefaultGroup)
def webhooks() -> None:
    """List, resend or simulate the notifications to applications' webhooks.

    \b
    Examples:
      mp-oauth-sandbox webhooks
      mp-oauth-sandbox webhooks resend 100000000003
      mp-oauth-sandbox webhooks simulate --seller 200000001 --action deauthorized
      mp-oauth-sandbox webhooks settle
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@webhooks.command("list")
@click.option("--application", metavar="ID", help="Only this application's.")
@click.option("--status", type=click.Choice(get_args(NotificationStatus)), help="Only in this.")
@remote_command
def list_webhooks(remote: Remote, *, application: str | None, status: str | None) -> None:
    """The notifications, oldest first, and what became of them."""
    given = given_as(NotificationsWanted, {"client_id": application, "status": status})
    remote.run_pages(
        calls.LIST,
        given,
        text=lambda found: table([_row(one) for one in found.notifications]) or "no notifications",
    )


@webhooks.command()
@click.argument("number", metavar="ID")
@remote_command
def resend(remote: Remote, *, number: str) -> None:
    """Deliver a notification now, whatever became of it before."""
    given = given_as(NotificationWanted, {"id": number}, strict=False)
    remote.run(calls.RESEND, given, text=_text)


@webhooks.command()
@click.option("--application", metavar="ID", help="Whom to notify; else the only one there is.")
@click.option("--seller", type=int, metavar="ID", help="Of whom; else the only one there is.")
@click.option(
    "--action",
    type=click.Choice(_ACTIONS),
    default=_ACTIONS[0],
    show_default=True,
    help="What it says has happened.",
)
@click.option("--data-id", metavar="ID", help="What it names; else as the profile says.")
@remote_command
def simulate(
    remote: Remote,
    *,
    application: str | None,
    seller: int | None,
    action: str,
    data_id: str | None,
) -> None:
    """Send a notification out of the blue, signed correctly; nothing else changes."""
    wanted = {
        "client_id": remote.only_application() if application is None else application,
        "user_id": remote.only_seller() if seller is None else seller,
        "action": f"{_PREFIX}{action}",
        "data_id": data_id,
    }
    remote.run(calls.SIMULATE, given_as(SimulateIn, wanted), text=_text)


@webhooks.command()
@click.option(
    "--timeout",
    type=float,
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait at most, in real time.",
)
@remote_command
def settle(remote: Remote, *, timeout: float) -> None:
    """Wait until no notification is due or in flight."""
    remote.run(calls.SETTLE, SettleIn(timeout=timeout), text=lambda _: "settled")
