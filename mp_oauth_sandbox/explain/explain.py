"""Explaining whatever somebody pastes: a code, a token, an authorization or callback URL.

Nothing is changed by asking: decisions are made as for a real request, and thrown away.
"""

from mp_oauth_sandbox.control.explain import Explained, UrlPart
from mp_oauth_sandbox.core import paths
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.address import likely_address
from mp_oauth_sandbox.explain.authorization import explain_authorization
from mp_oauth_sandbox.explain.callback import explain_callback
from mp_oauth_sandbox.explain.explained import without_secrets
from mp_oauth_sandbox.explain.pasted import Pasted, pasted_url
from mp_oauth_sandbox.explain.word import explain_secret

__all__ = ["Explained", "UrlPart", "explain"]

#: More characters than any code, token or URL has that a browser would still send.
_LONGEST = 64 * 1024

_AROUND = " \t\r\n\v\f\"'`<>"


def explain(engine: Engine, what: str, *, url: str) -> Explained:
    """Everything the sandbox knows of a code, token or URL, and what it would answer now.

    Args:
        engine: Whose codes and tokens they are.
        what: The pasted text; whitespace and quotes around it do not count.
        url: The sandbox's own base URL.
    """
    text = what.strip(_AROUND)
    if len(text) > _LONGEST:
        problem = f"{len(text)} characters: longer than any code, token or URL"
        return Explained(kind="unknown", text=problem)
    # Lone surrogates have no bytes, so nothing could look for them.
    text = text.encode("utf-8", "backslashreplace").decode()
    if text[:7].lower() == "bearer ":
        text = text[7:].strip(_AROUND)
    if not text:
        return Explained(kind="unknown", text="nothing: paste a code, a token or a whole URL")
    pasted = pasted_url(text)
    if pasted is None:
        return explain_secret(engine, text)
    return without_secrets(engine, _url(engine, pasted, url))


def _url(engine: Engine, pasted: Pasted, url: str) -> Explained:
    names = pasted.values.keys()
    if pasted.path.endswith(paths.TOKEN):
        text = (
            "the token endpoint's URL: it is no page and reads nothing from its query\n"
            "do: POST there from the server, with every parameter in the body"
        )
        return Explained(kind="unknown", text=text)
    to_authorize = pasted.path.rstrip("/").endswith(paths.AUTHORIZATION)
    if to_authorize or "response_type" in names or "client_id" in names:
        return explain_authorization(engine, pasted, url=url)
    if names & {"code", "state", "error"}:
        return explain_callback(engine, pasted)
    elsewhere = likely_address(engine, "GET", pasted.path, pasted.query)
    if elsewhere is not None:
        return Explained(kind="unknown", text=f"{elsewhere.why}\ndo: {elsewhere.do}")
    text = (
        "a URL with none of the parameters of an authorization URL (client_id, response_type,"
        " redirect_uri) or of a callback (code, state, error)\n"
        "do: paste the whole URL, with everything after the question mark"
    )
    return Explained(kind="unknown", text=text)
