"""A transport as answers write to it: it knows whether it took all that it was given."""

import asyncio


class Pen(asyncio.Transport):
    """Writes, and notes at once when a write was refused.

    uvicorn closes the connection right after the last write of an answer that ends it, so that
    a closed connection is no sign of a failed write a moment later.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Write to this transport."""
        super().__init__()
        self.refused = False
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See asyncio.WriteTransport.write."""
        self._transport.write(data)
        # A write that fails closes the transport within the call, and a closed one drops all.
        if self._transport.is_closing():
            self.refused = True

    def close(self) -> None:
        """See asyncio.BaseTransport.close."""
        self._transport.close()

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport.is_closing."""
        return self._transport.is_closing()
