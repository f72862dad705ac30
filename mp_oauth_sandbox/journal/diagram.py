"""Text sequence diagrams: who sent what to whom, in plain ASCII."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mp_oauth_sandbox.journal.entries import UNHEARD, Entry

#: How many of the newest exchanges a diagram shows; more hides what matters.
SHOWN = 12

_BROWSER = "browser"
_INTEGRATION = "integration"
_SANDBOX = "sandbox"
_WEBHOOK = "webhook"

#: Which facts name a credential, and whether it was in the request or in the answer.
_ASKED = ("state", "code", "refresh_token", "access_token")
_ISSUED = ("issued_access_token", "issued_refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message, or with the same party on both sides something it did by itself."""

    sender: str
    receiver: str
    text: str
    entry: int | None = None


def draw(lines: Sequence[Line], *, mark: Collection[int] = ()) -> str:
    """The diagram; messages whose journal entry is in `mark` are pointed at."""
    left = max((len(line.sender) for line in lines), default=0)
    right = max((len(line.receiver) for line in lines), default=0)
    return "\n".join(
        f"  {line.sender:<{left}} {'->' if line.sender != line.receiver else '  '} "
        f"{line.receiver if line.sender != line.receiver else '':<{right}}  {line.text}"
        f"{'   <-- here' if line.entry is not None and line.entry in mark else ''}".rstrip()
        for line in lines
    )


def sequence(entries: Sequence[Entry], *, mark: Collection[int] = (), shown: int = SHOWN) -> str:
    """The newest `shown` of these exchanges as a diagram, those in `mark` before all others."""
    if not entries:
        return "  (nothing)"
    by_interest = sorted(entries, key=lambda entry: (entry.seq in mark, entry.seq), reverse=True)
    chosen = sorted(by_interest[:shown], key=lambda entry: entry.seq)
    left_out = len(entries) - len(chosen)
    before = f"  (left out: {left_out} others)\n" if left_out else ""
    return before + draw([_line(entry) for entry in chosen], mark=mark)


def _line(entry: Entry) -> Line:
    sender, receiver = _parties(entry)
    if entry.kind == "control":
        return Line(sender=sender, receiver=receiver, text=_told(entry), entry=entry.seq)
    # The code is in the answer to a browser, and in the request of an integration.
    to_browser = entry.kind == "authorization"
    asked = _named(entry, ("state",) if to_browser else _ASKED)
    issued = _named(entry, ("code",) if to_browser else _ISSUED)
    what = f"{entry.request} {entry.grant_type}" if entry.grant_type else entry.request
    answer = f"{entry.status} {entry.outcome}" if entry.status else entry.outcome
    why = f": {entry.why}" if entry.why is not None else ""
    text = f"#{entry.seq} {what}{asked} -> {answer}{why}{issued}"
    if entry.delivery in UNHEARD:
        text += f", {entry.delivery.replace('_', ' ')}"
    text += "".join(f", fault {fault}" for fault in entry.faults)
    return Line(sender=sender, receiver=receiver, text=_ascii(text), entry=entry.seq)


def _told(entry: Entry) -> str:
    about = [f"application {entry.client_id}"] if entry.client_id else []
    about += [f"seller {entry.user_id}"] if entry.user_id is not None else []
    whom = f" ({', '.join(about)})" if about else ""
    return _ascii(f"#{entry.seq} {entry.outcome}{whom}")


def _parties(entry: Entry) -> tuple[str, str]:
    match entry.kind:
        case "authorization":
            return _BROWSER, _SANDBOX
        case "token" | "resource":
            return _INTEGRATION, _SANDBOX
        case "webhook":
            return _SANDBOX, _WEBHOOK
        case "control":
            return _SANDBOX, _SANDBOX


def _named(entry: Entry, names: Iterable[str]) -> str:
    found = [
        f"{name.removeprefix('issued_').replace('_', ' ')} {entry.facts[name]}"
        for name in names
        if name in entry.facts
    ]
    return f" ({', '.join(found)})" if found else ""


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
