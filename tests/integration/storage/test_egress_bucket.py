"""A bucket in which egress writes: whose it is, and one that does not do as it should."""

from __future__ import annotations

import asyncio

import pytest

from app.condition import peers
from app.errors import ConfigurationError
from app.settings import Settings
from app.storage.egress_bucket import EgressBucket, PlaceOfOthers
from app.storage.egress_places import egress_bucket, opened_egress
from app.storage.egress_store import PlaceAway
from app.storage.foreign import FileTooLarge
from app.storage.instance import UNTOLD, instance_id
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.conftest import MakeSettings
from tests.object_front import ObjectFront

MIB = 2**20
OURS, OTHERS = "0a1b2c3d", "deadbeef"


@pytest.fixture
def settings(
    make_settings: MakeSettings, far_buffer: dict[str, str], front: ObjectFront
) -> Settings:
    made = make_settings(**far_buffer | {"s3_endpoint": front.endpoint})
    made.media_root.mkdir(parents=True)
    return made


@pytest.fixture
def bucket(far_buffer: dict[str, str], seaweed: Seaweed) -> Bucket:
    return Bucket(far_buffer, seaweed.endpoint)


def store_of(settings: Settings, instance: str = OURS) -> EgressBucket:
    assert settings.buffer_place is not None
    return egress_bucket(settings, settings.buffer_place, instance)


async def test_a_prefix_is_one_installations_and_no_other_touches_what_is_in_it(
    settings: Settings, bucket: Bucket
) -> None:
    assert isinstance(await opened_egress(settings, OURS), EgressBucket)
    key = f"{bucket.prefix}/replay-buffer/room/user/session/a.ts"
    bucket.put(key, b"media")
    before = bucket.listed()
    with pytest.raises(ConfigurationError, match=r"BUFFER_URL: .* is of installation '0a1b2c3d'"):
        await opened_egress(settings, OTHERS)
    folder = store_of(settings, OTHERS).folder("replay-buffer", "room", "user", "session")
    for act in (
        lambda: folder.unlink("a.ts"),
        lambda: folder.remove("a.ts"),
        folder.remove_whole,
        lambda: folder.make(0o770, 0o750),
    ):
        with pytest.raises(PlaceOfOthers):
            await asyncio.to_thread(act)
    assert bucket.listed() == before


async def test_what_begins_as_our_prefix_does_is_none_of_ours(
    settings: Settings, bucket: Bucket
) -> None:
    bucket.put(f"{bucket.prefix}-of-others/replay-buffer/room/a.ts", b"media")
    bucket.put("elsewhere.ts", b"media")
    before = bucket.listed()
    store = store_of(settings)
    root = store.folder("replay-buffer")
    assert await asyncio.to_thread(root.folders) == []
    await asyncio.to_thread(root.remove_whole)
    assert [key for key in bucket.listed() if not key.endswith(".instance")] == before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"aws_secret_access_key": "x" * 20}, "our secret is not that of our key"),
        ({"aws_access_key_id": "nobody"}, "the store does not know our key"),
        ({"buffer_url": "s3://no-such-bucket/buffer"}, "set BUFFER_URL and S3_ENDPOINT"),
    ],
)
async def test_a_start_goes_on_and_the_doctor_says_what_is_wrong(
    make_settings: MakeSettings, far_buffer: dict[str, str], given: dict[str, str], told: str
) -> None:
    settings = make_settings(**far_buffer | given)
    instance_id(settings.media_root)
    assert isinstance(await opened_egress(settings, OURS), EgressBucket)
    with pytest.raises(PlaceAway, match=told) as refused:
        await peers.buffer_store(settings, None)
    assert len(str(refused.value)) < 300


async def test_the_doctor_tries_all_that_is_done_there_and_how_egress_gets_in(
    make_settings: MakeSettings, far_buffer: dict[str, str], settings: Settings, bucket: Bucket
) -> None:
    assert (await peers.buffer_store(settings, UNTOLD)).level == "unknown"
    assert [*settings.media_root.rglob("*")] == []  # the doctor gives it no id
    found = await peers.buffer_store(settings, None)
    assert found.level == "ok"
    assert "egress is given the key" in found.detail
    none = {"egress_s3_access_key": "", "egress_s3_secret": ""}
    own = await peers.buffer_store(make_settings(**far_buffer | none), None)
    assert "egress has its own storage" in own.detail
    role = none | {"egress_s3_role_arn": "arn:aws:iam::1:role/egress"}
    taken = await peers.buffer_store(make_settings(**far_buffer | role), None)
    assert "egress takes the role arn:aws:iam::1:role/egress" in taken.detail
    assert bucket.listed() == [f"{bucket.prefix}/.instance"]


async def test_a_key_that_may_not_delete_is_told_of(
    make_settings: MakeSettings, far_buffer: dict[str, str], seaweed: Seaweed, front: ObjectFront
) -> None:
    settings = make_settings(**far_buffer | {"s3_endpoint": front.endpoint})
    instance_id(settings.media_root)
    front.answer(r"\?delete", 403, "AccessDenied")
    with pytest.raises(PlaceAway, match="give it s3:DeleteObject"):
        await peers.buffer_store(settings, None)


@pytest.mark.parametrize("says_bytes", [100 * MIB, 1000])
async def test_of_an_object_that_is_not_as_large_as_it_is_said_nothing_is_taken(
    settings: Settings, front: ObjectFront, says_bytes: int
) -> None:
    folder = store_of(settings).folder("replay-buffer", "room", "user", "session")
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n"
        f"Content-Length: {says_bytes}\r\nLast-Modified: Sun, 29 Nov 2026 20:00:00 GMT\r\n"
        'ETag: "x"\r\n\r\n'
    )
    front.tell(r"^GET .*a\.ts", [head.encode(), *(bytes(100) for _ in range(5))])

    def read() -> None:
        with folder.open_file("a.ts", MIB):
            pass

    with pytest.raises((PlaceAway, FileTooLarge)):
        await asyncio.to_thread(read)
    assert list(settings.media_root.iterdir()) == []
