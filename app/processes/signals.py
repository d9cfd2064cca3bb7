"""Running a program's main coroutine until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any


def run_until_signalled(
    work: Coroutine[Any, Any, int | None],
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Runs `work` to its end, or until SIGTERM or SIGINT cancel it; its exit code.

    `loop`: makes the event loop that it runs in, if not asyncio's own.
    """

    async def run() -> int:
        task = asyncio.create_task(work)

        def end() -> None:
            # Once: a second signal must not interrupt the orderly end.
            if not task.cancelling():
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end)
        try:
            return await task or 0
        except asyncio.CancelledError:
            if not task.cancelling():
                raise  # not ours: a defect within `work`
            return 0

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(run())
