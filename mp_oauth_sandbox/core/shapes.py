"""What a code, a token, a key and an id look like: made, recognised and found by the same parts.

The formats are those of public captures. Code and refresh token share one format: `TG-`,
a MongoDB ObjectId in hex, the seller's user id. An access token has five parts: prefix,
client id, MMddHH of its issue, 32 hex digits, user id. A public key is a prefix and a UUID.
"""

import re

from mp_oauth_sandbox.core.values import Value

#: A code or refresh token begins so, whoever it is for.
GRANT = "TG"

#: How access tokens and public keys begin, in production and in the sandbox of Mercado Pago.
LIVE, TEST = "APP_USR", "TEST"

#: More digits than any client id in public captures has; a longer number is something else.
CLIENT_ID_DIGITS = 20

#: Numbers of sellers need more than 32 bits, and fit in the 63 of a signed database column.
USER_IDS = range(1, 2**63)

#: How many digits those of real accounts have, in public captures.
USER_ID_DIGITS = range(8, 11)

#: Every word that a secret can begin with; it is as much of one as may be shown.
PREFIXES = (GRANT, LIVE, TEST)

_KEY_PREFIX = f"(?:{LIVE}|{TEST})-"
_USER_ID = r"(?P<user_id>\d{1,19})"

_CODE = re.compile(
    rf"{GRANT}-(?P<random>(?P<seconds>[0-9a-f]{{8}})[0-9a-f]{{16}})-{_USER_ID}", re.ASCII
)
_ACCESS_TOKEN = re.compile(
    rf"{_KEY_PREFIX}(?P<client_id>\d{{1,{CLIENT_ID_DIGITS}}})-\d{{6}}-(?P<random>[0-9a-f]{{32}})"
    rf"-{_USER_ID}",
    re.ASCII,
)
_PUBLIC_KEY = re.compile(rf"{_KEY_PREFIX}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")
_CLIENT_ID = re.compile(rf"\d{{1,{CLIENT_ID_DIGITS}}}", re.ASCII)
_CLIENT_SECRET = re.compile(r"[\x21-\x7e]{1,256}")

#: The sign a code, a token or a key is cut into parts by, percent-encoded any number of times.
_HYPHEN = r"(?:-|%(?:25)*2[Dd])"
_UNDERSCORE = r"(?:_|%(?:25)*5[Ff])"

#: A code, a token or a key wherever it stands: glued to other letters, cut short, encoded once
#: or twice. Its first group is the prefix.
SECRET = re.compile(rf"({GRANT}|{TEST}|{LIVE.replace('_', _UNDERSCORE)}){_HYPHEN}[\w%-]+")

#: The last letter or digit; of a code or token the last hex digit, since the part behind it
#: names the seller.
_LAST_RANDOM = re.compile(r"[0-9a-f](?=-\d+$)|[0-9A-Za-z](?=[^0-9A-Za-z]*$)")


# ---- made: each to be filled in with `format` ----

#: A code or refresh token; `object_id` is 24 hex digits.
CODE = f"{GRANT}-{{object_id}}-{{user_id}}"

#: An access token; `hour` is MMddHH, `random` 32 hex digits.
ACCESS_TOKEN = "{prefix}-{client_id}-{hour}-{random}-{user_id}"  # noqa: S105 - a format, not a secret

#: A public key of a link or an application.
PUBLIC_KEY = "{prefix}-{uuid}"


# ---- recognised ----


class CodeParts(Value, frozen=True, kw_only=True):
    """What a code or refresh token tells of itself: the second of its making, and its seller."""

    made_at: int
    user_id: int


class TokenParts(Value, frozen=True, kw_only=True):
    """What an access token tells of itself: its application and its seller."""

    client_id: str
    user_id: int


def parts_of_code(text: str) -> CodeParts | None:
    """The parts of a code or refresh token; None for anything else."""
    found = _CODE.fullmatch(text)
    if found is None or int(found["user_id"]) not in USER_IDS:
        return None
    return CodeParts(made_at=int(found["seconds"], 16), user_id=int(found["user_id"]))


def parts_of_access_token(text: str) -> TokenParts | None:
    """The parts of an access token; None for anything else."""
    found = _ACCESS_TOKEN.fullmatch(text)
    if found is None or int(found["user_id"]) not in USER_IDS:
        return None
    return TokenParts(client_id=found["client_id"], user_id=int(found["user_id"]))


def looks_like_access_token(text: str) -> bool:
    """Whether a text has the five parts of an access token."""
    return parts_of_access_token(text) is not None


def starts_like_code(text: str) -> bool:
    """Whether a text begins as codes and refresh tokens do."""
    return text.startswith(f"{GRANT}-")


def is_public_key(text: str) -> bool:
    """Whether a text has the shape of a public key."""
    return _PUBLIC_KEY.fullmatch(text) is not None


def is_client_id(text: str) -> bool:
    """Whether a text can be the id of an application."""
    return _CLIENT_ID.fullmatch(text) is not None


def is_client_secret(text: str) -> bool:
    """Whether a text can be an application's secret; those of the captures are 32 long."""
    return _CLIENT_SECRET.fullmatch(text) is not None


def random_part(secret: str) -> str:
    """The part of a secret by which it is found even if it was cut or encoded.

    The hex digits of a code or token, which the id of a seller or the hour of an issue are not
    part of; the whole of any other secret.
    """
    found = _CODE.fullmatch(secret) or _ACCESS_TOKEN.fullmatch(secret)
    return found["random"] if found else secret


# ---- found and changed ----


def without_secrets(text: str) -> str:
    """A text in which nothing but the prefix is left of a code, a token or a key."""
    return SECRET.sub(r"\1-...", text)


def another(text: str) -> str:
    """A value of the same shape that is not the same: one letter or digit is turned."""
    changed = _LAST_RANDOM.sub(lambda found: "0" if found[0] != "0" else "1", text, count=1)
    return changed if changed != text else f"{text}x"
