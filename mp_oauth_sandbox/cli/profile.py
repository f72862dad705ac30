"""`mp-oauth-sandbox profile`: the switches for what nobody knows."""

import textwrap

import click
import msgspec

from mp_oauth_sandbox.cli.output import plain
from mp_oauth_sandbox.cli.remote import DefaultGroup, Remote, given_as, remote_command
from mp_oauth_sandbox.control import profile as calls
from mp_oauth_sandbox.control.profile import ProfileChange
from mp_oauth_sandbox.core.profile import DEFAULT, PRESETS, Profile
from mp_oauth_sandbox.engine.profiles import switches


def _value(value: object) -> str:
    return plain(msgspec.json.encode(value).decode())


def _changed(found: Profile) -> list[str]:
    usual = next((one for name, one in PRESETS.items() if name == found.name), DEFAULT)
    names = [switch.name for switch in switches()]
    return [name for name in names if getattr(found, name) != getattr(usual, name)]


def _title(found: Profile, changed: list[str]) -> str:
    return f"profile {plain(found.name)}, {len(changed)} changed"


def _text(found: Profile, names: tuple[str, ...], *, only_changed: bool) -> str:
    changed = _changed(found)
    lines = [_title(found, changed)]
    for switch in switches():
        name = switch.name
        if names and name not in names:
            continue
        if only_changed and name not in changed:
            continue
        mark = "*" if name in changed else " "
        lines.append(f"{mark} {click.style(name, bold=True)} = {_value(getattr(found, name))}")
        lines.append(click.style(f"    {switch.type}", dim=True))
        lines.append(
            textwrap.fill(switch.evidence, 96, initial_indent="    ", subsequent_indent="    ")
        )
    return "\n".join(lines)


def _summary(found: Profile) -> str:
    changed = _changed(found)
    lines = [f"* {name} = {_value(getattr(found, name))}" for name in sorted(changed)]
    return "\n".join([_title(found, changed), *lines])


@click.group(cls=DefaultGroup)
def profile() -> None:
    """Show or change the switches for what the evidence leaves open.

    \b
    Examples:
      mp-oauth-sandbox profile
      mp-oauth-sandbox profile show --changed
      mp-oauth-sandbox profile set token_type=bearer retry_after=30
      mp-oauth-sandbox profile preset strict
    """  # noqa: D301 - click's own mark for text not to be rewrapped


@profile.command()
@click.argument("names", nargs=-1, metavar="[SWITCH]...")
@click.option("--changed", is_flag=True, help="Only what differs from the preset.")
@remote_command
def show(remote: Remote, *, names: tuple[str, ...], changed: bool) -> None:
    """Every switch: value (changed ones marked *), type, and evidence."""
    known = {switch.name for switch in switches()}
    for name in names:
        if name not in known:
            raise click.UsageError(f"there is no switch {plain(name)[:60]}")
    remote.run(calls.SHOW, text=lambda found: _text(found, names, only_changed=changed))


@profile.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="NAME=VALUE...")
@remote_command
def set_switches(remote: Remote, *, pairs: tuple[str, ...]) -> None:
    """Change single switches; a VALUE is text or JSON (true, 30, null).

    \b
    Example:
      mp-oauth-sandbox profile set token_type=bearer retry_after=30
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    body: dict[str, object] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise click.UsageError(f"{plain(pair)[:60]} must be NAME=VALUE")
        body[name] = _given(name, value)
    remote.run(calls.CHANGE, given_as(ProfileChange, body), text=_summary)


@profile.command()
@click.argument("name", type=click.Choice(tuple(PRESETS)))
@remote_command
def preset(remote: Remote, *, name: str) -> None:
    """Take a preset, with none of its switches changed."""
    remote.run(calls.CHANGE, given_as(ProfileChange, {"preset": name}), text=_summary)


def _given(name: str, text: str) -> object:
    """The text as JSON where that fits the switch, else as text."""
    try:
        value: object = msgspec.json.decode(text)
        msgspec.convert({name: value}, Profile)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text
    return value
