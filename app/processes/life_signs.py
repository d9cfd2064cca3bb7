"""How the processes of the service on this machine are: `python -m app health`.

Each answers on a Unix socket, out of its event loop (`app.processes.liveness`), so one that hangs
says nothing. A process of the same user and settings finds it: in a folder of its own, whose name
nobody knows before, so that no other user of the machine can have taken it. It is asked again and
again by what runs containers: nothing is imported here that takes long, no store and no network
library.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from app.models import ProcessRole
from app.settings import Settings, safety

ANSWER_SECONDS = 3.0
_PREFIX = "replay-life-"
_MOST_BYTES = 64 * 1024
_YOUNG_SECONDS = 60.0
"""One that does not answer may be about to."""


def run(settings: Settings, role: ProcessRole | None) -> int:
    """Prints in one line how a role is, or all of the service that runs here; 1 if not well."""
    try:
        found = wrong(settings, role)
    except OSError as error:  # there is no folder for temporary files
        found = [str(error)]
    sys.stdout.write(("; ".join(found) or "ok") + "\n")
    return 1 if found else 0


def wrong(
    settings: Settings, role: ProcessRole | None = None, patience_seconds: float = ANSWER_SECONDS
) -> list[str]:
    """What is wrong with a role, or with all that runs here if none is named. Blocks."""
    asked = _running(settings) if role is None else [role]
    if not asked:
        return ["nothing of the service runs here under this user and these settings"]
    found = [
        f"{each}: {text}"
        for each in asked
        for text in _told(sockets(settings, each), patience_seconds)
    ]
    if not found and (serving := [each for each in asked if each.serves]):
        found = [f"{serving[0]}: {text}" for text in _unserved(settings)]
    return found


def _running(settings: Settings) -> list[ProcessRole]:
    """What runs here, or should, as the supervisor does."""
    if sockets(settings, ProcessRole.SUPERVISOR):
        return [ProcessRole.SUPERVISOR, *ProcessRole.of_service()]
    return [each for each in ProcessRole if sockets(settings, each)]


def new_path(settings: Settings, role: ProcessRole) -> Path:
    """Where a process may answer from now on: in a new folder, which only its user may enter."""
    return Path(f"{tempfile.mkdtemp(prefix=_prefix())}/{_name(settings, role)}")


def sockets(settings: Settings, role: ProcessRole) -> list[Path]:
    """Where processes of a role answer, or did before they were killed; the newest last."""
    name = _name(settings, role)
    found = [path for path in _all() if path.name == name]
    return sorted(found, key=_begun_at)


def remove(path: Path) -> None:
    """Removes a socket and its folder."""
    with suppress(OSError):  # gone already; or the folder is not empty, and none of ours
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def _name(settings: Settings, role: ProcessRole) -> str:
    place = (
        settings.data_dir.absolute(),
        settings.media_root,
        settings.host,
        settings.port,
        settings.metrics_port,
    )
    digest = hashlib.sha256("\0".join(map(str, place)).encode("utf-8", "surrogateescape"))
    return f"{digest.hexdigest()[:16]}-{role}"


def remove_dead() -> None:
    """Removes the sockets of processes of this user that were killed, a while after their start."""
    for path in _all():
        try:
            if time.time() - path.lstat().st_mtime > _YOUNG_SECONDS:
                with _connected(path, ANSWER_SECONDS):
                    pass
        except ConnectionRefusedError:
            remove(path)
        except OSError:
            continue


def _all() -> list[Path]:
    """What lies in the folders that nobody but this user can have made, and may write."""
    prefix = _prefix()
    with os.scandir(tempfile.gettempdir()) as entries:  # others may have made any number of them
        named = [each for each in entries if each.name.startswith(prefix)]
    return [path for each in named for path in _within(each)]


def _within(folder: os.DirEntry[str]) -> list[Path]:
    with suppress(FileNotFoundError):  # that of another service, which has just ended
        found = folder.stat(follow_symlinks=False)
        is_ours = found.st_uid == os.getuid() and not found.st_mode & 0o077
        if is_ours and stat.S_ISDIR(found.st_mode):
            return list(Path(folder).iterdir())
    return []


def _begun_at(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:  # it has just ended
        return 0.0


def _prefix() -> str:
    return f"{_PREFIX}{os.getuid()}-"


def _told(paths: Sequence[Path], patience_seconds: float) -> list[str]:
    """What the newest of these processes says to be wrong, or that it says nothing."""
    none = ["none runs here under this user and these settings"]
    if not paths:
        return none
    try:
        return _ask(paths[-1], patience_seconds)
    except FileNotFoundError:
        return none
    except ConnectionRefusedError:
        return ["it was killed"]
    except TimeoutError:
        return [f"it hangs: no answer within {patience_seconds:g} s"]
    except (OSError, ValueError) as error:
        return [f"it gives no answer: {error}"]


def _ask(path: Path, patience_seconds: float) -> list[str]:
    """Raises OSError, ValueError."""
    data = b""
    with _connected(path, patience_seconds) as asking:
        while (more := asking.recv(_MOST_BYTES)) and len(data) < _MOST_BYTES:
            data += more
    return [
        "".join(each if each.isprintable() else "?" for each in str(text))
        for text in json.loads(data)
    ]


@contextmanager
def _connected(path: Path, patience_seconds: float) -> Iterator[socket.socket]:
    """A connection to a process. Raises ConnectionRefusedError if it was killed, OSError."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(patience_seconds)
        asking.connect(str(path))
        yield asking


def _unserved(settings: Settings) -> list[str]:
    """What is wrong with the HTTP API, by a request to where it listens."""
    from http.client import HTTPConnection, HTTPException

    host = settings.host
    if safety.is_unspecified(host):
        host = "::1" if ":" in host else "127.0.0.1"
    connection = HTTPConnection(host, settings.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        why = error or type(error).__name__
        return [f"GET /healthz at HOST={host} PORT={settings.port}: {why}"]
    finally:
        connection.close()
    return [] if status == 200 else [f"GET /healthz answers {status}"]
