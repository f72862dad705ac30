"""What the journal may show of a request: no code, no token, nothing that acts on a terminal."""

import re
from dataclasses import replace

from mp_oauth_sandbox.core.messages import Refused

#: A code or token that somebody put where none belongs; its first group may be shown.
_SECRET = re.compile(r"\b(APP_USR|TEST|TG)(?:-|%2[Dd])[\w%-]+")

#: A long value in the query of an address; nobody needs it whole to follow the journal.
_LONG_VALUE = re.compile(r"([?&][^=&]*=)[^&]{16,}")


def masked(text: str) -> str:
    """A text without the codes and tokens in it, for the journal."""
    if "-" in text or "%" in text:
        text = _SECRET.sub(r"\1-...", text)
    return _LONG_VALUE.sub(r"\1...", text) if "?" in text else text


def masked_refusal(refused: Refused) -> Refused:
    """A refusal whose explanation shows no code or token, for the journal and error pages."""
    return replace(refused, facts={name: masked(fact) for name, fact in refused.facts.items()})
