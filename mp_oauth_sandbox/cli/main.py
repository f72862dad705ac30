"""The command line. Each command imports what it needs when it runs."""

import importlib

import click

from mp_oauth_sandbox import __version__

#: Command -> where it lives, and what `--help` says of it without importing it.
_COMMANDS = {
    "serve": (
        "mp_oauth_sandbox.cli.serve:serve",
        "Run the sandbox: a fake Mercado Pago on this machine.",
    ),
    "check": (
        "mp_oauth_sandbox.cli.check:check",
        "Play scripted failures against your running integration.",
    ),
    "health": (
        "mp_oauth_sandbox.cli.sandbox:health",
        "Whether the sandbox answers.",
    ),
    "journal": (
        "mp_oauth_sandbox.cli.journal:journal",
        "What happened, and why; --follow it.",
    ),
    "explain": (
        "mp_oauth_sandbox.cli.explain:explain",
        "All that is known of a code, token or URL.",
    ),
    "apps": (
        "mp_oauth_sandbox.cli.applications:apps",
        "List, register or edit applications.",
    ),
    "sellers": (
        "mp_oauth_sandbox.cli.sellers:sellers",
        "List or create test sellers.",
    ),
    "consent": (
        "mp_oauth_sandbox.cli.consent:consent",
        "How sellers answer: auto, page or deny.",
    ),
    "clock": (
        "mp_oauth_sandbox.cli.clock:clock",
        "Show or move the sandbox's clock.",
    ),
    "revoke": (
        "mp_oauth_sandbox.cli.revocations:revoke",
        "End links from Mercado Pago's side.",
    ),
    "fault": (
        "mp_oauth_sandbox.cli.faults:fault",
        "Make something go wrong, on purpose.",
    ),
    "webhooks": (
        "mp_oauth_sandbox.cli.webhooks:webhooks",
        "List, resend or simulate notifications.",
    ),
    "profile": (
        "mp_oauth_sandbox.cli.profile:profile",
        "The switches for what nobody knows.",
    ),
    "resources": (
        "mp_oauth_sandbox.cli.resources:resources",
        "What the API answers to a good token.",
    ),
    "reset": (
        "mp_oauth_sandbox.cli.sandbox:reset",
        "Return to the state right after start.",
    ),
}

#: How `--help` groups them.
_SECTIONS = {
    "Run": ("serve",),
    "Test": ("check",),
    "Look at a running sandbox": ("health", "journal", "explain"),
    "Change a running sandbox": (
        "apps",
        "sellers",
        "consent",
        "clock",
        "revoke",
        "fault",
        "webhooks",
        "profile",
        "resources",
        "reset",
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
        for section, names in _SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, _COMMANDS[name][1]) for name in names])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mp-oauth-sandbox")
def main() -> None:
    """Test linking Mercado Pago sellers, on this machine: an unofficial test double.

    \b
    Start here:
      mp-oauth-sandbox serve                   a server to link against, with a consent page
      mp-oauth-sandbox serve --auto-consent    the same, approving at once
      mp-oauth-sandbox check                   play failures against your own integration
      mp-oauth-sandbox clock advance "180 days"
      mp-oauth-sandbox fault add lose-response --on refresh --times 1
    """  # noqa: D301 - click's own mark for text not to be rewrapped
