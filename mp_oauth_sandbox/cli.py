"""The command line. Each command imports what it needs when it runs."""

import importlib

import click

from mp_oauth_sandbox import __version__

#: Command -> where it lives, and what `--help` says of it without importing it.
_COMMANDS = {
    "serve": (
        "mp_oauth_sandbox.serve:serve",
        "Run the sandbox: a fake Mercado Pago on this machine.",
    ),
    "check": (
        "mp_oauth_sandbox.driver.command:check",
        "Play scripted failures against your running integration.",
    ),
}


class _LazyGroup(click.Group):
    """Knows its commands by name and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mp-oauth-sandbox")
def main() -> None:
    """Test linking Mercado Pago sellers, on this machine: an unofficial test double.

    \b
    Start here:
      mp-oauth-sandbox serve                   a server to link against, with a consent page
      mp-oauth-sandbox serve --auto-consent    the same, approving at once
      mp-oauth-sandbox check                   play failures against your own integration
    """  # noqa: D301 - click's own mark for text not to be rewrapped
