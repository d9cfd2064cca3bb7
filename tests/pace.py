"""How fast this machine is at the moment, for what is promised in seconds."""

from __future__ import annotations

import gc
import hashlib
import threading
import time
from typing import Self

WORK = bytes(2 << 20)
REST_SECONDS = 0.2


class Pace:
    """Measures, within a block, how long things take and how much of that the machine is to blame.

    Every now and then it does a piece of work of a millisecond or two. What that takes longer than
    it occupies a processor, others have taken: other programs, or a limit on this one.
    """

    def __enter__(self) -> Self:
        self._worked = self._passed = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)
        self._thread.start()
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        self._over.set()
        self._thread.join()

    @property
    def slowdown(self) -> float:
        """1 on a machine that does nothing else; 10 where a tenth of a processor is left."""
        return max(1.0, self._passed / self._worked)

    @property
    def fair_seconds(self) -> float:
        """What it would have taken on a machine that does nothing else, or less."""
        return self.seconds / self.slowdown

    def _measure(self) -> None:
        while True:
            work, clock = time.thread_time(), time.monotonic()
            hashlib.sha256(WORK).digest()  # without the interpreter's lock
            self._worked += time.thread_time() - work
            self._passed += time.monotonic() - clock
            if self._over.wait(REST_SECONDS):
                return


class ProcessorTime:
    """Measures what a block costs of a processor in this thread, whoever else runs.

    Nothing is collected meanwhile: what other tests have left is none of its cost.
    """

    def __enter__(self) -> Self:
        gc.disable()
        self._began = time.thread_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.thread_time() - self._began
        gc.enable()
