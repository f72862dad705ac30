"""An event loop in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

# Wrapped, so that freezegun doesn't find and replace it: asyncio's own timers stand still while
# a test has frozen the clock, and a server would with them. uvloop keeps its own time.
_monotonic: Final = partial(time.monotonic)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A new loop: uvloop's where it is installed, else asyncio's."""
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
        loop.time = _monotonic  # type: ignore[method-assign] # the one place to set it, any loop
        return loop
    return uvloop.new_event_loop()


async def _nothing() -> None:
    pass


class LoopThread:
    """A daemon thread that runs an event loop from construction until `close`."""

    def __init__(self, *, name: str) -> None:
        """Start the thread; its loop runs when this returns.

        Args:
            name: The thread's name, as seen in `threading.enumerate()`.
        """
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._closing = threading.Lock()
        self._finish: Callable[[], Awaitable[None]] = _nothing
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=name, daemon=True)
        self._thread.start()
        try:
            self.loop = ready.result()
        except BaseException:
            self._thread.join()
            raise

    def close(self, *, finish: Callable[[], Awaitable[None]] = _nothing) -> None:
        """Cancel what still runs, end the loop and the thread. Closing again does nothing.

        Args:
            finish: Awaited on the loop before anything else is cancelled.
        """
        if self._thread is threading.current_thread():
            raise RuntimeError("A loop thread can't be closed from itself: it would wait forever.")
        with self._closing:
            if self._thread.is_alive():
                self._finish = finish
                self.loop.call_soon_threadsafe(self._stop.set)
                self._thread.join()

    def _run(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        async def until_stopped() -> None:
            ready.set_result(asyncio.get_running_loop())
            await self._stop.wait()
            await self._finish()

        try:
            # The runner cancels leftover tasks, ends generators and executors, closes the loop.
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(until_stopped())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)
