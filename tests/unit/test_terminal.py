"""The commands for people: what they ask, what they print, and what their exit codes are."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from app.__main__ import main
from app.client import BufferChanged, BufferGone, BuffersListed, ClientError, ReplayClient
from app.errors import ConfigurationError
from app.settings import load, load_terminal
from app.terminal import clip_commands, commands, mark_command, watch_command
from app.terminal.connection import connected

BUFFER: Any = {
    "id": "b", "room": "studio", "sharer": "ann\x1b[2J", "state": "recording", "why": None,
    "media_seconds": 12.3, "newest": None, "started_at": "2", "ended_at": None,
}  # fmt: skip
CLIP: Any = {
    "id": "k", "title": "[red]a\nb", "room": "studio", "sharer": "ann", "created_at": "then",
    "delivered": {"duration_seconds": 30.0}, "link_url": None, "page_url": None,
}  # fmt: skip
SETTINGS = load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32)


class Service:
    """Answers each request with what its path has, and keeps what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/v1/").replace("/", "_").replace("-", "_")
        body = json.loads(request.content) if request.content else dict(request.url.params)
        self.asked.append((request.method, request.url.path, body))
        answer = self.answers[f"{request.method.lower()}_{name}"]
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer)
        return httpx.Response(200, json=answer)

    @property
    def client(self) -> ReplayClient:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return ReplayClient("http://replay.test", "t", http=http)


def page(*items: Any, more: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next": more}


Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What was printed."""
    return lambda: capsys.readouterr().out


def test_clips_are_lines_that_no_title_breaks(said: Said) -> None:
    service = Service(get_clips=page(CLIP, CLIP))
    given = dict.fromkeys(("room", "owner", "sharer", "title"))
    clip_commands.list_clips(service.client, 1, False, **given)
    assert said() == "k  then  30.0 s  studio  ann  [red]a\\nb\n"
    clip_commands.list_clips(service.client, 500, True, **given | {"room": "studio"})
    assert [json.loads(line) for line in said().splitlines()] == [CLIP, CLIP]
    assert [body for _, _, body in service.asked] == [
        {"limit": "1"},
        {"room": "studio", "limit": "200"},
    ]


def test_a_link_that_holds_is_kept_and_a_new_one_is_made_when_asked_for(said: Said) -> None:
    linked = CLIP | {"link_url": "http://r/f", "page_url": "http://r/c/secret"}
    service = Service(get_clips_k=linked, patch_clips_k=linked)
    clip_commands.link_clip(service.client, "k", None, False)
    assert [method for method, _, _ in service.asked] == ["GET"]
    clip_commands.link_clip(service.client, "k", 7.0, False)
    assert service.asked[-1] == ("PATCH", "/v1/clips/k", {"visibility": "link", "link_days": 7.0})
    assert said() == "http://r/c/secret\n" * 2


def test_a_clip_is_posted_in_the_chat(said: Said) -> None:
    told = {"event_id": "e", "message": {"text": "Look"}}
    service = Service(post_clips_k_share=told)
    clip_commands.post_clip(service.client, "k", "general", None, False)
    assert (said(), service.asked[0][2]) == ("e  Look\n", {"channel_id": "general"})


def test_the_newest_share_that_goes_on_is_marked(said: Said) -> None:
    over = BUFFER | {"id": "over", "ended_at": "3", "started_at": "3"}
    marker = {"id": "m", "at": "now", "label": "goal"}
    service = Service(
        get_buffers=page(over, BUFFER | {"id": "old", "started_at": "1"}, BUFFER),
        post_buffers_b_markers=marker,
    )
    mark_command.mark(service.client, "studio", "ann", "goal", False)
    assert (said(), service.asked[-1][2]) == ("m  now  goal\n", {"label": "goal"})
    with pytest.raises(ClientError, match="'ann' shares no screen in 'studio' now"):
        mark_command.mark(Service(get_buffers=page(over)).client, "studio", "ann", None, False)


def test_buffers_are_watched_line_by_line(said: Said) -> None:
    stream = f"event: snapshot\ndata: {json.dumps({'items': [BUFFER]})}\n\n".encode()
    given = {"room": None, "sharer": None}
    watch_command.watch(Service(get_buffers_events=stream).client, True, False, **given)
    assert said() == "b  studio  ann\\x1b[2J  recording    12 s  \n"
    watch_command.watch(Service(get_buffers_events=stream).client, True, True, **given)
    assert json.loads(said()) == {"event": "snapshot", **BUFFER}


def test_the_table_has_the_buffers_that_there_are() -> None:
    known = watch_command.after({}, BuffersListed([BUFFER]))
    known = watch_command.after(known, BufferChanged(BUFFER | {"id": "c", "state": "ended"}))
    assert watch_command.table(known).row_count == 2
    assert list(watch_command.after(known, BufferGone("b"))) == ["c"]


def test_what_goes_wrong_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_: ReplayClient) -> None:
        raise ClientError("no\x1b[2J")

    assert connected(refuse, settings=SETTINGS) == 1
    assert capsys.readouterr().err == "no\\x1b[2J\n"


def test_whoever_has_a_url_and_a_token_needs_no_other_setting() -> None:
    given = load_terminal(_env_file=None, replay_url="https://r.example.com/", replay_token="t")
    assert given.replay_url == "https://r.example.com"
    assert "'t'" not in repr(given)
    with pytest.raises(ConfigurationError, match="REPLAY_URL must be a URL"):
        load_terminal(_env_file=None, replay_url="r.example.com")


def test_no_token_is_sent_in_the_clear_to_another_network() -> None:
    def given(url: str, **more: Any) -> str:
        return load_terminal(_env_file=None, replay_url=url, **more).replay_url

    for url in (
        "http://127.0.0.1:8000",
        "http://10.1.2.3",
        "http://replay",
        "https://r.example.com",
    ):
        assert given(url) == url
    with pytest.raises(ConfigurationError, match=r"REPLAY_URL='http://r\.example\.com' sends what"):
        given("http://r.example.com")
    assert given("http://r.example.com", plain_http_hosts=("r.example.com",))


def test_a_token_that_is_made_here_is_good_for_minutes() -> None:
    """And made anew with each request: a command may go on for hours."""
    tokens: list[str | Callable[[], str]] = []

    def keep(replay: ReplayClient) -> None:
        tokens.append(replay._token)

    assert connected(keep, settings=SETTINGS) == 0
    (token,) = tokens
    text = token if isinstance(token, str) else token()
    claims = jwt.decode(text, options={"verify_signature": False})
    assert claims["exp"] - time.time() <= 600
    assert not isinstance(token, str)


@pytest.mark.parametrize("command", [name for name in commands.COMMANDS if name])
def test_help_tells_where_and_as_whom_is_asked(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    for word in ("REPLAY_URL", "REPLAY_TOKEN", "--json", "Exit code: 0; 1", "78"):
        assert word in told


@pytest.mark.parametrize("arguments", [["clips", "--limit", "0"], ["share"], ["mark", "studio"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_length_of_time_is_read_as_everywhere() -> None:
    assert commands.duration("1m30s").total_seconds() == 90
    with pytest.raises(argparse.ArgumentTypeError):
        commands.duration("soon")


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    from app.terminal import capture_command

    service = Service()
    with pytest.raises(NotADirectoryError, match="there is no folder"):
        capture_command.capture(
            service.client, room="r", identity="a", last=commands.duration("5s"),
            output=tmp_path / "no" / "clip.mp4",
        )  # fmt: skip
    assert service.asked == []
