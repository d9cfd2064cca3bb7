"""File events: which sessions' playlists were written just now.

Each session's folder is watched by itself, and by its descriptor: what egress puts into it, a link
to another place for instance, is neither followed nor watched.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import ExitStack, suppress

from watchfiles import Change
from watchfiles._rust_notify import RustNotify

from app.buffer.paths import FULL_PLAYLIST, LIVE_PLAYLIST
from app.storage.foreign import ForeignFolder, NotRegular

DEBOUNCE_MILLISECONDS = 100
STEP_MILLISECONDS = 10
GRACE_SECONDS = 1.0
SILENT_FINDS = 3
# Of full.m3u8 only its first writing and its end say more than live.m3u8, which follows it.
_PLAYLISTS = frozenset({LIVE_PLAYLIST, FULL_PLAYLIST})


class EventsUnavailable(Exception):
    """The system gives no file events, for instance because its limit of watches is reached."""


class FolderWatch:
    """A watch of sessions' folders, given by the sessions' ids. Making one blocks; `close` it.

    `sessions` are those that are watched: a folder that is a link, or not there yet, is not. Scan
    as well: when too many events come at once some are lost, of any session, and watchfiles 1.3
    does not say so.
    Raises EventsUnavailable.
    """

    def __init__(self, folders: Mapping[str, ForeignFolder]) -> None:
        self._closed = threading.Event()
        self._session_at: dict[str, str] = {}
        try:
            with ExitStack() as held:
                for session_id, folder in folders.items():
                    # who reads it tells of a link
                    with suppress(FileNotFoundError, NotRegular, PermissionError):
                        self._session_at[held.enter_context(folder.held())] = session_id
                self._events = RustNotify(
                    list(self._session_at),
                    debug=False,
                    force_polling=False,
                    poll_delay_ms=0,
                    recursive=False,
                    ignore_permission_denied=True,
                )
        except (OSError, RuntimeError) as error:  # watchfiles' own errors are RuntimeErrors
            raise EventsUnavailable(str(error)) from error
        self.sessions = frozenset(self._session_at.values())

    async def changed(self) -> AsyncIterator[set[str]]:
        """The ids of sessions whose playlists changed, until `close`. Raises EventsUnavailable."""
        while not self._closed.is_set():
            try:
                events = await asyncio.to_thread(
                    self._events.watch, DEBOUNCE_MILLISECONDS, STEP_MILLISECONDS, 0, self._closed
                )
            except (OSError, RuntimeError) as error:
                raise EventsUnavailable(str(error)) from error
            if isinstance(events, str):  # closed
                continue
            places = [path.rpartition("/") for kind, path in events if kind != Change.deleted]
            folders = {at for at, _, name in places if name in _PLAYLISTS}
            if found := {self._session_at[at] for at in folders & self._session_at.keys()}:
                yield found

    def close(self) -> None:
        """Ends `changed` within some 10 ms. The events that it had not given are lost."""
        self._closed.set()


class Silence:
    """Notices that scans see what events should have said.

    Once is chance. SILENT_FINDS times in a row without an event mean a file system without events
    (NFS, SMB).
    """

    def __init__(self) -> None:
        self._finds = 0
        self._found_at: dict[str, float] = {}

    def heard(self, session_ids: Iterable[str]) -> None:
        """Events of these sessions came."""
        self._finds = 0
        for session_id in session_ids:
            self._found_at.pop(session_id, None)

    def found(self, session_ids: Iterable[str], now: float) -> bool:
        """Notes sessions in which a scan saw a change. True when events count as silent.

        An event may be on its way: only after GRACE_SECONDS there was none. `now`: time.monotonic.
        """
        missed = [each for each, at in self._found_at.items() if now - at > GRACE_SECONDS]
        for session_id in missed:
            del self._found_at[session_id]
        for session_id in session_ids:
            self._found_at.setdefault(session_id, now)
        self._finds += len(missed)
        return self._finds >= SILENT_FINDS
