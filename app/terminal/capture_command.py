"""A capture from the terminal: asks for it, shows its progress, brings the file."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.client import ReplayClient
from app.client.answers import AcceptedAnswer, ClipAnswer, ProgressAnswer
from app.terminal.connection import print_json, print_line


def capture(
    replay: ReplayClient,
    *,
    room: str,
    identity: str,
    last: timedelta,
    output: Path,
    as_json: bool = False,
) -> None:
    """Captures the last `last` of the share of `identity` into the file `output`."""
    if not output.parent.is_dir():
        raise NotADirectoryError(f"{output}: there is no folder {str(output.parent)!r}")
    accepted = replay.create_capture(room=room, sharer=identity, last=last.total_seconds())
    with _progress() as progress:
        clip = _follow(replay, accepted, progress)
        _download(replay, clip, output, progress)
    if as_json:
        print_json(clip)
        return
    delivered = clip["delivered"]
    print_line(
        f"{output}: {delivered['duration_seconds']:.1f} s, {output.stat().st_size} bytes, "
        f"{delivered['start']} to {delivered['end']}"
    )


def _progress() -> Progress:
    """A bar on a terminal; elsewhere nothing, since a bar in a log is noise."""
    return Progress(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


def _follow(replay: ReplayClient, accepted: AcceptedAnswer, progress: Progress) -> ClipAnswer:
    """The clip, once it is ready."""
    bar = progress.add_task(accepted["status"], total=1)

    def tell(state: ProgressAnswer) -> None:
        progress.update(bar, description=state["status"], completed=state["progress"])

    return replay.finish_capture(accepted["id"], tell)


def _download(replay: ReplayClient, clip: ClipAnswer, output: Path, progress: Progress) -> None:
    part = output.with_name(output.name + ".part")
    bar = progress.add_task("download", total=None)
    try:
        with part.open("wb") as file:
            replay.download_file(
                clip["file_id"],
                file,
                lambda done, size: progress.update(bar, completed=done, total=size),
            )
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
