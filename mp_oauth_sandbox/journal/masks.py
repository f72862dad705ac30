"""What may be shown of whatever was sent: no code, no token, nothing that acts on a terminal.

Masking what is masked changes nothing, and a label such as `TG-...#1a2b3c` stays as it is: so
nobody has to know whether somebody else has masked already.
"""

import re
from dataclasses import replace
from functools import lru_cache

from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.refusals import visible, word
from mp_oauth_sandbox.core.shapes import CLIENT_ID_DIGITS, without_secrets

#: A long value in the query of an address; nobody needs it whole to follow the journal.
_LONG_VALUE = re.compile(r"([?&][^=&]*=)[^&]{16,}")


def masked(text: str) -> str:
    """A text without the codes and tokens in it, fit for a terminal."""
    # Most texts are such, and every exchange has a dozen.
    if text.isprintable() and not ("-" in text or "%" in text or "?" in text):
        return text
    text = without_secrets(visible(text))
    return _LONG_VALUE.sub(r"\1...", text) if "?" in text else text


def beginning(text: str, limit: int = 80) -> str:
    """The beginning of a text that somebody pasted, masked."""
    return masked(text[:limit]) + ("..." if len(text) > limit else "")


# Asked several times of each request, and of the same few again and again.
@lru_cache(maxsize=512)
def masked_request(method: str, path: str) -> str:
    """The line by which a request is known: bounded, and masked before it is cut."""
    return f"{masked(method[:20])} {masked(path)[:100]}"


def masked_refusal(refused: Refused) -> Refused:
    """A refusal whose explanation shows no code or token."""
    return replace(refused, facts={name: masked(fact) for name, fact in refused.facts.items()})


def masked_paste(refused: Refused) -> Refused:
    """A refusal whose explanation shows nothing, of any shape, that was put in a wrong place."""
    facts = dict(masked_refusal(refused).facts)
    if "surplus" in facts:
        facts["surplus"] = " ".join(word(scope) for scope in refused.facts["surplus"].split())
    if "sent" in facts and "://" not in facts["sent"] and "%3a" not in facts["sent"].lower():
        facts["sent"], facts["caret"] = f"(a value of {len(refused.facts['sent'])} characters)", ""
    return replace(refused, facts=facts)


def masked_client_id(client_id: str | None) -> str | None:
    """A client id, if it is a number: id and secret may have been mixed up."""
    if client_id is None or not (client_id.isascii() and client_id.isdigit()):
        return None
    return client_id[:CLIENT_ID_DIGITS]
