"""File events: which sessions' playlists were written just now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path, PurePath

from watchfiles import Change, awatch

from app.buffer.paths import FULL_PLAYLIST, LIVE_PLAYLIST, instance_of

DEBOUNCE_MILLISECONDS = 100
STEP_MILLISECONDS = 10
SILENT_FINDS = 3


class EventsUnavailable(Exception):
    """The system gives no file events, for instance because its limit of watches is reached."""


async def changed_sessions(root: Path, stop: asyncio.Event) -> AsyncIterator[set[str]]:
    """The ids of sessions whose playlists changed, of any installation, until `stop` is set.

    Scan as well: watchfiles 1.3 misses the first files of a new folder now and then, and does not
    say when events overflow. Raises EventsUnavailable.
    """
    try:
        async for changes in awatch(
            root,
            watch_filter=_is_playlist,
            debounce=DEBOUNCE_MILLISECONDS,
            step=STEP_MILLISECONDS,
            stop_event=stop,
            ignore_permission_denied=True,
        ):
            found = {PurePath(path).parent.name for _, path in changes}
            yield {name for name in found if instance_of(name) is not None}
    except (OSError, RuntimeError) as error:  # watchfiles' own errors are RuntimeErrors
        raise EventsUnavailable(str(error)) from error


def _is_playlist(change: Change, path: str) -> bool:
    # Of full.m3u8 only its first writing and its end say more than live.m3u8, which follows it.
    return change is not Change.deleted and path.endswith((LIVE_PLAYLIST, FULL_PLAYLIST))


class Silence:
    """Notices that scans see what events should have said.

    Once is chance. SILENT_FINDS times in a row without an event mean a file system without events
    (NFS, SMB).
    """

    def __init__(self) -> None:
        self._finds = 0

    def heard(self) -> None:
        """An event came."""
        self._finds = 0

    def found(self, changes: int) -> bool:
        """Counts changes that a scan saw without an event. True when events count as silent."""
        self._finds += changes
        return self._finds >= SILENT_FINDS
