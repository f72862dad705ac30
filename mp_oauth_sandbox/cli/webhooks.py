"""`mp-oauth-sandbox webhooks`: the notifications to applications."""

from typing import get_args
from urllib.parse import urlencode

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain, table
from mp_oauth_sandbox.cli.remote import DefaultGroup, Done, Remote, remote_command, segment
from mp_oauth_sandbox.core.records import NotificationStatus, WebhookAction

_PREFIX = "application."
_ACTIONS = tuple(one.removeprefix(_PREFIX) for one in get_args(WebhookAction))


class _Attempt(msgspec.Struct):
    outcome: str


class _Notification(msgspec.Struct):
    id: int
    client_id: str
    user_id: int
    action: str
    status: str
    due_at: str
    attempts: int
    latest: list[_Attempt]

    def row(self) -> tuple[str, ...]:
        last = f": {self.latest[-1].outcome}" if self.latest else ""
        due = f"due {self.due_at}" if self.status == "pending" else ""
        cells = (
            self.id,
            self.action.removeprefix(_PREFIX),
            f"application {self.client_id}",
            f"seller {self.user_id}",
            self.status,
            f"{self.attempts} sent{last}",
            due,
        )
        return tuple(map(plain, cells))


class _Notifications(msgspec.Struct):
    notifications: list[_Notification]


def _text(one: _Notification) -> str:
    return table([one.row()])


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
    query = {"client_id": application, "status": status}
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    remote.run(
        "GET",
        f"webhooks?{asked}" if asked else "webhooks",
        gives=_Notifications,
        text=lambda found: table([one.row() for one in found.notifications]) or "no notifications",
    )


@webhooks.command()
@click.argument("number", metavar="ID")
@remote_command
def resend(remote: Remote, *, number: str) -> None:
    """Deliver a notification now, whatever became of it before."""
    remote.run("POST", f"webhooks/{segment(number)}/resend", gives=_Notification, text=_text)


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
@remote_command
def simulate(remote: Remote, *, application: str | None, seller: int | None, action: str) -> None:
    """Send a notification out of the blue, signed correctly; nothing else changes."""
    body: dict[str, object] = {
        "client_id": remote.only_application() if application is None else application,
        "user_id": remote.only_seller() if seller is None else seller,
        "action": f"{_PREFIX}{action}",
    }
    remote.run("POST", "webhooks/simulate", body, gives=_Notification, text=_text)


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
    remote.run(
        "POST", "webhooks/settle", {"timeout": timeout}, gives=Done, text=lambda _: "settled"
    )
