"""How far a capture is, written into its row by the worker that makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from app.captures.capture_leases import Lease
from app.captures.row_leases import RowLease
from app.models import CaptureResult, CaptureStage, CaptureStatus

WRITE_SECONDS = 0.5

_Outcome = TypeVar("_Outcome")


class Fraction:
    """How much of the work is done, set from any thread. Here it is `begin` to `end` of all."""

    def __init__(self, begin: float = 0.0, end: float = 1.0) -> None:
        self.done = begin
        self._begin, self._length = begin, end - begin

    def set(self, done: float) -> None:
        """`done`: 0 to 1 of this part."""
        self.done = self._begin + self._length * done


class WorkReport(Protocol):
    """Who hears how far some work is. Each method raises Lost when it is to be given up."""

    async def stage(self, stage: CaptureStage) -> None:
        """The next part of the work begins."""

    async def watch(self, work: Coroutine[Any, Any, _Outcome], fraction: Fraction) -> _Outcome:
        """The outcome of `work`, whose `fraction` is told meanwhile.

        The work is cancelled, and has ended, when it is to be given up or when this is cancelled.
        """


class Report:
    """The row of a capture that is being made. Each method raises Lost when the lease is."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    async def begin(self) -> None:
        """The capture is running."""
        await self._lease.move(CaptureStatus.RUNNING, {"stage": CaptureStage.COPYING})

    async def stage(self, stage: CaptureStage) -> None:
        """The next part of the work begins."""
        await self._lease.change({"stage": stage})

    async def result(self, result: CaptureResult) -> None:
        """The file is there and verified, and has not got its name yet."""
        fields = {"result": result, "stage": CaptureStage.FINISHING}
        await self._lease.change(fields, result=None)

    async def watch(self, work: Coroutine[Any, Any, _Outcome], fraction: Fraction) -> _Outcome:
        """The outcome of `work`, whose `fraction` is written meanwhile, as `watched` has it."""
        return await watched(self._lease, work, fraction)


async def watched(
    lease: RowLease[Any], work: Coroutine[Any, Any, _Outcome], fraction: Fraction
) -> _Outcome:
    """The outcome of `work`, whose `fraction` is written into the row of a lease meanwhile.

    The work is cancelled, and has ended, when the lease is lost or when this is cancelled.
    """
    task = asyncio.create_task(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=WRITE_SECONDS)
            if done:
                return task.result()
            if lease.lost.is_set():
                raise lease.lose()
            await lease.change({"progress": round(fraction.done, 3)})
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
