"""The client that awaits. The one that blocks is made of this text."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, BinaryIO, Generic, ParamSpec, Self, TypeVar

import httpx

from . import operations
from .answers import AnswerPage, ClipAnswer, ProgressAnswer
from .ask import Ask
from .exceptions import CaptureEndedError, NoAnswerError, problem_of
from .server_events import BufferUpdate, EventReader, ServerEvent, buffer_update

AsyncParams = ParamSpec("AsyncParams")
AsyncGot = TypeVar("AsyncGot")

SILENCE_SECONDS = 60.0
"""A stream that says nothing for so long is broken: the service says something every 15 s."""
SHORTEST_PAUSE_SECONDS = 0.1
_FINAL = ("ready", "failed", "cancelled")


class AsyncMethod(Generic[AsyncParams, AsyncGot]):
    """A method of the client: asks what the function of the same name says, for its answer."""

    def __init__(self, ask: Callable[AsyncParams, Ask[AsyncGot]]) -> None:
        self.ask = ask

    def __get__(
        self, client: AsyncReplayClient, owner: type
    ) -> Callable[AsyncParams, Awaitable[AsyncGot]]:
        @wraps(self.ask)
        async def asked(*args: AsyncParams.args, **given: AsyncParams.kwargs) -> AsyncGot:
            return await client.send(self.ask(*args, **given))

        return asked


class AsyncIteration(Generic[AsyncParams, AsyncGot]):
    """A method of the client: everything in a list, page after page."""

    def __init__(self, ask: Callable[AsyncParams, Ask[AnswerPage[AsyncGot]]]) -> None:
        self.ask = ask

    def __get__(
        self, client: AsyncReplayClient, owner: type
    ) -> Callable[AsyncParams, AsyncIterator[AsyncGot]]:
        @wraps(self.ask)
        async def items(
            *args: AsyncParams.args, **given: AsyncParams.kwargs
        ) -> AsyncIterator[AsyncGot]:
            ask: Ask[AnswerPage[AsyncGot]] | None = self.ask(*args, **given)
            while ask is not None:
                page = await client.send(ask)
                for item in page["items"]:
                    yield item
                more = page["next"]
                ask = replace(ask, query={**ask.query, "next": more}) if more else None

        return items


class AsyncReplayClient:
    """Asks the service at `url`, with the token that `token` is, or gives each time it is asked.

    What the service puts off, 429 and 503 with Retry-After, is asked again for up to
    `patience_seconds`. Methods raise ProblemError and NoAnswerError. `http`: another client to send
    with, which stays open.
    """

    get_session = AsyncMethod(operations.get_session)
    list_buffers = AsyncMethod(operations.list_buffers)
    iterate_buffers = AsyncIteration(operations.list_buffers)
    get_buffer = AsyncMethod(operations.get_buffer)
    delete_buffer = AsyncMethod(operations.delete_buffer)
    stop_recording = AsyncMethod(operations.stop_recording)
    resume_recording = AsyncMethod(operations.resume_recording)
    list_markers = AsyncMethod(operations.list_markers)
    create_marker = AsyncMethod(operations.create_marker)
    delete_marker = AsyncMethod(operations.delete_marker)
    get_room_timeline = AsyncMethod(operations.get_room_timeline)
    create_room_captures = AsyncMethod(operations.create_room_captures)
    create_capture = AsyncMethod(operations.create_capture)
    get_capture = AsyncMethod(operations.get_capture)
    cancel_capture = AsyncMethod(operations.cancel_capture)
    list_clips = AsyncMethod(operations.list_clips)
    iterate_clips = AsyncIteration(operations.list_clips)
    get_clip = AsyncMethod(operations.get_clip)
    change_clip = AsyncMethod(operations.change_clip)
    trim_clip = AsyncMethod(operations.trim_clip)
    delete_clip = AsyncMethod(operations.delete_clip)
    restore_clip = AsyncMethod(operations.restore_clip)
    request_clip_deletion = AsyncMethod(operations.request_clip_deletion)
    share_clip = AsyncMethod(operations.share_clip)
    create_archive = AsyncMethod(operations.create_archive)
    get_quota = AsyncMethod(operations.get_quota)
    get_user_quota = AsyncMethod(operations.get_user_quota)
    set_user_quota = AsyncMethod(operations.set_user_quota)

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str | Awaitable[str]],
        *,
        patience_seconds: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._patience_seconds = patience_seconds
        self._http = http or httpx.AsyncClient(timeout=30)
        self._is_own = http is None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends its connections."""
        if self._is_own:
            await self._http.aclose()

    async def send(self, ask: Ask[AsyncGot]) -> AsyncGot:
        """Sends a request; its answer."""
        async with self._answered(ask) as answer:
            await answer.aread()
        try:
            told: Any = answer.json() if answer.content else None
        except ValueError as error:
            raise NoAnswerError(
                f"{self._url} does not answer in JSON: is it the service?"
            ) from error
        return told  # type: ignore[no-any-return]

    async def watch_capture(self, capture_id: str) -> AsyncGenerator[ProgressAnswer, None]:
        """How a capture gets on, until it is over. A broken connection is made again."""
        async with aclosing(self._events(operations.get_capture_events(capture_id))) as events:
            async for event in events:
                if event.name == "capture":
                    progress: ProgressAnswer = event.data
                    yield progress
                    if progress["status"] in _FINAL:
                        return

    async def finish_capture(
        self, capture_id: str, tell: Callable[[ProgressAnswer], None] = lambda _: None
    ) -> ClipAnswer:
        """The clip that a capture becomes; `tell` hears how far it is. Raises CaptureEndedError."""
        async for progress in self.watch_capture(capture_id):
            tell(progress)
        if progress["clip"] is None:
            raise CaptureEndedError(progress)
        return progress["clip"]

    async def watch_buffers(
        self, *, room: str | None = None, sharer: str | None = None
    ) -> AsyncGenerator[BufferUpdate, None]:
        """The buffers as they change, without end. A broken connection is made again."""
        ask = operations.get_buffer_events(room=room, sharer=sharer)
        async with aclosing(self._events(ask)) as events:
            async for event in events:
                if (update := buffer_update(event)) is not None:
                    yield update

    async def download_file(
        self, file_id: str, file: BinaryIO, tell: Callable[[int, int], None] = lambda _, __: None
    ) -> int:
        """Writes a clip's MP4; its size in bytes. `tell` hears how much of how much is there."""
        done = 0
        async with self._answered(operations.get_file(file_id)) as answer:
            size = int(answer.headers.get("Content-Length", 0))
            async for block in answer.aiter_bytes():
                file.write(block)
                done += len(block)
                tell(done, size)
        return done

    async def _events(self, ask: Ask[None]) -> AsyncGenerator[ServerEvent, None]:
        """Events of a stream, and of those that follow it when it ends.

        Raises NoAnswerError if the first says nothing, or all do for as long as the client waits.
        """
        heard, pause = -math.inf, SHORTEST_PAUSE_SECONDS
        while True:
            reader, begun = EventReader(), time.monotonic()
            try:
                async with self._answered(ask, silence_seconds=SILENCE_SECONDS) as answer:
                    async for block in answer.aiter_bytes():
                        for event in reader.read(block):
                            heard, pause = time.monotonic(), SHORTEST_PAUSE_SECONDS
                            yield event
                if heard < begun:
                    raise NoAnswerError(f"{self._url} answers without events: is it the service?")
            except NoAnswerError:
                if time.monotonic() - heard >= self._patience_seconds:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)

    @asynccontextmanager
    async def _answered(
        self, ask: Ask[Any], silence_seconds: float | None = None
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is a success, and not read yet."""
        waited = 0.0
        while True:
            request = self._request(ask, await self._bearer(), silence_seconds)
            try:
                # A clip's bytes may be in a bucket, which is not shown the token.
                answer = await self._http.send(request, stream=True, follow_redirects=True)
                try:
                    if answer.is_success:
                        yield answer
                        return
                    await answer.aread()
                finally:
                    await answer.aclose()
            except httpx.HTTPError as error:
                why = str(error) or type(error).__name__
                raise NoAnswerError(f"no answer from {self._url} ({why})") from error
            problem = problem_of(answer)
            pause = max(problem.retry_after or 0.0, SHORTEST_PAUSE_SECONDS)
            waited += pause
            if not problem.is_put_off or waited > self._patience_seconds:
                raise problem
            await asyncio.sleep(pause)

    async def _bearer(self) -> str:
        if isinstance(self._token, str):
            return self._token
        given = self._token()
        return given if isinstance(given, str) else await given

    def _request(self, ask: Ask[Any], token: str, silence_seconds: float | None) -> httpx.Request:
        headers = {"Authorization": f"Bearer {token}"}
        headers |= {"Idempotency-Key": ask.key} if ask.key else {}
        return self._http.build_request(
            ask.method,
            self._url + ask.path,
            params=dict(ask.query),
            json=None if ask.body is None else dict(ask.body),
            headers=headers,
            timeout=httpx.Timeout(silence_seconds) if silence_seconds else self._http.timeout,
        )
