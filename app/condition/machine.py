"""Checks of this machine: ffmpeg, a folder to share with egress, disk, cores."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.buffer import paths
from app.buffer.session_folders import OUTER_MODE, WRITTEN_MODE
from app.condition.findings import CheckResult
from app.recording.encoding import named, pixels_a_second
from app.settings import Settings, safety
from app.storage.confined import member
from app.storage.foreign import ForeignFolder
from app.storage.free_space import FREE_FILES_MIN, FreeSpace
from app.storage.instance import instance_id
from app.storage.name_claims import ASIDE

_OURS = (paths.FRAGMENTS_ROOT, paths.CLIPS_ROOT, paths.THUMBNAILS_ROOT)


async def ffmpeg() -> CheckResult:
    """Whether ffmpeg and ffprobe are there, and which."""
    for program in ("ffmpeg", "ffprobe"):
        if shutil.which(program) is None:
            return CheckResult(
                "fail",
                f"{program} is not on the PATH",
                "install ffmpeg (Debian: apt install ffmpeg)",
            )
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    return CheckResult("ok", output.decode(errors="replace").partition(" Copyright")[0])


def media_root(settings: Settings, known: str | None = None) -> CheckResult:
    """Whether folders can be made there in which egress and we both write and delete.

    And whether egress gets at nothing else there, if it is of the group. `known`: the id of the
    installation, as far as the database tells. Raises RootAbsent, ConfigurationError.
    """
    root = settings.media_root
    if known:
        instance_id(root, known=known)
    if settings.buffer_place is not None:
        return _root_of_ours(root)
    # Egress writes there, too: no path leads through a name that it may have exchanged meanwhile.
    folder = ForeignFolder(root, (paths.BUFFER_ROOT, f".doctor-{secrets.token_hex(8)}"))
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder.make(WRITTEN_MODE, OUTER_MODE)
        try:
            kept = folder.keeps(WRITTEN_MODE)
        finally:
            folder.remove_empty()
    except OSError as error:
        return _not_writable(root, error)
    if not kept:
        return CheckResult(
            "fail",
            f"{root} does not keep the mode 2770 of a folder",
            "egress and this service must both write and delete there; mount it without mode "
            "options, or run both as one user; a disk that has no modes (exFAT, NTFS, SMB) is "
            "mounted with the uid= and gid= of both, and umask=007",
        )
    rooms = ForeignFolder(root, (paths.BUFFER_ROOT,))
    if aside := _put_aside(rooms):
        return CheckResult(
            "warn",
            f"{aside[0]}{f' and {len(aside) - 1} more' if len(aside) > 1 else ''}: somebody else, "
            "of this machine or egress, had put it where the folder of a room goes",
            f"find out who: its owner and times tell. Then, as root: rm -r {rooms}/{ASIDE}*",
        )
    group = root.stat().st_gid
    if open_ones := _open_to_egress(root):
        return CheckResult(
            "warn",
            f"{', '.join(map(str, open_ones))}: open to gid {group}, of which egress may be: it "
            "could read clips, or put others in their place",
            _closing(root, open_ones),
        )
    return CheckResult("ok", f"{root} is writable, folders keep their group (gid {group})")


def _root_of_ours(root: Path) -> CheckResult:
    """Whether we can write there: egress never does."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=root).close()
    except OSError as error:
        return _not_writable(root, error)
    return CheckResult("ok", f"{root} is writable; egress writes elsewhere")


def _not_writable(root: Path, error: OSError) -> CheckResult:
    return CheckResult(
        "fail",
        f"{root}: {error.strerror}",
        f"let the user of this service (uid {os.getuid()}) write there, or set FILE_UPLOAD_DEST",
    )


def _put_aside(rooms: ForeignFolder) -> list[str]:
    """The paths of what was in the way of a folder of ours."""
    return [f"{rooms}/{name}" for name in rooms.names() if name.startswith(ASIDE)]


def _open_to_egress(root: Path) -> list[Path]:
    """What others than our user may write, of the root, or enter, of the folders of ours in it."""
    ours = [member(root, name) for name in _OURS]
    found = [root] if root.stat().st_mode & 0o022 else []
    return found + [each for each in ours if each.exists() and each.stat().st_mode & 0o077]


def _closing(root: Path, open_ones: Sequence[Path]) -> str:
    """How to close them. A service that is in the root by its group alone has to own it first."""
    commands = [f"chmod go-rwx {each}" for each in open_ones if each != root]
    if root in open_ones:
        owned = root.stat().st_uid == os.getuid()
        commands += [] if owned else [f"chown {os.getuid()} {root}"]
        commands.append(f"chmod go-w {root}")
    return "; ".join(commands)


def disk(settings: Settings) -> CheckResult:
    """Whether enough is free for new shares."""
    free = FreeSpace.of(settings.media_root)
    detail = f"{free.free_bytes / 2**30:.1f} GiB free of {free.total_bytes / 2**30:.1f} GiB"
    if free.free_bytes < settings.free_space_min_bytes:
        return CheckResult(
            "fail",
            f"{detail}, less than FREE_SPACE_MIN_BYTES={settings.free_space_min_bytes}",
            "new shares are refused; free space",
        )
    if free.lacks_files:
        return CheckResult(
            "fail",
            f"{detail}, but only {free.free_files} more files can be made: at least "
            f"{FREE_FILES_MIN} are needed",
            "new shares are refused; remove files, or make the file system with more inodes",
        )
    return CheckResult("ok", detail)


def cores(settings: Settings) -> CheckResult:
    """Whether this machine's cores are enough for one egress, if egress may run here."""
    needed = cores_for(named(settings.encoding, 1920, 1080))
    present = os.cpu_count() or 1
    detail = f"{settings.encoding} takes about {needed:.1f} cores for each share"
    if not safety.is_own(safety.host_of(settings.livekit_url)):
        return CheckResult("unknown", detail, "see that the egress machine has them")
    if present < needed:
        return CheckResult(
            "warn",
            f"{detail}, this machine has {present}",
            "an egress here falls behind; set ENCODING, for example 1280x720@15:1500",
        )
    return CheckResult("ok", f"{detail}; this machine has {present}")


def cores_for(name: str) -> float:
    """About how many cores an egress takes: 0.7, 1.8 and 2.7 were measured (egress v1.14.1) at
    1280x720@15, 1920x1080@30 and 1920x1080@60, which lie near a line over pixels a second."""
    return 0.55 + pixels_a_second(name) * 1.75e-8
