"""What happens, printed beside the server, so that nothing waits for whoever reads the output."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

Told = TypeVar("Told")

#: Exchanges that wait for a reader; what is newer than that many is left out.
MOST: Final = 10_000

#: Exchanges that are taken from there at once, and wait for a reader in hand.
TOGETHER: Final = 1_000

#: Seconds of rest between two writes: what is told meanwhile leaves in one. To wake this thread
#: for each exchange costs the server more than to decide it.
_REST: Final = 0.02


#: Characters that a pipe takes whole or not at all, so that an end in haste leaves no half line.
_WHOLE: Final = 4000


class Printer(Generic[Told]):
    """Hands what it is told to `write`, a line each and in that order, in a thread of its own.

    A program that starts the sandbox with a pipe may never read it to its end, and a full pipe
    blocks whoever writes. `left_out` makes the line that says how many entries found no place,
    written when writing goes on; `failed` is called once, when `write` raises OSError: nobody
    reads any more. That `error` is kept.
    """

    error: OSError | None = None

    def __init__(
        self,
        line: Callable[[Told], str],
        *,
        left_out: Callable[[int], str],
        write: Callable[[str], None],
        failed: Callable[[], None],
    ) -> None:
        self._line, self._left_out, self._write, self._failed = line, left_out, write, failed
        self._waiting: SimpleQueue[Told | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._missed = 0
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)

    def start(self) -> None:
        """Print what was told so far, and from now on as it comes."""
        self._thread.start()

    def tell(self, entry: Told) -> None:
        """Print it, soon; never waits."""
        if self._waiting.qsize() < MOST:
            self._waiting.put(entry)
        else:
            with self._lock:
                self._missed += 1

    def close(self, *, within: float) -> bool:
        """Print what waits; False if that takes longer than so many seconds."""
        self._waiting.put(None)
        self._thread.join(within)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._write_what_waits():
                time.sleep(_REST)
        except OSError as error:
            self.error = error
            self._failed()

    def _write_what_waits(self) -> bool:
        """Wait for an entry, and write it with all that waits behind it; False at the end."""
        told = [self._waiting.get()]
        with suppress(Empty):
            while told[-1] is not None and len(told) < TOGETHER:
                told.append(self._waiting.get_nowait())
        # They found no place behind these.
        with self._lock:
            missed, self._missed = self._missed, 0
        lines = [self._line(entry) for entry in told if entry is not None]
        if missed:
            lines.append(self._left_out(missed))
        piece = ""
        for line in lines:
            if piece and len(piece) + len(line) >= _WHOLE:
                self._write(piece)
                piece = ""
            piece = f"{piece}\n{line}" if piece else line
        if piece:
            self._write(piece)
        return told[-1] is not None
