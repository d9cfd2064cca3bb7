"""How the client for Python asks: pages, what is put off, streams that break, problems.

The one that blocks is made of the one that awaits: what is tried with it holds for both.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from app.client import (
    AsyncReplayClient,
    BufferChanged,
    BufferGone,
    BuffersListed,
    CaptureEndedError,
    NoAnswerError,
    ProblemError,
    ReplayClient,
)
from app.client.server_events import EventReader, ServerEvent

PROBLEM = {"type": "not-found", "title": "There is no such thing", "status": 404, "detail": "'x'"}


class FakeService:
    """Answers one after another, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.left = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, token: str | Callable[[], str] = "t", **given: Any) -> ReplayClient:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return ReplayClient("http://replay.test/", token, http=http, **given)


def problem(status: int, **members: Any) -> httpx.Response:
    return httpx.Response(status, json=PROBLEM | {"status": status} | members)


def events(*told: tuple[str, Any], cut_off: bool = False) -> httpx.Response:
    """A stream as the service sends it, in blocks of seven bytes."""
    lines = [f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n" for name, data in told]
    whole = "".join([": ping\r\n\r\n", *lines]).encode()

    def blocks() -> Iterator[bytes]:
        yield from (whole[at : at + 7] for at in range(0, len(whole), 7))
        if cut_off:
            raise httpx.ReadError("cut off")

    return httpx.Response(200, content=blocks())


def test_a_list_is_gone_through_page_after_page() -> None:
    service = FakeService(
        httpx.Response(200, json={"items": [{"id": "1"}, {"id": "2"}], "next": "n/1"}),
        httpx.Response(200, json={"items": [{"id": "3"}], "next": None}),
    )
    found = [clip["id"] for clip in service.client().iterate_clips(room="a&b")]
    assert found == ["1", "2", "3"]
    asked = [dict(request.url.params) for request in service.asked]
    assert asked == [{"room": "a&b"}, {"room": "a&b", "next": "n/1"}]


def test_what_is_put_off_is_asked_again_with_the_same_key() -> None:
    """By the document's fractions of a second, or by the header."""
    put_off = httpx.Response(503, text="busy", headers={"Retry-After": "0"})
    accepted = httpx.Response(202, json={"id": "c"})
    service = FakeService(problem(429, retry_after=0.05), put_off, accepted)
    assert service.client().create_capture(room="r", last=3)["id"] == "c"
    keys = {request.headers["Idempotency-Key"] for request in service.asked}
    assert (len(keys), len(service.asked)) == (1, 3)


def test_what_is_put_off_for_longer_than_the_client_waits_is_told_at_once() -> None:
    service = FakeService(problem(429, retry_after=31))
    with pytest.raises(ProblemError) as refused:
        service.client().get_quota()
    assert refused.value.retry_after == 31
    assert "try again in 31 s" in str(refused.value)


@pytest.mark.parametrize("answer", [problem(409, retry_after=0), httpx.Response(503, text="proxy")])
def test_what_may_have_been_done_or_is_no_matter_of_time_is_not_asked_again(
    answer: httpx.Response,
) -> None:
    service = FakeService(answer)
    with pytest.raises(ProblemError):
        service.client().delete_clip("x")
    assert len(service.asked) == 1


def test_a_problem_is_an_exception_with_its_type() -> None:
    with pytest.raises(ProblemError) as refused:
        FakeService(problem(404)).client().get_clip("x")
    error = refused.value
    assert (error.status, error.type, error.detail) == (404, "not-found", "'x'")
    assert str(error) == "404 There is no such thing: 'x'"


def test_an_answer_of_somebody_else_is_told_as_such() -> None:
    with pytest.raises(ProblemError) as refused:
        FakeService(httpx.Response(502, text="<h1>Bad gateway</h1>" * 50)).client().get_clip("x")
    assert (refused.value.type, len(refused.value.detail)) == ("", 200)
    with pytest.raises(NoAnswerError, match="is it the service"):
        FakeService(httpx.Response(200, text="<html>")).client().get_clip("x")


def test_nobody_answers() -> None:
    for service in (FakeService(httpx.ConnectError("refused")), FakeService(httpx.ReadTimeout(""))):
        with pytest.raises(NoAnswerError, match=r"no answer from http://replay\.test "):
            service.client().get_quota()


def test_a_token_may_be_a_function() -> None:
    tokens = iter(["one", "two"])
    service = FakeService(httpx.Response(204), httpx.Response(204))
    client = service.client(lambda: next(tokens))
    client.delete_clip("x")
    client.delete_clip("x")
    sent = [request.headers["Authorization"] for request in service.asked]
    assert sent == ["Bearer one", "Bearer two"]


def progress(status: str, **given: Any) -> tuple[str, dict[str, Any]]:
    told = {"status": status, "progress": 0.5, "clip": None, "reason": None, "detail": ""}
    return "capture", told | given


def test_a_capture_is_followed_over_broken_connections() -> None:
    service = FakeService(
        events(progress("queued"), cut_off=True),
        httpx.ConnectError("it starts again"),
        events(progress("running")),
        events(progress("ready", clip={"id": "k", "title": "a\u2028b\x85c"})),
    )
    heard: list[str] = []
    clip = service.client().finish_capture("c", lambda state: heard.append(state["status"]))
    assert (clip["title"], heard) == ("a\u2028b\x85c", ["queued", "running", "ready"])


def test_a_capture_without_a_clip_is_an_exception() -> None:
    service = FakeService(events(progress("failed", reason="disk")))
    with pytest.raises(CaptureEndedError, match="the capture is failed: disk") as ended:
        service.client().finish_capture("c")
    assert ended.value.progress["status"] == "failed"


def test_buffers_are_watched_without_end() -> None:
    """Events that a later release adds are passed over; each connection begins with all."""
    listed: tuple[str, Any] = ("snapshot", {"items": []})
    gone = ("gone", {"id": "b"})
    service = FakeService(events(listed, ("new", 1), ("buffer", {"id": "b"}), gone), events(listed))
    with closing(service.client().watch_buffers(room="r")) as updates:
        heard: list[Any] = [next(updates) for _ in range(4)]
    assert [type(each) for each in heard] == [
        BuffersListed, BufferChanged, BufferGone, BuffersListed,
    ]  # fmt: skip


def test_a_stream_that_never_was_is_told_at_once() -> None:
    service = FakeService(httpx.ConnectError("refused"))
    with pytest.raises(NoAnswerError), closing(service.client().watch_buffers()) as updates:
        next(updates)


def test_a_stream_that_is_a_page_of_somebody_else_is_told_at_once() -> None:
    """Pages that are given for any path say 200, too."""
    page = "<!doctype html>\n<html></html>\n"
    service = FakeService(*(httpx.Response(200, text=page) for _ in range(9)))
    with pytest.raises(NoAnswerError, match=r"replay\.test answers without events: is it the"):
        service.client().finish_capture("c")
    assert len(service.asked) == 1


def test_a_stream_whose_token_has_ended_is_told() -> None:
    service = FakeService(events(("snapshot", {"items": []})), problem(401, type="unauthorized"))
    with closing(service.client().watch_buffers()) as updates:
        next(updates)
        with pytest.raises(ProblemError, match="401"):
            next(updates)


def test_a_file_is_brought_block_by_block() -> None:
    service, file = FakeService(httpx.Response(200, content=b"x" * 100)), io.BytesIO()
    heard: list[tuple[int, int]] = []
    assert service.client().download_file("f", file, lambda *now: heard.append(now)) == 100
    assert (file.getvalue(), heard[-1]) == (b"x" * 100, (100, 100))


def test_an_event_is_read_wherever_its_blocks_end() -> None:
    text = 'event: buffer\r\ndata: {"id": "é"}\r\n\r\n'.encode()
    for at in range(len(text)):
        reader = EventReader()
        found = [*reader.read(text[:at]), *reader.read(text[at:])]
        assert found == [ServerEvent("buffer", {"id": "é"})]


async def test_the_one_that_awaits_does_the_same() -> None:
    service = FakeService(
        problem(429, retry_after=0),
        httpx.Response(200, json={"items": [{"id": "1"}], "next": "n"}),
        httpx.Response(200, json={"items": [{"id": "2"}], "next": None}),
    )
    http = httpx.AsyncClient(transport=httpx.MockTransport(service))
    async with http, AsyncReplayClient("http://replay.test", "t", http=http) as client:
        assert [clip["id"] async for clip in client.iterate_clips()] == ["1", "2"]


async def test_the_token_of_the_one_that_awaits_may_be_awaited_too() -> None:
    service = FakeService(httpx.Response(204), httpx.Response(204))

    async def fetched() -> str:
        return "fetched"

    http = httpx.AsyncClient(transport=httpx.MockTransport(service))
    async with http:
        for token in (fetched, lambda: "given"):
            await AsyncReplayClient("http://replay.test", token, http=http).delete_clip("x")
    sent = [request.headers["Authorization"] for request in service.asked]
    assert sent == ["Bearer fetched", "Bearer given"]
