"""A capture from the terminal: asks for it, shows its progress, brings the file."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.access.issue import issue_token
from app.client import AsyncReplayClient, ClientError, NoAnswerError
from app.client.answers import ClipAnswer, ProgressAnswer
from app.logs import escaped
from app.settings import Settings

TOKEN_LIFE = timedelta(hours=1)


async def capture(
    settings: Settings, *, room: str, identity: str, last: timedelta, output: Path
) -> int:
    """Captures the last `last` of the share of `identity` into the file `output`.

    The exit code: 0, or 1 with the reason on stderr.
    """
    token = issue_token(settings, identity, room=room, ttl=TOKEN_LIFE)
    try:
        if not output.parent.is_dir():
            raise NotADirectoryError(f"{output}: there is no folder {str(output.parent)!r}")
        async with (
            # no proxy between us and our own service
            httpx.AsyncClient(timeout=30, trust_env=False) as http,
            AsyncReplayClient(settings.base_url, token, http=http) as client,
        ):
            accepted = await client.create_capture(
                room=room, sharer=identity, last=last.total_seconds()
            )
            with _progress() as progress:
                clip = await _follow(client, accepted["id"], progress)
                await _download(client, clip, output, progress)
    except NoAnswerError as error:
        sys.stderr.write(f"{escaped(str(error))}: does the service run, is PUBLIC_URL right?\n")
        return 1
    except (ClientError, OSError) as error:
        sys.stderr.write(f"{escaped(str(error))}\n")
        return 1
    delivered = clip["delivered"]
    sys.stdout.write(
        f"{output}: {delivered['duration_seconds']:.1f} s, {output.stat().st_size} bytes, "
        f"{escaped(delivered['start'])} to {escaped(delivered['end'])}\n"
    )
    return 0


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


async def _follow(client: AsyncReplayClient, capture_id: str, progress: Progress) -> ClipAnswer:
    """The clip, once it is ready."""
    bar = progress.add_task("queued", total=1)

    def tell(state: ProgressAnswer) -> None:
        progress.update(bar, description=state["status"], completed=state["progress"])

    return await client.finish_capture(capture_id, tell)


async def _download(
    client: AsyncReplayClient, clip: ClipAnswer, output: Path, progress: Progress
) -> None:
    part = output.with_name(output.name + ".part")
    bar = progress.add_task("download", total=None)
    try:
        with part.open("wb") as file:
            await client.download_file(
                clip["file_id"],
                file,
                lambda done, size: progress.update(bar, completed=done, total=size),
            )
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
