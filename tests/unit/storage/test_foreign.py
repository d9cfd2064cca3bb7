"""Whatever lies in a folder of others, opening it neither waits, nor leads out, nor takes much."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from app.storage.confined import PathRefused
from app.storage.foreign import (
    SEGMENT_BYTES,
    FileTooLarge,
    ForeignFolder,
    NotRegular,
)
from app.storage.foreign_removal import LIFTED, FolderTooLarge
from app.storage.name_claims import ASIDE, may_be_ours
from tests.integration.cleaning.test_owners import obey_permissions
from tests.waiting import PATIENCE_SECONDS

MIB = 2**20
SHARED, OUTER = 0o2770, 0o2750


@pytest.fixture
def folder(tmp_path: Path) -> ForeignFolder:
    (tmp_path / "room" / "user").mkdir(parents=True)
    (tmp_path / "secret").write_text("a secret of the service")
    return ForeignFolder(tmp_path, ("room", "user"))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def path_of(folder: ForeignFolder) -> Path:
    return Path(str(folder))


def test_a_file_is_read_whole(folder: ForeignFolder) -> None:
    (path_of(folder) / "a.ts").write_bytes(b"media" * MIB)
    assert folder.read("a.ts", 5 * MIB) == b"media" * MIB
    (path_of(folder) / "empty.ts").touch()
    assert folder.read("empty.ts", MIB) == b""
    with pytest.raises(FileNotFoundError):
        folder.read("b.ts", MIB)


def link(path: Path) -> None:
    path.symlink_to(path.parents[2] / "secret")


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket has 107 characters at most
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


def full_folder(path: Path) -> None:
    (path / "x" / "y").mkdir(parents=True)
    (path / "x" / "z").symlink_to(path.parents[2])


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(400 * MIB)


MADE: dict[str, tuple[Callable[[Path], None], type[OSError], str]] = {
    "link": (link, NotRegular, "is a link"),
    "link to nothing": (link_to_nothing, NotRegular, "is a link"),
    "link to a device": (link_to_a_device, NotRegular, "is a link"),
    "pipe": (fifo, NotRegular, "is a pipe"),
    "socket": (listener, NotRegular, "is a socket"),
    "folder": (full_folder, NotRegular, "is a folder"),
    "sparse file": (sparse, FileTooLarge, "has 419430400 bytes; at most 67108864 are read"),
}


@pytest.mark.parametrize("kind", MADE)
def test_what_is_no_file_of_a_sensible_size_is_refused_at_once(
    folder: ForeignFolder, kind: str
) -> None:
    """Without taking memory for it. It can be renamed, and removed, all the same."""
    make, error, says = MADE[kind]
    make(path_of(folder) / "a.ts")
    tracemalloc.start()
    try:
        with pytest.raises(error, match=says):
            folder.read("a.ts", SEGMENT_BYTES)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()
    folder.rename("a.ts", "a.ts.bad")
    folder.remove("a.ts.bad")
    assert folder.names() == []
    assert (folder.root / "secret").read_text() == "a secret of the service"


def test_a_file_that_gives_more_than_its_size_is_refused_at_the_cap() -> None:
    """As one does that grows while it is read; the files of /proc say that they have no bytes."""
    grown = ForeignFolder(Path(f"/proc/{os.getpid()}"), ())
    assert grown.status("maps").st_size == 0
    with pytest.raises(FileTooLarge, match="more bytes since it is read"):
        grown.read("maps", 100)


@pytest.mark.parametrize("part", ["room", "user"])
def test_a_folder_that_became_a_link_is_not_followed(folder: ForeignFolder, part: str) -> None:
    """Whatever is asked of it, and also if it leads to a folder of ours."""
    place = folder.root / "room" if part == "room" else path_of(folder)
    place.rename(folder.root / "moved")
    ours = folder.root / "ours"
    (ours / "user").mkdir(parents=True)
    for inner in (ours, ours / "user"):
        (inner / "a.ts").write_bytes(b"ours")
    place.symlink_to(ours)
    asked: list[Callable[[], object]] = [
        lambda: folder.read("a.ts", MIB),
        lambda: folder.status("a.ts"),
        folder.names,
        folder.folders,
        lambda: folder.rename("a.ts", "b.ts"),
        lambda: folder.remove("a.ts"),
        lambda: folder.older(["a.ts"], 1e12),
    ]
    for ask in asked:
        with pytest.raises(NotRegular, match="is a link, or no folder"):
            ask()
    assert sorted(path.name for path in ours.rglob("*")) == ["a.ts", "a.ts", "user"]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_folder_is_made_with_all_it_is_in_and_ours_get_the_mode(
    tmp_path: Path, umask: int
) -> None:
    """Hardened units and some runtimes start us with another umask: egress has to get in."""
    (tmp_path / "room").mkdir(0o700)
    tmp_path.chmod(0o755)
    before = os.umask(umask)
    try:
        ForeignFolder(tmp_path, ("room", "user", "session")).make(SHARED, OUTER)
        ForeignFolder(tmp_path, ("room", "user", "session")).make(SHARED, OUTER)
    finally:
        os.umask(before)
    places = [tmp_path / each for each in ("room", "room/user", "room/user/session")]
    assert [mode_of(place) for place in places] == [OUTER, OUTER, SHARED]
    assert mode_of(tmp_path) == 0o755


def test_nothing_is_made_and_no_mode_set_through_a_link(folder: ForeignFolder) -> None:
    ours = folder.root / "ours"
    ours.mkdir(0o700)
    shutil.rmtree(folder.root / "room")
    (folder.root / "room").symlink_to(ours)
    with pytest.raises(NotRegular, match="room is a link, or no folder"):
        folder.make(SHARED, OUTER)
    assert mode_of(ours) == 0o700
    assert list(ours.iterdir()) == []


def folder_of_another(path: Path) -> None:
    """Of another user, whom only root can make it for; else what is none of ours for being none."""
    if os.getuid() == 0:
        path.mkdir(0o755)
        (path / "theirs").touch()
        os.chown(path, 65534, 65534)
    else:
        path.touch(0o755)


IN_THE_WAY = {kind: made[0] for kind, made in MADE.items() if kind != "folder"} | {
    "folder of another": folder_of_another
}


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_what_is_in_the_way_of_a_folder_is_put_aside(folder: ForeignFolder, kind: str) -> None:
    """Whoever was there first keeps nobody from it, and loses nothing."""
    ours = ForeignFolder(folder.root, ("room", "user", "session"))
    path_of(folder).rmdir()
    IN_THE_WAY[kind](path_of(folder))
    before = os.lstat(str(folder))
    (aside,) = ours.make(SHARED, OUTER)
    assert Path(aside).parent == path_of(folder).parent
    assert Path(aside).name.startswith(ASIDE)
    assert os.lstat(aside).st_ino == before.st_ino
    assert (mode_of(path_of(folder)), mode_of(path_of(ours))) == (OUTER, SHARED)
    assert path_of(folder).stat().st_uid == os.getuid()
    assert (folder.root / "secret").read_text() == "a secret of the service"
    assert ours.make(SHARED, OUTER) == []


@pytest.mark.parametrize(
    ("owner", "outer_owner", "is_left"),
    [(os.getuid(), 7, True), (7, 7, True), (7, os.getuid(), False), (7, 8, False)],
)
def test_a_folder_is_left_that_may_be_ours(owner: int, outer_owner: int, is_left: bool) -> None:
    """Also one of whom its outer one is: so all look that are on a mount that squashes owners."""

    def status(mode: int, uid: int) -> os.stat_result:
        return os.stat_result((mode, 1, 1, 1, uid, 1, 0, 0, 0, 0))

    outer = status(stat.S_IFDIR | 0o750, outer_owner)
    assert may_be_ours(status(stat.S_IFDIR | 0o755, owner), outer) is is_left
    assert not may_be_ours(status(stat.S_IFLNK | 0o777, owner), outer)


def test_a_folder_that_becomes_a_link_meanwhile_opens_nothing_of_ours(
    folder: ForeignFolder,
) -> None:
    ours, room, trap = folder.root / "ours", folder.root / "room", folder.root / "trap"
    ours.mkdir(0o700)
    trap.symlink_to(ours)
    made = refused = 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    with exchanging(room, trap):
        # How often each of them has its turn is the machine's matter.
        while made + refused < 500 or not (made and refused):
            assert time.monotonic() < deadline, (made, refused)
            try:
                folder.make(SHARED, OUTER)
                made += 1
            except NotRegular:
                refused += 1
            assert mode_of(ours) == 0o700
            assert list(ours.iterdir()) == []


@contextmanager
def exchanging(one: Path, other: Path) -> Iterator[None]:
    """Exchanges two names all the time, each time in one step (renameat2(2))."""
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    names = [os.fsencode(one), os.fsencode(other)]
    stop = threading.Event()
    failed: list[int] = []

    def run() -> None:
        while not stop.is_set():
            if renameat2(here, names[0], here, names[1], exchange):
                failed.append(ctypes.get_errno())
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failed == []


def test_removing_a_folder_that_became_a_link_removes_the_link(folder: ForeignFolder) -> None:
    (folder.root / "ours").mkdir()
    (folder.root / "ours" / "clip.mp4").touch()
    path_of(folder).rmdir()
    path_of(folder).symlink_to(folder.root / "ours")
    folder.remove_whole()
    assert not path_of(folder).is_symlink()
    assert (folder.root / "ours" / "clip.mp4").exists()


def test_of_a_crowded_folder_only_so_many_names_are_taken(folder: ForeignFolder) -> None:
    for number in range(30):
        (path_of(folder) / str(number)).mkdir()
    assert len(folder.names(20)) == 20
    assert len(folder.folders(20)) == 20


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", ".", "..", "a/b"])
def test_no_name_leads_out_of_the_folder(folder: ForeignFolder, name: str) -> None:
    asked: list[Callable[[str], object]] = [
        lambda each: folder.read(each, MIB),
        folder.status,
        lambda each: folder.rename(each, "a"),
        lambda each: folder.rename("a", each),
        folder.remove,
        lambda each: folder.older([each], 1e12),
    ]
    for ask in asked:
        with pytest.raises(PathRefused):
            ask(name)
    with pytest.raises(PathRefused):
        ForeignFolder(folder.root, (name,)).names()


def test_names_of_any_characters_can_be_removed(folder: ForeignFolder) -> None:
    """They are what the folder lists: the service itself names none so."""
    names = ["a b", "new\nline", "ä", b"\xff".decode(errors="surrogateescape")]
    for name in names:
        (path_of(folder) / name).touch()
    assert sorted(folder.older(folder.names(), 1e12)) == sorted(names)
    for name in names:
        folder.remove(name)
    assert folder.names() == []


def test_a_folder_is_removed_however_deep_it_is(folder: ForeignFolder) -> None:
    """With what lies on the way, and a link at its end that is not followed."""
    deep = os.open(str(folder), os.O_RDONLY)
    for name in ["deep"] * 1500:
        os.mkdir(name, dir_fd=deep)
        below = os.open(name, os.O_RDONLY, dir_fd=deep)
        os.mkdir("beside", dir_fd=below)
        os.close(deep)
        deep = below
    os.symlink("/etc", "link", dir_fd=deep)
    os.close(deep)
    before = set(folder.names()) - {"deep"}
    folder.remove("deep")
    assert set(folder.names()) == before
    assert Path("/etc").exists()


def test_a_folder_of_somebody_elses_goes_if_it_is_empty_and_else_stops_nothing_else(
    folder: ForeignFolder,
) -> None:
    """Nobody may move somebody else's folder out of ours, but may remove it there."""
    path = path_of(folder)
    for name in ("a", "b", "kept", "z"):
        (path / name).mkdir()
        os.chown(path / name, 1102, -1)
    (path / "kept" / "in.ts").touch()
    (path / "plain.ts").touch()
    (path / "ours" / "inner").mkdir(parents=True)

    def remove() -> None:
        obey_permissions()
        folder.remove_whole()

    with ThreadPoolExecutor(1) as thread:
        with pytest.raises(PermissionError):
            thread.submit(remove).result(PATIENCE_SECONDS)
        assert [each.name for each in path.iterdir()] == ["kept"]
        (path / "kept" / "in.ts").unlink()
        thread.submit(remove).result(PATIENCE_SECONDS)
    assert not path.exists()


def test_a_folder_with_very_many_entries_is_removed_in_several_goes(folder: ForeignFolder) -> None:
    """Whoever fills it faster than it is emptied keeps nobody for longer than a go."""
    for name in ("many", "many/deep"):
        (path_of(folder) / name).mkdir()
        for number in range(20):
            (path_of(folder) / name / str(number)).touch()
    goes = 0
    while any(name == "many" or name.startswith(LIFTED) for name in folder.names()):
        goes += 1
        for name in folder.names():
            if name == "many" or name.startswith(LIFTED):
                with suppress(FolderTooLarge):
                    folder.remove(name, 15)
    assert goes == 3


def test_a_folder_that_takes_files_keeps_its_mode(folder: ForeignFolder) -> None:
    before = folder.names()
    assert not folder.keeps(0o2770)
    folder.make(SHARED, OUTER)
    assert folder.keeps(0o2770)
    assert folder.names() == before
