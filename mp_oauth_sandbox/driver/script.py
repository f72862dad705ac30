"""What was played, as a short text sequence diagram without a single secret in it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from mp_oauth_sandbox.journal import Line, draw

APP = "app"
SANDBOX = "sandbox"


@dataclass(slots=True)
class Script:
    """The messages so far, and the short names that codes and states have in them."""

    lines: list[Line] = field(default_factory=list[Line])
    _names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def add(self, sender: str, receiver: str, text: str, *, entry: int | None = None) -> None:
        """Write one message down."""
        self.lines.append(Line(sender=sender, receiver=receiver, text=text, entry=entry))

    def name(self, kind: str, value: str) -> str:
        """A short name for a genuine code or state, the same each time: code1, state2."""
        known = sum(1 for named, _ in self._names if named == kind)
        return self._names.setdefault((kind, value), f"{kind}{known + 1}")

    def show(self, kind: str, value: str) -> str:
        """How a code or state appears: by its name if it is genuine, else what it is."""
        if not value:
            return "(empty)"
        return self._names.get((kind, value), f"(forged {kind})")

    def show_url(self, url: str) -> str:
        """Path and parameters of a callback, with short names for secrets."""
        parts = urlsplit(url)
        shown = "&".join(
            f"{name}={self.show(name, value) if name in {'code', 'state'} else value[:40]}"
            for name, value in parse_qsl(parts.query, keep_blank_values=True, encoding="latin-1")
        )
        return f"{parts.path}?{shown}" if shown else parts.path

    def draw(self, *, mark: Collection[int] = ()) -> str:
        """The diagram; messages whose journal entry is in `mark` are pointed at."""
        return draw(self.lines, mark=mark)
