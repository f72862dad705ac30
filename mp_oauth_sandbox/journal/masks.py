"""What may be shown of whatever was sent: no code, no token, nothing that acts on a terminal.

Masking what is masked changes nothing, and a label such as `TG-...#1a2b3c` stays as it is: so
nobody has to know whether somebody else has masked already.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache, partial
from urllib.parse import quote

from msgspec.structs import replace

from mp_oauth_sandbox.core.messages import Likely, Refused
from mp_oauth_sandbox.core.refusals import RULES, explanation, remedy, visible, word
from mp_oauth_sandbox.core.shapes import CLIENT_ID_DIGITS, SECRET, without_secrets
from mp_oauth_sandbox.journal.entries import Entry, Happened

#: A long value in the query of an address; nobody needs it whole to follow the journal.
_LONG_VALUE = re.compile(r"([?&][^=&]*=)[^&]{16,}")

#: Facts of a refusal that are kept as they are, to be compared by programs: numbers and a word.
_KEPT_FACTS = ("age_seconds", "expired_seconds", "answered_by")


def masked(text: str) -> str:
    """A text without the codes and tokens in it, fit for a terminal."""
    # Looked at before it is changed: most have nothing to hide, and each exchange has a dozen.
    if not text.isprintable():
        text = visible(text)
    if SECRET.search(text):
        text = without_secrets(text)
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
    return cleaned(refused, masked)


def masked_paste(refused: Refused) -> Refused:
    """A refusal whose explanation shows nothing, of any shape, that was put in a wrong place."""
    facts = dict(masked_refusal(refused).facts)
    if "surplus" in facts:
        facts["surplus"] = " ".join(word(scope) for scope in refused.facts["surplus"].split())
    if "sent" in facts and "://" not in facts["sent"] and "%3a" not in facts["sent"].lower():
        facts["sent"], facts["caret"] = f"(a value of {len(refused.facts['sent'])} characters)", ""
    return replace(refused, facts=facts)


#: A shorter text is no secret that anybody chose in earnest, and may be any word.
_SECRET_LENGTH = 8


def without(secrets: Iterable[str]) -> Callable[[str], str]:
    """What makes of a text one without these: as they are, percent-encoded, in any case."""
    pattern = _any_of(tuple(one for one in secrets if len(one) >= _SECRET_LENGTH))
    return (lambda text: text) if pattern is None else partial(pattern.sub, "...")


# They change seldom, and each refusal asks.
@lru_cache(maxsize=4)
def _any_of(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    forms = {re.escape(form) for one in secrets for form in (one, quote(one, safe=""))}
    return re.compile("|".join(sorted(forms)), re.IGNORECASE) if forms else None


def cleaned(refused: Refused, clean: Callable[[str], str]) -> Refused:
    """A refusal whose explanation has gone through this."""
    facts, likely = {name: clean(fact) for name, fact in refused.facts.items()}, refused.likely
    if likely is not None:
        likely = Likely(clean(likely.why), clean(likely.do))
    return replace(refused, facts=facts, likely=likely)


def masked_client_id(client_id: str | None) -> str | None:
    """A client id, if it is a number: id and secret may have been mixed up."""
    if client_id is None or not (client_id.isascii() and client_id.isdigit()):
        return None
    return client_id[:CLIENT_ID_DIGITS]


def written(happened: Happened, at: datetime) -> Entry:
    """The entry of what happened; it is numbered when it is added. Every text in it is masked."""
    refused = happened.refused and masked_refusal(happened.refused)
    facts = {name: masked(fact) for name, fact in happened.facts.items()}
    entry = Entry(
        seq=0,
        at=at,
        kind=happened.kind,
        request=masked(happened.request),
        status=happened.status,
        outcome=masked(happened.outcome),
        line="",
        grant_type=happened.grant_type and masked(happened.grant_type),
        client_id=masked_client_id(happened.whose.client_id),
        user_id=happened.whose.user_id,
        grant=happened.whose.grant_id,
        error=happened.error and masked(happened.error),
        facts=facts,
        delivery=happened.delivery,
        faults=tuple(map(masked, happened.faults)),
    )
    entry.line = _line(entry)
    if refused is not None:
        entry.cause = refused.cause
        entry.explanation = explanation(refused)
        entry.remedy = remedy(refused)
        entry.source = RULES[refused.cause].source
        facts.update({name: refused.facts[name] for name in _KEPT_FACTS if name in refused.facts})
    if happened.judged is not None:
        entry.reception = happened.judged.reception
        entry.explanation = masked(happened.judged.explanation)
        entry.remedy = happened.judged.remedy
        entry.source = happened.judged.source
    return entry


def _line(entry: Entry) -> str:
    """What was asked, what was answered, which faults touched it."""
    if entry.kind == "control":
        return entry.outcome
    asked = f"{entry.request} {entry.grant_type}" if entry.grant_type else entry.request
    answered = f"{entry.status} {entry.outcome}" if entry.status else entry.outcome
    named = f" ({entry.error})" if entry.error else ""
    return f"{asked} -> {answered}{named}" + "".join(f", fault {fault}" for fault in entry.faults)
