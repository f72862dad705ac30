"""A body that is something else than its Content-Type says, and names that are almost right."""

import json
import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl

from mp_oauth_sandbox.core.causes import Cause
from mp_oauth_sandbox.core.messages import Likely, Refused
from mp_oauth_sandbox.core.refusals import visible, word

#: The fields of a token request and the parameters of an authorization request.
_NAMES = (
    *("grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token"),
    *("code_verifier", "test_token", "scope", "response_type", "state", "platform_id"),
    *("code_challenge", "code_challenge_method"),
)
#: Other words for the same.
_OTHER_NAMES = {
    "appid": "client_id",
    "clientkey": "client_id",
    "applicationid": "client_id",
    "secret": "client_secret",
    "appsecret": "client_secret",
    "secretkey": "client_secret",
    "redirecturl": "redirect_uri",
    "callback": "redirect_uri",
    "callbackurl": "redirect_uri",
    "authorizationcode": "code",
    "authcode": "code",
    "verifier": "code_verifier",
    "grant": "grant_type",
    "refresh": "refresh_token",
    "token": "refresh_token",
    "returnurl": "redirect_uri",
    "codeverifier": "code_verifier",
    "pkceverifier": "code_verifier",
}
_LACKING = frozenset(
    {
        *(Cause.PARAMETER_MISSING, Cause.PARAMETER_SURPLUS),
        *(Cause.VERIFIER_MISSING, Cause.CHALLENGE_MISSING),
    }
)
_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x78\x01", "deflate"),
    (b"\x78\x9c", "deflate"),
    (b"\x78\xda", "deflate"),
)
_FORM = re.compile(rb"[\w.%+-]+=[^{\s]*(?:&[\w.%+-]+=[^{\s]*)*\s*")
_PYTHON = re.compile(rb"\s*\{\s*'\w+'\s*:")
_SEND_JSON = "Send a JSON object with Content-Type: application/json."
_SEND_FORM = "Send a form with Content-Type: application/x-www-form-urlencoded."


def fields_of(data: bytes) -> dict[str, str]:
    """The texts in a body or a query, whatever it calls itself; empty if it is neither kind."""
    if data.lstrip()[:1] == b"{":
        try:
            decoded: object = json.loads(data)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(decoded, dict):
            return {}
        pairs = cast("dict[str, object]", decoded).items()
        return {name: one for name, one in pairs if isinstance(one, str)}
    return dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))


def likely_body(headers: Mapping[str, str], body: bytes) -> Likely | None:
    """What a body really is; None if it is what its Content-Type says, or nobody can tell."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    start = body.lstrip()
    for magic, name in _COMPRESSED:
        if body.startswith(magic):
            return _compressed(name)
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        return _compressed(word(encoding))
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:64]:
        return Likely("the body is UTF-16 or UTF-32", "Send it as UTF-8 (RFC 8259 section 8.1).")
    if body.startswith(b"\xef\xbb\xbf"):
        return Likely(
            "the body begins with a byte order mark", "Send it as UTF-8 without one (RFC 8259)."
        )
    if start.startswith(b"--") and (media_type.startswith("multipart/") or b"form-data" in body):
        return Likely("the body is a multipart form, as for files", _SEND_FORM)
    if start.startswith((b"[object", b"undefined", b"None", b"null")):
        return Likely(
            "the body is the text of an object that nobody has encoded", f"Encode it. {_SEND_JSON}"
        )
    if start[:1] in {b"{", b"["}:
        return _json(start, media_type)
    if start[:1] == b'"' and b"grant_type" in body:
        return Likely(
            "the body is JSON that was encoded twice: a text that holds an object",
            "Encode it once. A library's `json=` encodes by itself.",
        )
    if _FORM.fullmatch(body) and media_type != "application/x-www-form-urlencoded":
        shown = visible(media_type[:60])
        said = f"its Content-Type says {shown}" if media_type else "has no Content-Type"
        return Likely(f"the body is a form, and {said}", f"{_SEND_FORM} Or: {_SEND_JSON}")
    if start.startswith(b"<"):
        return Likely("the body is XML or HTML", _SEND_JSON)
    return None


def _compressed(name: str) -> Likely:
    return Likely(
        f"the body is compressed ({name})",
        "Send it as it is: nothing says that Mercado Pago takes compressed requests.",
    )


def _json(start: bytes, media_type: str) -> Likely | None:
    if _PYTHON.match(start):
        return Likely("the body is Python's text of a dictionary, not JSON", "Use json.dumps.")
    try:
        decoded: object = json.loads(start)
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()):
            why = "the body is JSON that ends in the middle"
            return Likely(why, "Look at Content-Length: it counts bytes, not characters.")
        why = f"the body is almost JSON: {error.msg}, at character {error.pos + 1}"
        return Likely(why, "Let a library write it.")
    except (ValueError, RecursionError):
        return None
    if media_type != "application/json":
        said = f"as {visible(media_type[:60])}" if media_type else "without a Content-Type"
        said = "as a form" if "urlencoded" in media_type else said
        return Likely(f"the body is JSON, sent {said}", _SEND_JSON)
    if isinstance(decoded, list):
        return Likely("the body is a list of objects, not an object", "Send the object alone.")
    if isinstance(decoded, dict):
        held = cast("dict[str, object]", decoded)
        for name, inner in held.items():
            if held.keys() & set(_NAMES) or not isinstance(inner, dict):
                continue
            if cast("dict[str, object]", inner).keys() & set(_NAMES):
                return Likely(
                    f"the fields are inside of `{word(name)}`",
                    "Send them at the top of the object. Axios and others take the body itself.",
                )
    return None


def likely_names(fields: Mapping[str, str], refused: Refused) -> Likely | None:
    """A field that is there under almost its name, where one is missing."""
    if refused.cause not in _LACKING:
        return None
    found: list[str] = []
    for name in fields:
        meant = _meant(name)
        if meant is not None and meant not in fields:
            found.append(f"`{word(name)}` is `{meant}`")
    if not found:
        return None
    return Likely(f"names that are almost right: {', '.join(found)}", "Use the names of RFC 6749.")


def _meant(name: str) -> str | None:
    if name in _NAMES:
        return None
    plain = re.sub(r"[^a-z]", "", name.lower())
    by_plain = {one.replace("_", ""): one for one in _NAMES}
    return by_plain.get(plain) or _OTHER_NAMES.get(plain)
