"""Clips in a bucket: its URLs, what is left of uploads, a store that does not do as it should."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import ConfigurationError, StoreAway, StoreRefuses
from app.settings import Settings
from app.storage import bucket_clients
from app.storage.clip_bucket import ClipBucket
from app.storage.clip_places import clip_bucket, opened_clips
from app.storage.s3_requests import S3Requests
from deploy.local.seaweed import Seaweed
from tests.integration.conftest import MakeSettings
from tests.integration.storage.test_clip_store import CLIP, LARGE, OURS, listed, part_of, read
from tests.object_front import ObjectFront
from tests.waiting import wait_for

MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings(
    make_settings: MakeSettings, in_bucket: dict[str, str], front: ObjectFront
) -> Settings:
    """Of an installation that reaches its bucket through the front."""
    made = make_settings(**in_bucket | {"s3_endpoint": front.endpoint})
    made.media_root.mkdir(parents=True)
    return made


BRIEF = timedelta(seconds=3)
"""How long a client waits for a store that hangs, where a test is about that."""


def bucket_of(
    settings: Settings, request: timedelta = bucket_clients.REQUEST, **given: Any
) -> ClipBucket:
    """The bucket; by a client that waits so long for an answer."""
    place = settings.clips_place
    assert place is not None
    client, s3 = bucket_clients.of(settings, place, request=request)
    return ClipBucket(client, place, settings.media_root, OURS, s3=s3, **given)


def uploads_of(settings: Settings) -> S3Requests:
    assert settings.clips_place is not None
    return S3Requests(settings, settings.clips_place)


KEY = f"replay/clips/{CLIP}"


async def test_a_url_reads_that_object_for_a_while(settings: Settings) -> None:
    bucket = bucket_of(settings)
    content = os.urandom(1000)
    await bucket.publish(CLIP, part_of(bucket, content))
    name = "attachment; filename=\"a b.mp4\"; filename*=UTF-8''a%20b.mp4"
    url = await bucket.url(CLIP, MINUTE, name)
    assert url is not None
    async with httpx.AsyncClient() as client:
        whole = await client.get(url)
        assert (whole.status_code, whole.content) == (200, content)
        assert whole.headers["content-disposition"] == name
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["cache-control"] == "no-store"
        part = await client.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])
        assert (await client.delete(url)).status_code == 403
        assert (await client.get(url.replace(".mp4?", ".mp3?"))).status_code == 403
        assert (await client.get(url.replace("attachment", "inline"))).status_code == 403
        short = await bucket.url(CLIP, timedelta(seconds=1), name)
        assert short is not None

        async def refused() -> bool:
            return (await client.get(short)).status_code == 403

        await wait_for(refused)
    assert await read(await bucket.open(CLIP)) == content


async def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(settings: Settings) -> None:
    bucket = bucket_of(settings)
    await bucket.publish(CLIP, part_of(bucket, os.urandom(LARGE)))
    opened = await bucket.open(CLIP)
    blocks = opened.read(0, opened.size_bytes)
    await anext(blocks)
    await bucket.publish(CLIP, part_of(bucket, os.urandom(LARGE)))
    with pytest.raises(EOFError):
        await anext(blocks)
    opened = await bucket.open(CLIP)
    await bucket.remove([CLIP])
    with pytest.raises(EOFError):
        await anext(opened.read(0, opened.size_bytes))


async def test_an_upload_that_was_broken_off_is_ended_by_the_next_attempt(
    settings: Settings, front: ObjectFront
) -> None:
    bucket, requests = bucket_of(settings), uploads_of(settings)
    content = os.urandom(LARGE)
    front.hold("partNumber=3")
    dying = asyncio.create_task(bucket.publish(CLIP, part_of(bucket, content)))
    await wait_for(lambda: front.count("partNumber=3"))
    dying.cancel()
    await asyncio.wait({dying})
    front.heal()
    assert len(await requests.uploads(KEY)) == 1
    assert await listed(bucket) == {f"{CLIP}.1.part": LARGE}
    await bucket.publish(CLIP, part_of(bucket, content))
    assert await requests.uploads(KEY) == []
    assert await read(await bucket.open(CLIP)) == content


async def test_an_upload_that_fails_leaves_nothing(settings: Settings, front: ObjectFront) -> None:
    bucket, requests = bucket_of(settings), uploads_of(settings)
    part = part_of(bucket, os.urandom(LARGE))
    front.answer("partNumber=2", 403, "AccessDenied")
    with pytest.raises(StoreRefuses):
        await bucket.publish(CLIP, part)
    front.heal()
    assert part.exists()
    assert await requests.uploads(KEY) == []


async def test_uploads_of_other_keys_are_left_alone(settings: Settings, front: ObjectFront) -> None:
    """Also of one that begins with this one's name."""
    bucket, requests = bucket_of(settings), uploads_of(settings)
    other = f"{CLIP}.mp4"
    front.hold("partNumber=3")
    dying = asyncio.create_task(bucket.publish(other, part_of(bucket, os.urandom(LARGE), other)))
    await wait_for(lambda: front.count("partNumber=3"))
    dying.cancel()
    await asyncio.wait({dying})
    front.heal()
    await bucket.abort_uploads(CLIP)
    assert len(await requests.uploads(f"replay/clips/{other}")) == 1
    await bucket.abort_uploads(other)
    assert await requests.uploads(f"replay/clips/{other}") == []


async def test_a_store_that_is_overloaded_for_a_moment_is_asked_again(
    settings: Settings, front: ObjectFront
) -> None:
    bucket = bucket_of(settings)
    front.answer("^(PUT|GET|HEAD) ", 503, "SlowDown")
    publishing = asyncio.create_task(bucket.publish(CLIP, part_of(bucket, b"clip")))
    await wait_for(lambda: front.count("."))
    front.heal()
    await publishing
    assert await listed(bucket) == {CLIP: 4}


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("overloaded", "the store answers SlowDown"),
        ("cut", "it "),
        ("hanging", "it does not answer in time"),
    ],
)
async def test_a_store_that_is_away_is_told_and_takes_nothing(
    settings: Settings, front: ObjectFront, trouble: str, words: str
) -> None:
    bucket = bucket_of(settings, BRIEF)
    part = part_of(bucket, b"clip")
    {
        "overloaded": lambda: front.answer(".", 503, "SlowDown"),
        "cut": front.cut,
        "hanging": front.hold,
    }[trouble]()
    with pytest.raises(StoreAway) as away:
        await bucket.publish(CLIP, part)
    assert not isinstance(away.value, StoreRefuses)
    assert away.value.detail.startswith(f"{bucket.place}: {words}")
    assert part.exists()
    front.heal()
    await bucket.publish(CLIP, part)
    assert await listed(bucket) == {CLIP: 4}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"aws_secret_access_key": "x" * 32}, "our secret is not that of our key"),
        ({"aws_access_key_id": "nobody"}, "the store does not know our key"),
    ],
)
async def test_a_wrong_key_is_told_at_the_start(
    make_settings: MakeSettings, in_bucket: dict[str, str], given: dict[str, str], words: str
) -> None:
    settings = make_settings(**in_bucket | given)
    with pytest.raises(ConfigurationError) as refused:
        await opened_clips(settings, OURS)
    assert words in str(refused.value)
    assert "AWS4" not in str(refused.value)


async def test_no_key_at_all_is_told_at_the_start(
    make_settings: MakeSettings, in_bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither settings, files nor the machine's role have one."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    settings = make_settings(**in_bucket | {"aws_access_key_id": "", "aws_secret_access_key": ""})
    with pytest.raises(ConfigurationError) as refused:
        await opened_clips(settings, OURS)
    assert "there is no key for it: set AWS_ACCESS_KEY_ID" in str(refused.value)


async def test_a_key_is_found_in_the_files_of_aws(
    settings: Settings,
    make_settings: MakeSettings,
    in_bucket: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = tmp_path / "credentials"
    files.write_text(
        f"[default]\naws_access_key_id = {in_bucket['aws_access_key_id']}\n"
        f"aws_secret_access_key = {in_bucket['aws_secret_access_key']}\n"
    )
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(files))
    found = make_settings(**in_bucket | {"aws_access_key_id": "", "aws_secret_access_key": ""})
    clips = await opened_clips(found, OURS)
    await clips.publish(CLIP, part_of(clips, b"clip"))
    url = await clips.url(CLIP, MINUTE, "inline")
    assert url is not None
    async with httpx.AsyncClient() as client:
        assert (await client.get(url)).content == b"clip"


async def test_a_key_that_may_not_write_is_told_at_the_start(
    make_settings: MakeSettings, in_bucket: dict[str, str], seaweed: Seaweed
) -> None:
    key, secret = seaweed.guest
    settings = make_settings(
        **in_bucket | {"aws_access_key_id": key, "aws_secret_access_key": secret}
    )
    with pytest.raises(ConfigurationError) as refused:
        await opened_clips(settings, OURS)
    assert "our key may not put there: give it s3:PutObject" in str(refused.value)


async def test_a_bucket_that_is_not_there_is_told_at_the_start(
    make_settings: MakeSettings, in_bucket: dict[str, str], seaweed: Seaweed
) -> None:
    key, secret = seaweed.keeper
    settings = make_settings(
        **in_bucket
        | {
            "clips_url": "s3://no-such-bucket/clips",
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
        }
    )
    with pytest.raises(ConfigurationError) as refused:
        await opened_clips(settings, OURS)
    assert "there is no such bucket" in str(refused.value)


async def test_no_right_to_delete_is_told_at_the_start(
    settings: Settings, front: ObjectFront
) -> None:
    front.answer(r"^(DELETE|POST .*[?&]delete)", 403, "AccessDenied")
    with pytest.raises(ConfigurationError) as refused:
        await opened_clips(settings, OURS)
    assert "our key may not delete there: give it s3:DeleteObject" in str(refused.value)


async def test_a_start_goes_on_without_a_store_that_is_away(
    settings: Settings, front: ObjectFront
) -> None:
    """Shares are recorded all the same; whose prefix it is, is asked before the first clip."""
    front.cut()
    clips = await opened_clips(settings, OURS)
    front.heal()
    place = settings.clips_place
    assert place is not None
    await clip_bucket(settings, place, "deadbeef").probe()
    with pytest.raises(StoreRefuses) as refused:
        await clips.publish(CLIP, part_of(clips, b"clip"))
    assert "is of installation 'deadbeef'" in refused.value.detail
    with pytest.raises(StoreRefuses):
        await clips.remove([CLIP])
