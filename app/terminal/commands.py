"""The commands for people: what each takes, and which module does it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.models.durations import parse_duration

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

_WHERE = """\
Asked is the service at REPLAY_URL, with the token in REPLAY_TOKEN. Without REPLAY_URL, the one of
PUBLIC_URL, or of HOST and PORT; without REPLAY_TOKEN, with a token that is made here by
LIVEKIT_API_KEY and LIVEKIT_API_SECRET: {who}.
Exit code: 0; 1 if it fails, with the reason on stderr; 2 for wrong arguments; 78 for settings."""
_SHARER, _ADMIN = "the sharer's, for the room", "an admin's of the whole instance"


def add_parsers(parsers: Parsers) -> None:
    """Adds each command's arguments."""
    capture = _added(parsers, "capture", "make a clip of a share", _SHARER)
    _name_share(capture)
    capture.add_argument("--last", type=duration, required=True, help="how much: 90s, 2m, 1m30s")
    capture.add_argument("-o", "--output", required=True, metavar="FILE", help="where to put it")
    clips = _added(parsers, "clips", "list clips, the newest first", _ADMIN)
    clips.add_argument("--room", help="only those that were made in this room")
    clips.add_argument("--owner", help="only this one's")
    clips.add_argument("--sharer", help="only of this one's shares")
    clips.add_argument("--title", help="only those whose title has this in it")
    clips.add_argument("--limit", type=_count, default=50, help="at most so many; default: 50")
    share = _added(parsers, "share", "open a clip to whoever has its link", _ADMIN)
    share.add_argument("clip", metavar="CLIP", help="the clip's id, as `clips` tells it")
    share.add_argument("--days", type=float, help="how long the link holds; default: LINK_DAYS")
    share.add_argument("--channel", help="post it in this channel of the chat, in place of a link")
    share.add_argument("--text", help="the words beside it there")
    mark = _added(parsers, "mark", "mark the present moment of a share", _SHARER)
    _name_share(mark)
    mark.add_argument("--label", help="what it is")
    watch = _added(parsers, "watch", "show the buffers as they change, until Ctrl-C", _ADMIN)
    watch.add_argument("--room", help="only of this room")
    watch.add_argument("--sharer", help="only this one's")
    watch.add_argument("--once", action="store_true", help="only as they are now")


def duration(text: str) -> timedelta:
    """A length of time that an argument says."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of clips: write 1 or more")
    return int(text)


def _added(parsers: Parsers, name: str, what: str, who: str) -> argparse.ArgumentParser:
    parser = parsers.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=_WHERE.format(who=who),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    form = "one object of JSON a line, as the service tells it, in place of words"
    parser.add_argument("--json", action="store_true", help=form)
    return parser


def _name_share(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("room", metavar="ROOM")
    parser.add_argument("identity", metavar="IDENTITY", help="whose share")


# As in `python -m app`: each imports what it needs itself.


def _capture(arguments: argparse.Namespace) -> int:
    from app.terminal import capture_command
    from app.terminal.connection import connected

    return connected(
        lambda replay: capture_command.capture(
            replay,
            room=arguments.room,
            identity=arguments.identity,
            last=arguments.last,
            output=Path(arguments.output),
            as_json=arguments.json,
        ),
        room=arguments.room,
        identity=arguments.identity,
    )


def _clips(arguments: argparse.Namespace) -> int:
    from app.terminal import clip_commands
    from app.terminal.connection import connected

    given = {name: getattr(arguments, name) for name in ("room", "owner", "sharer", "title")}
    limit, as_json = arguments.limit, arguments.json
    return connected(lambda replay: clip_commands.list_clips(replay, limit, as_json, **given))


def _share(arguments: argparse.Namespace) -> int:
    from app.terminal import clip_commands
    from app.terminal.connection import connected

    clip, as_json = arguments.clip, arguments.json
    if arguments.channel is not None:
        channel, text = arguments.channel, arguments.text
        return connected(
            lambda replay: clip_commands.post_clip(replay, clip, channel, text, as_json)
        )
    return connected(lambda replay: clip_commands.link_clip(replay, clip, arguments.days, as_json))


def _mark(arguments: argparse.Namespace) -> int:
    from app.terminal import mark_command
    from app.terminal.connection import connected

    room, identity = arguments.room, arguments.identity
    label, as_json = arguments.label, arguments.json
    return connected(
        lambda replay: mark_command.mark(replay, room, identity, label, as_json),
        room=room,
        identity=identity,
    )


def _watch(arguments: argparse.Namespace) -> int:
    from app.terminal import watch_command
    from app.terminal.connection import connected

    given = {"room": arguments.room, "sharer": arguments.sharer}
    once, as_json = arguments.once, arguments.json
    return connected(lambda replay: watch_command.watch(replay, once, as_json, **given))


COMMANDS: dict[str | None, Callable[[argparse.Namespace], int]] = {
    "capture": _capture,
    "clips": _clips,
    "share": _share,
    "mark": _mark,
    "watch": _watch,
}
