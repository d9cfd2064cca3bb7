"""The client that blocks: `python -m tests.client_types` writes this."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, BinaryIO, Generic, ParamSpec, Self, TypeVar

import httpx

from . import operations
from .answers import AnswerPage, ClipAnswer, ProgressAnswer
from .ask import Ask
from .exceptions import CaptureEndedError, NoAnswerError, problem_of
from .server_events import BufferUpdate, EventReader, ServerEvent, buffer_update

Params = ParamSpec("Params")
Got = TypeVar("Got")

SILENCE_SECONDS = 60.0
"""A stream that says nothing for so long is broken: the service says something every 15 s."""
SHORTEST_PAUSE_SECONDS = 0.1
_FINAL = ("ready", "failed", "cancelled")


class Method(Generic[Params, Got]):
    """A method of the client: asks what the function of the same name says, for its answer."""

    def __init__(self, ask: Callable[Params, Ask[Got]]) -> None:
        self.ask = ask

    def __get__(self, client: ReplayClient, owner: type) -> Callable[Params, Got]:
        @wraps(self.ask)
        def asked(*args: Params.args, **given: Params.kwargs) -> Got:
            return client.send(self.ask(*args, **given))

        return asked


class Iteration(Generic[Params, Got]):
    """A method of the client: everything in a list, page after page."""

    def __init__(self, ask: Callable[Params, Ask[AnswerPage[Got]]]) -> None:
        self.ask = ask

    def __get__(self, client: ReplayClient, owner: type) -> Callable[Params, Iterator[Got]]:
        @wraps(self.ask)
        def items(*args: Params.args, **given: Params.kwargs) -> Iterator[Got]:
            ask: Ask[AnswerPage[Got]] | None = self.ask(*args, **given)
            while ask is not None:
                page = client.send(ask)
                yield from page["items"]
                more = page["next"]
                ask = replace(ask, query={**ask.query, "next": more}) if more else None

        return items


class ReplayClient:
    """Asks the service at `url`, with the token that `token` is, or gives each time it is asked.

    What the service puts off, 429 and 503 with Retry-After, is asked again for up to
    `patience_seconds`. Methods raise ProblemError and NoAnswerError. `http`: another client to send
    with, which stays open.
    """

    get_session = Method(operations.get_session)
    list_buffers = Method(operations.list_buffers)
    iterate_buffers = Iteration(operations.list_buffers)
    get_buffer = Method(operations.get_buffer)
    delete_buffer = Method(operations.delete_buffer)
    stop_recording = Method(operations.stop_recording)
    resume_recording = Method(operations.resume_recording)
    list_markers = Method(operations.list_markers)
    create_marker = Method(operations.create_marker)
    delete_marker = Method(operations.delete_marker)
    get_room_timeline = Method(operations.get_room_timeline)
    create_room_captures = Method(operations.create_room_captures)
    create_capture = Method(operations.create_capture)
    get_capture = Method(operations.get_capture)
    cancel_capture = Method(operations.cancel_capture)
    list_clips = Method(operations.list_clips)
    iterate_clips = Iteration(operations.list_clips)
    get_clip = Method(operations.get_clip)
    change_clip = Method(operations.change_clip)
    trim_clip = Method(operations.trim_clip)
    delete_clip = Method(operations.delete_clip)
    restore_clip = Method(operations.restore_clip)
    request_clip_deletion = Method(operations.request_clip_deletion)
    share_clip = Method(operations.share_clip)
    create_archive = Method(operations.create_archive)
    get_quota = Method(operations.get_quota)
    get_user_quota = Method(operations.get_user_quota)
    set_user_quota = Method(operations.set_user_quota)

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        *,
        patience_seconds: float = 30.0,
        http: httpx.Client | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._patience_seconds = patience_seconds
        self._http = http or httpx.Client(timeout=30)
        self._is_own = http is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends its connections."""
        if self._is_own:
            self._http.close()

    def send(self, ask: Ask[Got]) -> Got:
        """Sends a request; its answer."""
        with self._answered(ask) as answer:
            answer.read()
        try:
            told: Any = answer.json() if answer.content else None
        except ValueError as error:
            raise NoAnswerError(
                f"{self._url} does not answer in JSON: is it the service?"
            ) from error
        return told  # type: ignore[no-any-return]

    def watch_capture(self, capture_id: str) -> Generator[ProgressAnswer, None, None]:
        """How a capture gets on, until it is over. A broken connection is made again."""
        with closing(self._events(operations.get_capture_events(capture_id))) as events:
            for event in events:
                if event.name == "capture":
                    progress: ProgressAnswer = event.data
                    yield progress
                    if progress["status"] in _FINAL:
                        return

    def finish_capture(
        self, capture_id: str, tell: Callable[[ProgressAnswer], None] = lambda _: None
    ) -> ClipAnswer:
        """The clip that a capture becomes; `tell` hears how far it is. Raises CaptureEndedError."""
        for progress in self.watch_capture(capture_id):
            tell(progress)
        if progress["clip"] is None:
            raise CaptureEndedError(progress)
        return progress["clip"]

    def watch_buffers(
        self, *, room: str | None = None, sharer: str | None = None
    ) -> Generator[BufferUpdate, None, None]:
        """The buffers as they change, without end. A broken connection is made again."""
        ask = operations.get_buffer_events(room=room, sharer=sharer)
        with closing(self._events(ask)) as events:
            for event in events:
                if (update := buffer_update(event)) is not None:
                    yield update

    def download_file(
        self, file_id: str, file: BinaryIO, tell: Callable[[int, int], None] = lambda _, __: None
    ) -> int:
        """Writes a clip's MP4; its size in bytes. `tell` hears how much of how much is there."""
        done = 0
        with self._answered(operations.get_file(file_id)) as answer:
            size = int(answer.headers.get("Content-Length", 0))
            for block in answer.iter_bytes():
                file.write(block)
                done += len(block)
                tell(done, size)
        return done

    def _events(self, ask: Ask[None]) -> Generator[ServerEvent, None, None]:
        """Events of a stream, and of those that follow it when it ends.

        Raises NoAnswerError if the first says nothing, or all do for as long as the client waits.
        """
        heard, pause = -math.inf, SHORTEST_PAUSE_SECONDS
        while True:
            reader, begun = EventReader(), time.monotonic()
            try:
                with self._answered(ask, silence_seconds=SILENCE_SECONDS) as answer:
                    for block in answer.iter_bytes():
                        for event in reader.read(block):
                            heard, pause = time.monotonic(), SHORTEST_PAUSE_SECONDS
                            yield event
                if heard < begun:
                    raise NoAnswerError(f"{self._url} answers without events: is it the service?")
            except NoAnswerError:
                if time.monotonic() - heard >= self._patience_seconds:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 5.0)

    @contextmanager
    def _answered(
        self, ask: Ask[Any], silence_seconds: float | None = None
    ) -> Iterator[httpx.Response]:
        """An answer that is a success, and not read yet."""
        waited = 0.0
        while True:
            request = self._request(ask, self._bearer(), silence_seconds)
            try:
                # A clip's bytes may be in a bucket, which is not shown the token.
                answer = self._http.send(request, stream=True, follow_redirects=True)
                try:
                    if answer.is_success:
                        yield answer
                        return
                    answer.read()
                finally:
                    answer.close()
            except httpx.HTTPError as error:
                why = str(error) or type(error).__name__
                raise NoAnswerError(f"no answer from {self._url} ({why})") from error
            problem = problem_of(answer)
            pause = max(problem.retry_after or 0.0, SHORTEST_PAUSE_SECONDS)
            waited += pause
            if not problem.is_put_off or waited > self._patience_seconds:
                raise problem
            time.sleep(pause)

    def _bearer(self) -> str:
        if isinstance(self._token, str):
            return self._token
        return self._token()

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
