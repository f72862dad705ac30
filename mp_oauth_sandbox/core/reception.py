"""How a notification was received: what that tells of the receiver, and what to do about it.

A table like that of refusals: explanation, remedy and source go to the journal. Braces are filled
from the facts of the delivery. "MP" is Mercado Pago's documentation.
"""

from enum import StrEnum
from types import MappingProxyType

from mp_oauth_sandbox.core.notify import ACCEPTED
from mp_oauth_sandbox.core.records import WebhookAction
from mp_oauth_sandbox.core.values import Value


class Reception(StrEnum):
    """How a receiver took a notification, where there is more to say than that it confirmed it."""

    # What was not Mercado Pago's own.
    FORGERY_ACCEPTED = "forgery_accepted"
    REPLAY_ACCEPTED = "replay_accepted"
    FORGERY_REFUSED = "forgery_refused"
    # An answer that does not confirm.
    NOTIFICATION_REFUSED = "notification_refused"
    NOTIFICATION_UNCONFIRMED = "notification_unconfirmed"
    RECEIVER_REDIRECTED = "receiver_redirected"
    RECEIVER_FAILED = "receiver_failed"
    # No answer.
    RECEIVER_SILENT = "receiver_silent"
    RECEIVER_UNREACHABLE = "receiver_unreachable"
    RECEIVER_UNRESOLVED = "receiver_unresolved"
    RECEIVER_UNTRUSTED = "receiver_untrusted"
    RECEIVER_NOT_ALLOWED = "receiver_not_allowed"
    ANSWER_CUT_OFF = "answer_cut_off"
    ANSWER_UNREADABLE = "answer_unreadable"


#: How it should be: nobody has to look at it.
AS_IT_SHOULD_BE = frozenset({Reception.FORGERY_REFUSED})


class Flaws(Value, frozen=True, kw_only=True):
    """What was wrong with a notification on purpose, as parts of a sentence; empty: nothing.

    `signature`: it does not prove that Mercado Pago sent this to this application. `user`: nor can
    it be about this seller. `timestamp`: it was made long ago. `request_id`: there is none, which
    is no forgery.
    """

    signature: str = ""
    user: str = ""
    timestamp: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        return " and ".join(filter(None, (self.signature, self.user, self.timestamp)))


#: Nothing was wrong with it.
GENUINE = Flaws()


class Received(Value, frozen=True, kw_only=True):
    """A delivery that is over: what was sent, and what came of it.

    `status` is 0 without an answer, and `failure` says why there is none, `problem` in words.
    `follows` is what Mercado Pago does then, in sentences.
    """

    action: WebhookAction
    status: int
    failure: Reception | None
    problem: str
    follows: str
    flaws: Flaws = GENUINE


class Judgement(Value, frozen=True, kw_only=True):
    """What a delivery tells of its receiver, for people: why, what to do, and who says so."""

    reception: Reception
    explanation: str
    remedy: str
    source: str


_CONFIRMED = (
    "MP, Configure optional notifications: 200 or 201 within 22 seconds, or it is sent again"
)
_SIGNED = "MP, Configure optional notifications: x-signature; the validators of seven official SDKs"
_CHECK = (
    "compute the HMAC-SHA256, in hex, of id:<data.id of the query>;request-id:<x-request-id>;"
    "ts:<ts>; (without the pair of what is absent) with the secret of this application's webhook,"
    " and compare it with v1"
)
_AT_ONCE = "answer 200 as soon as the signature is verified, and do the work afterwards"
_REACHABLE = "see that the receiver runs before anything is notified"

#: Reception -> what happened, what to do, who says so.
ROWS: MappingProxyType[Reception, tuple[str, str, str]] = MappingProxyType(
    {
        Reception.FORGERY_ACCEPTED: (
            "The receiver answered {status} to a forged notification, and so accepted it: {flaws}."
            " Whoever knows the webhook's URL can {forger}.",
            "Check the signature before anything else: {check}; answer 401 if it differs or is"
            " missing.{also} (A receiver that answers 200 and does nothing looks the same from"
            " here: 401 tells them apart.)",
            _SIGNED,
        ),
        Reception.REPLAY_ACCEPTED: (
            "The receiver answered {status} to an old notification, and so accepted it: {flaws}."
            " Whoever has recorded one can send it again and {replayer}.",
            "Check the timestamp after the signature: answer 401 if ts is more than some minutes"
            " from the sandbox's clock, and handle no notification twice (by the id in its body)."
            " If you mean to accept one of that age, nothing is wrong.",
            f"{_SIGNED}, which offer a tolerance for ts",
        ),
        Reception.FORGERY_REFUSED: (
            "The receiver answered {status} to what it must not believe, as it should: {flaws}."
            " The forgery was the sandbox's; the notification behind it goes on as a refused one,"
            " and is genuine from now on. {follows}",
            "Nothing: this is how it should be.",
            _SIGNED,
        ),
        Reception.NOTIFICATION_REFUSED: (
            "The receiver refused it with {status}. {follows}",
            "{refusal}",
            _CONFIRMED,
        ),
        Reception.NOTIFICATION_UNCONFIRMED: (
            "{status} does not confirm a notification, only 200 and 201 do. {follows}",
            "Answer 200.",
            _CONFIRMED,
        ),
        Reception.RECEIVER_REDIRECTED: (
            "The receiver answered with a redirect ({status}), which Mercado Pago does not follow:"
            " nothing was delivered. {follows}",
            "Give the webhook the URL to which the redirect leads (a final slash, https), and see"
            " that the path asks for no login.",
            f"{_CONFIRMED}; that redirects are not followed is a guess",
        ),
        Reception.RECEIVER_FAILED: (
            "The receiver failed with {status}. {follows}",
            f"Look for the exception in the receiver's log; {_AT_ONCE}.",
            _CONFIRMED,
        ),
        Reception.RECEIVER_SILENT: (
            "The receiver did not answer in time: {problem}. {follows}",
            f"In the receiver {_AT_ONCE}. If a test serves it on its own event loop, nothing may"
            " block that meanwhile: `await sandbox.webhooks.asettle()`, not `settle()`.",
            _CONFIRMED,
        ),
        Reception.RECEIVER_UNREACHABLE: (
            "There is no connection to the receiver: {problem}. {follows}",
            f"Compare host and port of the webhook's URL with the receiver's, and {_REACHABLE}.",
            _CONFIRMED,
        ),
        Reception.RECEIVER_UNRESOLVED: (
            "The receiver's name has no address: {problem}. {follows}",
            "Mend the host in the webhook's URL; localhost and names that end in .localhost need"
            " no name server.",
            _CONFIRMED,
        ),
        Reception.RECEIVER_UNTRUSTED: (
            "There is no TLS connection to the receiver: {problem}. {follows}",
            "Give the webhook an http:// URL here, or the receiver a certificate for that host that"
            " this machine trusts (SSL_CERT_FILE adds your own).",
            _CONFIRMED,
        ),
        Reception.RECEIVER_NOT_ALLOWED: (
            "The sandbox sends nothing to that URL: {problem}. {follows}",
            "Change the webhook's URL, or start the sandbox so that its host is allowed.",
            "the sandbox's own rule",
        ),
        Reception.ANSWER_CUT_OFF: (
            "The receiver hung up before it had answered: {problem}. {follows}",
            "Look in the receiver's log, and in that of a proxy before it, for what ended the"
            f" connection; {_AT_ONCE}.",
            _CONFIRMED,
        ),
        Reception.ANSWER_UNREADABLE: (
            "What answered is no HTTP server: {problem}. {follows}",
            "Compare port and scheme of the webhook's URL with the receiver's: one that wants TLS"
            " needs https://.",
            _CONFIRMED,
        ),
    }
)

#: What a forger, and whoever repeats an old one, can make the integration do.
_FORGER: MappingProxyType[WebhookAction, str] = MappingProxyType(
    {
        "application.authorized": "make the integration believe that a seller has linked, and act"
        " on an account of their choosing",
        "application.deauthorized": "make the integration believe that a seller has unlinked, and"
        " drop a link that still stands",
    }
)
_REPLAYER: MappingProxyType[WebhookAction, str] = MappingProxyType(
    {
        "application.authorized": "make a seller who has unlinked since seem linked",
        "application.deauthorized": "make a seller who has linked again since seem unlinked",
    }
)

#: Refusals that say nothing of what was sent, for the receiver has not looked at it.
_NOT_LOOKED_AT: MappingProxyType[int, str] = MappingProxyType(
    {
        404: "See that the path of the webhook's URL is the receiver's.",
        405: "Let the receiver's path take POST.",
        408: f"In the receiver {_AT_ONCE}.",
        411: "Let the receiver, or the proxy before it, take a body with Content-Length.",
        413: "Let the receiver, or the proxy before it, take a body of some hundred bytes.",
        415: "Let the receiver's path take application/json.",
        429: "Exempt the receiver's path from the limit of requests.",
    }
)
_LOOKED_AT = (
    f"If the receiver found the signature wrong: {_CHECK}; the secret must be the one registered"
    " here, and a check of ts must allow for the sandbox's virtual clock. If it did not get that"
    " far: exempt its path from login and CSRF protection."
)


def judge(received: Received) -> Judgement | None:
    """What a delivery tells of its receiver; None if it was genuine, and confirmed."""
    reception = received.failure or _reception(received.status, received.flaws)
    if reception is None:
        return None
    explanation, remedy, source = ROWS[reception]
    facts = {
        "status": received.status,
        "flaws": received.flaws,
        "problem": received.problem,
        "follows": received.follows,
        "forger": _FORGER[received.action],
        "replayer": _REPLAYER[received.action],
        "check": _CHECK,
        "also": _also(received.flaws),
        "refusal": _NOT_LOOKED_AT.get(received.status, _LOOKED_AT),
    }
    text = explanation.format_map(facts)
    if "{flaws}" not in explanation:
        text += _besides(received.flaws)
    return Judgement(
        reception=reception, explanation=text, remedy=remedy.format_map(facts), source=source
    )


def _reception(status: int, flaws: Flaws) -> Reception | None:
    match status // 100:
        case 2 if flaws.signature:
            return Reception.FORGERY_ACCEPTED
        case 2 if flaws.timestamp:
            return Reception.REPLAY_ACCEPTED
        case 2 if status in ACCEPTED:
            return None
        case 3:
            return Reception.RECEIVER_REDIRECTED
        case 4 if str(flaws) and status not in _NOT_LOOKED_AT:
            return Reception.FORGERY_REFUSED
        case 4:
            return Reception.NOTIFICATION_REFUSED
        case 5:
            return Reception.RECEIVER_FAILED
        case _:
            return Reception.NOTIFICATION_UNCONFIRMED


def _also(flaws: Flaws) -> str:
    """What else to check than the signature."""
    user = " Check the user too: act on no user_id that this application has not linked."
    timestamp = " Check the timestamp too: refuse a ts that is more than some minutes off."
    return (user if flaws.user else "") + (timestamp if flaws.timestamp else "")


def _besides(flaws: Flaws) -> str:
    """What else there is to know of an answer that may have nothing to do with it."""
    forged = f" It was not genuine ({flaws}): the answer to that is 401." if str(flaws) else ""
    return forged + (f" {flaws.request_id}" if flaws.request_id else "")
