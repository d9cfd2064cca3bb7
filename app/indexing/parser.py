"""Segments prepared in processes of their own: see `app.indexing.parser_program`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TypeVar

from app.indexing.parser_messages import FRAGMENT_BYTES, Implausible, Parsed, Request, unpack
from app.media.copying import Copier
from app.media.faults import Fault, Unpreparable
from app.models import FaultSlug
from app.processes.bound_pool import LimitReached, ProgramAnswer, ProgramEnded
from app.processes.bound_process import Limits
from app.processes.shared_pool import SharedPool
from app.work.places import Stint, WorkPlaces

PROGRAM = "app.indexing.parser_program"
LIMITS = Limits(memory_bytes=2**30, file_bytes=FRAGMENT_BYTES, files=16)
"""A segment of 64 MiB takes a fifth of this memory."""

_Made = TypeVar("_Made")


class Parser:
    """The parser of one indexer, until it is closed."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._pool = SharedPool(program, LIMITS)
        self._places = WorkPlaces()

    def prepare(self) -> Future[None]:
        """Starts it, so that the first segment needn't wait for it: OSError if it can't be."""
        return self._pool.prepare()

    async def work(self, session_id: str, work: Callable[[Stint], _Made]) -> _Made:
        """What `work` makes of a session's segment, in a thread, when it is the session's turn.

        It may be called twice: see `app.work.places`. No more than one segment of a session is
        worked on at a time.
        """
        piece = self._places.piece(session_id, session_id)
        return await piece.run(lambda stint: self._pool.in_thread(stint, work, stint))

    def parse(self, stint: Stint, request: Request, given: int, made: int) -> Parsed:
        """Makes the segment in the open file `given` into its fragment, in the empty file `made`.

        Blocks: see `work`. Raises Unpreparable, PutOff, OSError if no parser can be started or the
        fragment can't be written.
        """
        try:
            try:
                return self._asked(stint, request, given, made)
            except LimitReached:
                raise
            except ProgramEnded:
                # What is copied alone is not lost because of a decoder.
                return self._asked(stint, replace(request, measures=False), given, made)
        except ProgramEnded as error:
            fault = Fault(FaultSlug.CORRUPT, f"the process that parsed it: {error}")
            raise Unpreparable(request.path, [fault]) from error

    def _asked(self, stint: Stint, request: Request, given: int, made: int) -> Parsed:
        take = partial(_take, request=request, made=made)
        return self._pool.ask(stint, request.pack(), given, take)

    def close(self) -> None:
        """Ends it, within a segment too. From now on asking raises OSError."""
        self._pool.close()


def _take(answer: ProgramAnswer, request: Request, made: int) -> Parsed:
    try:
        found = unpack(answer.message, request)
    except Implausible as error:
        raise ProgramEnded(str(error)) from error
    if not isinstance(found, Parsed):
        raise Unpreparable(request.path, found)
    _copy(answer.output, made, found.size_bytes)
    return found


def _copy(output: int, made: int, size_bytes: int) -> None:
    """Raises ProgramEnded if there are fewer bytes, OSError if they can't be written."""
    copy, copied = Copier(), 0
    while copied < size_bytes:
        count = copy(output, made, copied, size_bytes - copied)
        if count == 0:
            os.ftruncate(made, 0)
            os.lseek(made, 0, os.SEEK_SET)
            raise ProgramEnded(f"it wrote {copied} bytes of {size_bytes}")
        copied += count
