"""Where egress writes: what a folder that both see, and a bucket, have in common."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from app.settings import Settings
from app.storage.confined import PathRefused
from app.storage.egress_places import egress_bucket
from app.storage.egress_store import NEVER, EgressFolder, EgressStore
from app.storage.foreign import FileTooLarge, read_open
from app.storage.shared_folder import SharedFolder
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.conftest import MakeSettings

MIB = 2**20
OURS = "0a1b2c3d"
Put = Callable[[str, bytes], None]
SESSION = ("replay-buffer", "room", "user", "session")
AT = "replay-buffer/room/user/session"


class Place:
    """A place, and what somebody else does in it."""

    def __init__(self, store: EgressStore, put: Put, names: Callable[[], list[str]]) -> None:
        self.store, self.put, self.names = store, put, names
        self.folder: EgressFolder = store.folder(*SESSION)


@pytest_asyncio.fixture
async def bucket(far_buffer: dict[str, str], seaweed: Seaweed) -> Bucket:
    return Bucket(far_buffer, seaweed.endpoint)


@pytest.fixture
def settings(make_settings: MakeSettings, far_buffer: dict[str, str]) -> Settings:
    made = make_settings(**far_buffer)
    made.media_root.mkdir(parents=True)
    return made


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return in_folder(tmp_path)
    settings = request.getfixturevalue("settings")
    return in_bucket(settings, request.getfixturevalue("bucket"))


def in_folder(root: Path) -> Place:
    def put(name: str, content: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    def names() -> list[str]:
        found = [str(each.relative_to(root)) for each in root.rglob("*") if each.is_file()]
        return sorted(found)

    return Place(SharedFolder(root), put, names)


def in_bucket(settings: Settings, bucket: Bucket) -> Place:
    assert settings.buffer_place is not None
    store = egress_bucket(settings, settings.buffer_place, OURS)
    prefix = f"{bucket.prefix}/"

    def put(name: str, content: bytes) -> None:
        bucket.put(f"{prefix}{name}", content)

    def names() -> list[str]:
        found = [key.removeprefix(prefix) for key in bucket.listed(prefix)]
        return [each for each in found if each != ".instance"]

    return Place(store, put, names)


def opened(folder: EgressFolder, name: str, most_bytes: int) -> bytes:
    with folder.open_file(name, most_bytes) as file:
        return read_open(name, file, most_bytes)


def test_a_file_is_read_whole_and_no_more_of_it_than_was_asked_for(place: Place) -> None:
    content = os.urandom(3 * MIB)
    place.put(f"{AT}/a.ts", content)
    place.put(f"{AT}/empty.ts", b"")
    for read in (type(place.folder).read, opened):
        assert read(place.folder, "a.ts", 3 * MIB) == content
        assert read(place.folder, "empty.ts", MIB) == b""
        with pytest.raises(FileTooLarge, match=r"a\.ts has 3145728 bytes"):
            read(place.folder, "a.ts", 3 * MIB - 1)
        with pytest.raises(FileNotFoundError):
            read(place.folder, "b.ts", MIB)


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b.ts", "/etc/passwd", "a\0b", "x" * 256, "ä.ts"]
)
def test_a_name_that_is_none_leads_nowhere(place: Place, name: str) -> None:
    place.put(f"{AT}/a/b.ts", b"media")
    for act in (
        lambda: place.folder.read(name, MIB),
        lambda: place.folder.stamp(name),
        lambda: place.folder.unlink(name),
        lambda: opened(place.folder, name, MIB),
    ):
        with pytest.raises(PathRefused):
            act()
    assert place.names() == [f"{AT}/a/b.ts"]


def test_a_stamp_is_another_one_once_the_file_has_changed(place: Place) -> None:
    stamp, content = place.folder.look_at("live.m3u8", MIB)
    assert stamp == NEVER
    with pytest.raises(FileNotFoundError):
        content()
    place.put(f"{AT}/live.m3u8", b"one")
    one, content = place.folder.look_at("live.m3u8", MIB)
    assert content() == b"one"
    again, content = place.folder.look_at("live.m3u8", MIB)
    assert (again, content()) == (one, b"one")
    assert place.folder.stamp("live.m3u8") == one
    assert one.size_bytes == 3
    assert abs(one.modified - time.time()) < 120
    place.put(f"{AT}/live.m3u8", b"three")
    other, content = place.folder.look_at("live.m3u8", MIB)
    assert other != one
    assert content() == b"three"
    place.put(f"{AT}/live.m3u8", bytes(2 * MIB))
    large, content = place.folder.look_at("live.m3u8", MIB)
    assert large not in (one, other, NEVER)
    with pytest.raises(FileTooLarge):
        content()


def test_what_is_in_a_folder_is_told_by_name(place: Place) -> None:
    for name in ("a.ts", "b.ts", "inner/c.ts", "inner/d.ts", "ä ö+%20.ts"):
        place.put(f"{AT}/{name}", b"media")
    place.put("replay-buffer/room/other/x.ts", b"media")
    assert sorted(place.folder.names()) == ["a.ts", "b.ts", "inner", "ä ö+%20.ts"]
    assert len(place.folder.names(2)) == 2
    inner = place.folder.folders()
    assert [(each.name, each.parts) for each in inner] == [("inner", (*SESSION, "inner"))]
    users = place.store.folder(*SESSION[:2]).folders()
    assert sorted(each.name for each in users) == ["other", "user"]
    assert [each.outer for each in users] == [place.store.folder(*SESSION[:2])] * 2
    assert place.store.folder("replay-buffer").folders()[0] == place.store.folder(*SESSION[:2])
    missing = place.store.folder(*SESSION[:3], "other")
    assert list(found_in(missing)) == []


def found_in(folder: EgressFolder) -> list[str]:
    try:
        return folder.names()
    except FileNotFoundError:
        return []


def test_very_many_names_are_told_in_several_steps(place: Place) -> None:
    wanted = [f"{number:04}.ts" for number in range(450)]
    for name in wanted:
        place.put(f"{AT}/{name}", b"")
    assert sorted(place.folder.names()) == wanted
    assert len(place.folder.names(430)) == 430
    place.folder.remove_whole()
    assert place.names() == []


def test_only_what_was_written_before_counts_as_older(place: Place) -> None:
    place.put(f"{AT}/a.ts", b"media")
    place.put(f"{AT}/inner/b.ts", b"media")
    asked = ["a.ts", "inner", "gone.ts"]
    assert sorted(place.folder.older(asked, time.time() + 3600)) == ["a.ts", "inner"]
    assert place.folder.older(asked, time.time() - 3600) == []
    assert place.folder.older([], time.time() + 3600) == []


def test_a_file_goes_and_its_neighbours_stay(place: Place) -> None:
    for name in ("a.ts", "a.ts.bad", "b.ts"):
        place.put(f"{AT}/{name}", b"media")
    place.folder.unlink("a.ts")
    with suppress(FileNotFoundError):
        place.folder.unlink("a.ts")
    assert place.names() == [f"{AT}/a.ts.bad", f"{AT}/b.ts"]


def test_what_can_not_be_used_is_found_by_the_name_that_it_has_then(place: Place) -> None:
    place.put(f"{AT}/a.ts", b"no media")
    name = place.folder.rename("a.ts", "a.ts.bad")
    assert place.folder.read(name, MIB) == b"no media"
    with pytest.raises(FileNotFoundError):
        place.folder.rename("b.ts", "b.ts.bad")
    place.folder.unlink(name)
    assert place.names() == []


@pytest.mark.parametrize("name", ["a.ts", "ä ö+%20.ts", "inner"])
def test_a_stray_of_any_name_goes_with_all_that_is_in_it(place: Place, name: str) -> None:
    put = f"{name}/deep/b.ts" if name == "inner" else name
    place.put(f"{AT}/{put}", b"media")
    place.put(f"{AT}/{name}x", b"media")
    place.folder.remove(name)
    assert place.names() == [f"{AT}/{name}x"]
    for wrong in ("", ".", "..", "a/b"):
        with pytest.raises(PathRefused):
            place.folder.remove(wrong)


def test_a_folder_goes_with_all_that_is_in_it_and_nothing_else(place: Place) -> None:
    for name in ("a.ts", "live.m3u8", "inner/c.ts", "ä ö.ts"):
        place.put(f"{AT}/{name}", b"media")
    place.put(f"{AT}-2/a.ts", b"media")
    place.folder.remove_whole()
    assert place.names() == [f"{AT}-2/a.ts"]
    # Of some stores a folder is listed for a while when its last object is gone.
    assert set(found_in(place.folder)) <= {"inner"}


def test_egress_can_write_where_a_folder_was_made(place: Place) -> None:
    assert place.folder.make(0o2770, 0o2750) == []
    assert place.folder.make(0o2770, 0o2750) == []
    place.put(f"{AT}/a.ts", b"media")
    assert place.folder.names() == ["a.ts"]
