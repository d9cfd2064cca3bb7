"""Whether a peer takes what is sent to it."""

from __future__ import annotations

import asyncio
import sys
from array import array
from collections.abc import Callable

if sys.platform == "linux":
    import fcntl
    import termios


class StallWatch:
    """Calls `stalled` once `seconds` pass in which the peer takes no byte of what waits for it.

    For a transport above its high-water mark: nothing is added to its data until that is taken, so
    the data gets less or the peer is stuck. To be made, started and stopped in the event loop.
    """

    def __init__(
        self, transport: asyncio.Transport, seconds: float, stalled: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._seconds = seconds
        self._stalled = stalled
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.stop()
        self._left = self._untaken()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._untaken() < self._left:
            self.start()
        else:
            self._timer = None
            self._stalled()

    def _untaken(self) -> int:
        """Bytes that the peer has not acknowledged.

        The kernel's are among them: it asks for more only when a third of its megabytes is gone,
        which a slow reader may need minutes for.
        """
        size = self._transport.get_write_buffer_size()
        socket = self._transport.get_extra_info("socket")
        if sys.platform == "linux" and socket is not None:
            queued = array("i", [0])
            fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, queued)
            size += queued[0]
        return size
