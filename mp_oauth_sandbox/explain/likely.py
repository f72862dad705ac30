"""What whoever sent a refused request probably did: looked for after it was refused, never before.

Whatever is compared is looked up by its key, and beyond that only among the newest credentials:
what is stored does not make it dearer.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from mp_oauth_sandbox.core.messages import Likely, Refused
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.explain.address import likely_address
from mp_oauth_sandbox.explain.bodies import fields_of, likely_body, likely_names
from mp_oauth_sandbox.explain.values import likely_bearer, likely_values


class Sent(Struct, frozen=True):
    """A refused request as it came. Names of headers are in lower case."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes = b""


def with_likely(engine: Engine, refused: Refused, sent: Sent) -> Refused:
    """The same refusal, which says what was probably done, if anything can be found."""
    likely = _found(engine, refused, sent)
    return refused if likely is None else replace(refused, likely=likely)


def _found(engine: Engine, refused: Refused, sent: Sent) -> Likely | None:
    if refused.likely is not None:
        return refused.likely
    elsewhere = likely_address(engine, sent.method, sent.path, sent.query)
    if elsewhere is not None:
        return elsewhere
    fields = fields_of(sent.body) or fields_of(sent.query)
    if sent.body:
        likely = likely_body(sent.headers, sent.body)
        if likely is not None:
            return likely
    likely = likely_names(fields, refused)
    if likely is not None:
        return likely
    authorization = sent.headers.get("authorization")
    return likely_values(engine, refused, fields) or (
        None if authorization is None else likely_bearer(engine, refused, authorization)
    )
