"""Exchanges printed beside the server, so that none waits for whoever reads the output."""

import threading
from collections.abc import Callable
from queue import Full, Queue
from typing import Final

from mp_oauth_sandbox.journal import Entry

#: Exchanges that wait for a reader; what is newer than that many is left out.
MOST: Final = 10_000


class Printer:
    """Hands entries to `write` one after the other, in a thread of its own.

    A program that starts the sandbox with a pipe may never read it to its end, and a full pipe
    blocks whoever writes. `left_out` is called with the number of entries that found no place,
    when writing goes on; `failed` once, when `write` raises OSError: nobody reads any more.
    That `error` is kept.
    """

    error: OSError | None = None

    def __init__(
        self,
        write: Callable[[Entry], None],
        *,
        left_out: Callable[[int], None],
        failed: Callable[[], None],
    ) -> None:
        self._write, self._left_out, self._failed = write, left_out, failed
        self._waiting: Queue[Entry | None] = Queue(MOST)
        self._lock = threading.Lock()
        self._missed = 0
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)

    def start(self) -> None:
        """Print what was told so far, and from now on as it comes."""
        self._thread.start()

    def tell(self, entry: Entry) -> None:
        """Print it, soon; never waits."""
        try:
            self._waiting.put_nowait(entry)
        except Full:
            with self._lock:
                self._missed += 1

    def close(self, *, within: float) -> bool:
        """Print what waits; False if that takes longer than so many seconds."""
        try:
            self._waiting.put(None, timeout=within)
        except Full:
            return False
        self._thread.join(within)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while True:
                entry = self._waiting.get()
                with self._lock:
                    missed, self._missed = self._missed, 0
                if missed:
                    self._left_out(missed)
                if entry is None:
                    return
                self._write(entry)
        except OSError as error:
            self.error = error
            self._failed()
