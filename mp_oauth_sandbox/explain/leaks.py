"""Which secrets of this sandbox a text holds, in whatever form."""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from mp_oauth_sandbox.control.leaks import Encoding, Leak, LeaksOut, SecretKind
from mp_oauth_sandbox.core.records import Application, Credential, Record
from mp_oauth_sandbox.core.shapes import random_part
from mp_oauth_sandbox.engine.engine import Engine

#: So many characters in a row of what is random in a secret are as good as all of it.
_RUN = 16

#: A shorter secret, which somebody chose, may be an ordinary word.
_SHORTEST = 8

#: How many leaks one answer names.
_NAMED = 100

#: What a percent sign or an ampersand stands for may be encoded again.
_ENCODED_AT_MOST = 3

_WORDS = re.compile(rf"[0-9A-Za-z]{{{_RUN},}}")
# Both alphabets; of a secret at least eleven characters come out of so many.
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{11,}")


@dataclass(frozen=True, slots=True)
class _Known:
    kind: SecretKind
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Form:
    """A text as one encoding has it, and every run of letters and digits in it.

    `plain` is what it was decoded from, where it may stand undecoded.
    """

    encoding: Encoding
    text: str = field(repr=False)
    runs: frozenset[str] = field(repr=False)
    plain: str = field(default="", repr=False)


def leaks(engine: Engine, text: str) -> LeaksOut:
    """The secrets that a text holds: plain, or in the forms of URLs, HTML and base64."""
    forms = _forms(text)
    found: dict[Leak, None] = {}
    for form in forms:
        for known in _held(engine.store.snapshot(), form):
            label = engine.mint.label(known.secret)
            found[Leak(label=label, kind=known.kind, encoding=form.encoding)] = None
    return LeaksOut(list(found)[:_NAMED], more=len(found) > _NAMED)


# ---- the forms of a text ----


def _forms(text: str) -> list[_Form]:
    plain = _Form("plain", text, _runs(text))
    url = _decoded(text, "%", unquote, "url")
    unescaped = _decoded(text, "&", html.unescape, "html")
    # What the decoding of a URL or of HTML brings to light may be base64 itself.
    encoded = "\n".join((text, url.text, unescaped.text))
    decoded = "\n".join(_from_base64(encoded))
    return [plain, url, unescaped, _Form("base64", decoded, _runs(decoded))]


def _runs(text: str) -> frozenset[str]:
    return frozenset(
        word[0][start : start + _RUN]
        for word in _WORDS.finditer(text)
        for start in range(len(word[0]) - _RUN + 1)
    )


def _decoded(text: str, sign: str, decode: Callable[[str], str], encoding: Encoding) -> _Form:
    """What comes to light when the lines with that sign are decoded, without what was plain."""
    plain = "\n".join(line for line in text.splitlines() if sign in line)
    found = plain
    for _ in range(_ENCODED_AT_MOST):
        found = decode(found)
    return _Form(encoding, found, _runs(found) - _runs(plain), plain)


def _from_base64(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        word = match[0].replace("-", "+").replace("_", "/").encode()
        # Where it begins is not known: something may be glued to it.
        for start in range(4):
            whole = word[start : len(word) - (len(word) - start) % 4]
            rest = word[start + len(whole) :]
            if len(rest) > 1:
                whole += rest + b"=" * (4 - len(rest))
            try:
                yield base64.b64decode(whole).decode("latin-1")
            except binascii.Error:
                continue


# ---- the secrets in one form ----


def _held(records: Sequence[Record], form: _Form) -> list[_Known]:
    """The secrets that a form of the text holds.

    Codes of the same second share the beginning of what is random in them: of those whose every
    run is explained by a secret with more of them, none is named.
    """
    whole: list[_Known] = []
    by_runs: dict[frozenset[str], list[_Known]] = {}
    for known in _secrets(records):
        random = random_part(known.secret)
        if len(random) >= _RUN and random.isalnum():
            runs = [random[start : start + _RUN] for start in range(len(random) - _RUN + 1)]
            if held := form.runs.intersection(runs):
                by_runs.setdefault(held, []).append(known)
        elif (
            len(random) >= _SHORTEST
            and _any_run(random, form.text)
            and not _any_run(random, form.plain)
        ):
            whole.append(known)
    most = [runs for runs in by_runs if not any(runs < other for other in by_runs)]
    return [*whole, *(known for runs in most for known in by_runs[runs])]


def _any_run(secret: str, text: str) -> bool:
    length = min(_RUN, len(secret))
    starts = range(len(secret) - length + 1)
    return any(secret[start : start + length] in text for start in starts)


def _secrets(records: Sequence[Record]) -> Iterator[_Known]:
    for record in records:
        if isinstance(record, Credential):
            yield _Known(record.kind.value, record.secret)
        elif isinstance(record, Application):
            yield _Known("client_secret", record.client_secret)
            if record.replaced_secret is not None:
                yield _Known("client_secret", record.replaced_secret)
            if record.webhook is not None:
                yield _Known("webhook_secret", record.webhook.secret)
