"""A capture from the terminal: asks the HTTP API, shows its progress, brings the file."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app.access.issue import issue_token
from app.logs import escaped
from app.models import CaptureStatus
from app.settings import Settings

TOKEN_LIFE = timedelta(hours=1)


class CaptureError(Exception):
    """The clip could not be made or brought; the text says why."""


async def capture(
    settings: Settings, *, room: str, identity: str, last: timedelta, output: Path
) -> int:
    """Captures the last `last` of the share of `identity` into the file `output`.

    The exit code: 0, or 1 with the reason on stderr.
    """
    token = issue_token(settings, identity, room=room, ttl=TOKEN_LIFE)
    request = {"room": room, "sharer": identity, "last": last.total_seconds()}
    try:
        if not output.parent.is_dir():
            raise CaptureError(f"{output}: there is no folder {str(output.parent)!r}")
        async with httpx.AsyncClient(
            base_url=settings.base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(30),
            trust_env=False,  # no proxy between us and our own service
        ) as client:
            capture_id = await _request(client, request)
            with _progress() as progress:
                clip = await _follow(client, capture_id, progress)
                await _download(client, clip, output, progress)
    except httpx.HTTPError as error:
        reason = f"no answer from {settings.base_url} ({error or type(error).__name__})"
        sys.stderr.write(f"{reason}: does the service run, is PUBLIC_URL right?\n")
        return 1
    except (CaptureError, OSError) as error:
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


async def _request(client: httpx.AsyncClient, request: dict[str, Any]) -> str:
    answer = await client.post("/v1/captures", json=request)
    await _check(answer)
    return str(answer.json()["id"])


async def _follow(client: httpx.AsyncClient, capture_id: str, progress: Progress) -> dict[str, Any]:
    """The clip's description, once it is ready."""
    bar = progress.add_task(CaptureStatus.QUEUED, total=1)
    url = f"/v1/captures/{capture_id}/events"
    # The server says something at least every few seconds; silence for 60 is a dead connection.
    async with client.stream("GET", url, timeout=httpx.Timeout(60)) as answer:
        await _check(answer)
        async for state in _states(answer):
            status = state["status"]
            progress.update(bar, description=status, completed=state["progress"])
            if status == CaptureStatus.READY:
                return await _clip(client, state["clip"])
            if status not in CaptureStatus.unfinished():
                raise CaptureError(f"the capture is {status}: {state['reason']}")
    raise CaptureError(f"the service ended its report early: see GET {url.removesuffix('/events')}")


async def _clip(client: httpx.AsyncClient, clip: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(clip, dict):
        return clip
    answer = await client.get(f"/v1/clips/{clip}")
    await _check(answer)
    body: dict[str, Any] = answer.json()
    return body


async def _states(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The capture's states out of a server-sent event stream."""
    event = ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            event = value.strip()
        elif field == "data" and event == "capture":
            yield json.loads(value)


async def _download(
    client: httpx.AsyncClient, clip: dict[str, Any], output: Path, progress: Progress
) -> None:
    part = output.with_name(output.name + ".part")
    try:
        async with client.stream("GET", f"/v1/files/{clip['file_id']}") as answer:
            await _check(answer)
            size = int(answer.headers["Content-Length"])
            bar: TaskID = progress.add_task("download", total=size)
            with part.open("wb") as file:
                async for block in answer.aiter_bytes():
                    file.write(block)
                    progress.advance(bar, len(block))
        if part.stat().st_size != size:
            raise CaptureError(f"got {part.stat().st_size} of {size} bytes")
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


async def _check(answer: httpx.Response) -> None:
    """Raises CaptureError with the words of the problem document (RFC 9457) of an error."""
    if answer.is_success:
        return
    await answer.aread()
    try:
        problem = answer.json()
        text = f"{problem['title']}: {problem['detail']}"
        if "retry_after" in problem:
            text += f" (try again in {problem['retry_after']:g} s)"
    except (ValueError, KeyError, TypeError):  # not ours: a proxy's page, another program
        text = answer.text[:200]
    raise CaptureError(f"{answer.status_code} {text}")
