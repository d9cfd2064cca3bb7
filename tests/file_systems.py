"""File systems that people have, made in files and folders of a test and mounted: it takes root.

`deploy/setup --disks` installs the programs. What a kernel or a container does not let be mounted
fails the test that asks for it.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from pathlib import Path

MEBIBYTE = 1 << 20

Mounting = Callable[[Path], AbstractContextManager[Path]]
"""Makes a file system within an empty folder, and mounts it for as long as a block lasts: where."""


def image(megabytes: int, *make: str, mount: tuple[str, ...] = ("mount", "-o", "loop")) -> Mounting:
    """One in a file of so many megabytes: `make FILE` makes it, `mount FILE FOLDER` mounts it."""

    @contextmanager
    def mounted(base: Path) -> Iterator[Path]:
        file, folder = base / "image", _made(base / "disk")
        with file.open("wb") as empty:
            empty.truncate(megabytes * MEBIBYTE)
        _run(*make, file)
        with _mounted(folder, *mount, file, folder):
            yield folder

    return mounted


def memory(megabytes: int, *options: str) -> Mounting:
    """A tmpfs."""

    @contextmanager
    def mounted(base: Path) -> Iterator[Path]:
        folder = _made(base / "disk")
        told = ",".join((f"size={megabytes}m", "mode=0755", *options))
        with _mounted(folder, "mount", "-t", "tmpfs", "-o", told, "tmpfs", folder):
            yield folder

    return mounted


def over(megabytes: int, mount: Callable[[Path, Path], tuple[str | Path, ...]]) -> Mounting:
    """One over a tmpfs. `mount(lower, folder)`: the command, whose folders below `lower` are made
    if they are named in it."""

    @contextmanager
    def mounted(base: Path) -> Iterator[Path]:
        below, folder = _made(base / "below"), _made(base / "mounted")
        with ExitStack() as stack:
            lower = stack.enter_context(memory(megabytes)(below))
            for name in ("one", "two", "work"):
                _made(lower / name)
            stack.enter_context(_mounted(folder, *mount(lower, folder)))
            yield folder

    return mounted


def _overlay(lower: Path, folder: Path) -> tuple[str | Path, ...]:
    layers = f"lowerdir={lower}/one,upperdir={lower}/two,workdir={lower}/work"
    return ("mount", "-t", "overlay", "-o", layers, "overlay", folder)


def _fuse_overlay(lower: Path, folder: Path) -> tuple[str | Path, ...]:
    layers = f"lowerdir={lower}/one,upperdir={lower}/two,workdir={lower}/work"
    return ("fuse-overlayfs", "-o", layers, folder)


def _pool(lower: Path, folder: Path) -> tuple[str | Path, ...]:
    return (
        "mergerfs",
        "-o",
        "category.create=rand,minfreespace=0",
        f"{lower}/one:{lower}/two",
        folder,
    )


FILE_SYSTEMS: dict[str, Mounting] = {
    "ext4, inodes of 128 bytes": image(64, "mkfs.ext4", "-q", "-F", "-I", "128", "-N", "4096"),
    "XFS, reflink": image(320, "mkfs.xfs", "-q", "-f", "-m", "reflink=1"),
    "btrfs": image(128, "mkfs.btrfs", "-q", "-f", "-m", "single"),
    "tmpfs": memory(48),
    "overlay": over(48, _overlay),
    "fuse-overlayfs": over(48, _fuse_overlay),
    "mergerfs": over(48, _pool),
    "bindfs": over(48, lambda lower, folder: ("bindfs", lower / "one", folder)),
    "exFAT by FUSE": image(48, "mkfs.exfat", mount=("mount", "-t", "exfat-fuse", "-o", "loop")),
    "NTFS by FUSE": image(48, "mkntfs", "-q", "-F", "-Q", mount=("ntfs-3g",)),
}
"""Each is of some 48 MB, or of the least that it can be."""


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No byte more can be written on the disk of a folder, within the block."""
    ballast, piece = folder / "ballast", 64 * MEBIBYTE
    try:
        with ballast.open("w+b", buffering=0) as file:
            end = 0
            while piece >= 512:
                try:
                    os.posix_fallocate(file.fileno(), end, piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 2
                else:
                    end += piece
        yield
    finally:
        ballast.unlink()


@contextmanager
def without_files(folder: Path) -> Iterator[None]:
    """No file more can be made on the disk of a folder, within the block."""
    ballast = _made(folder / "ballast")
    try:
        for number in count():
            try:
                (ballast / str(number)).touch()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                break
        yield
    finally:
        shutil.rmtree(ballast)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _mounted(folder: Path, *command: str | Path) -> Iterator[None]:
    _run(*command)
    try:
        assert os.path.ismount(folder), f"{command[0]} has mounted nothing"
        yield
    finally:
        _run("umount", folder)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout.strip()}"
