"""`mp-oauth-sandbox explain`: everything known of a code, a token or a URL."""

import sys

import click

from mp_oauth_sandbox.cli.output import plain, say
from mp_oauth_sandbox.cli.remote import Remote, remote_command
from mp_oauth_sandbox.control import explain as calls
from mp_oauth_sandbox.control.explain import ExplainIn

#: More than the control API takes.
_LONGEST = 1 << 20


@click.command()
@click.argument("what", default="-", metavar="[TOKEN_OR_CODE_OR_URL]")
@remote_command
def explain(remote: Remote, *, what: str) -> None:
    """Tell everything known of a code, a token, an authorization URL or a callback URL.

    Without an argument, or with -, it is read from standard input, so that it stays out of
    the shell's history.

    \b
    Examples:
      mp-oauth-sandbox explain TG-0123456789abcdef-200000001
      pbpaste | mp-oauth-sandbox explain
      mp-oauth-sandbox explain 'http://localhost:8000/mp/callback?code=TG-...&state=s1'
    """  # noqa: D301 - click's own mark for text not to be rewrapped
    if what == "-":
        stdin = sys.stdin.buffer
        if stdin.isatty():
            say("Paste a code, a token or a URL, then Enter:", err=True)
            given = stdin.readline(_LONGEST)
        else:
            given = stdin.read(_LONGEST)
        try:
            what = given.decode()
        except UnicodeDecodeError as error:
            raise click.UsageError("what is given must be valid UTF-8") from error
    what = what.strip()
    if not what:
        raise click.UsageError("give a code, a token or a URL, as an argument or on standard input")
    remote.run(calls.EXPLAIN, ExplainIn(what=what), text=lambda found: plain(found.text))
