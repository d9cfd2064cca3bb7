"""Whether more is read from a connection: the application may stop that, and so may its protocol.

uvicorn's own control goes on as soon as the application wants more, however much waits unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl


class ReadingFlow(FlowControl):
    """Nothing is read while the application has enough, or while reading is held."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(transport)
        self._loop = loop
        self._is_due = False
        self._is_held = False
        self._has_enough = False

    def hold(self) -> None:
        """Reads nothing until `release`."""
        self._is_held = True
        super().pause_reading()

    def hold_for_a_round(self, go_on: Callable[[], None]) -> None:
        """Reads nothing until the event loop's next round, in which `go_on` is called."""
        self.hold()
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._end_round, go_on)

    def _end_round(self, go_on: Callable[[], None]) -> None:
        self._is_due = False
        go_on()

    def release(self) -> None:
        """Reads on, unless the application has enough."""
        self._is_held = False
        if not self._has_enough:
            super().resume_reading()

    def pause_reading(self) -> None:
        """The application has enough."""
        self._has_enough = True
        super().pause_reading()

    def resume_reading(self) -> None:
        """The application wants more."""
        self._has_enough = False
        if not self._is_held:
            super().resume_reading()
