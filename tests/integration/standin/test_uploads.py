"""What the stand-in uploads into a bucket, and what it tells where it can't."""

from __future__ import annotations

import secrets

from livekit import api

from app.recording import egress_info, egress_request
from deploy.local.seaweed import Seaweed
from tests.egress_in_bucket import Bucket
from tests.integration.standin.conftest import Field
from tests.waiting import wait_for


def upload(store: Seaweed, bucket: str, secret: str) -> api.SegmentedFileOutput:
    s3 = api.S3Upload(
        bucket=bucket,
        access_key=store.keeper[0],
        secret=secret,
        endpoint=store.endpoint,
        region="us-east-1",
        force_path_style=True,
    )
    return egress_request.segments("replay/room/segment", 1, s3)


async def test_objects_come_in_order_and_a_wrong_key_is_told_by_its_code(
    field: Field, seaweed: Seaweed
) -> None:
    bucket = f"test-{secrets.token_hex(6)}"
    await seaweed.make_bucket(bucket)
    settings = {name.lower(): each for name, each in seaweed.buffer_settings(bucket).items()}
    there = Bucket(settings, seaweed.endpoint)
    room = f"uploads {secrets.token_hex(4)}"
    share = await field.share(room)
    tracks = (room, share.video_sid, share.audio_sid)
    wrong = await field.start(*tracks, segment_outputs=[upload(seaweed, bucket, "x" * 32)])
    right = await field.start(*tracks, segment_outputs=[upload(seaweed, bucket, seaweed.keeper[1])])
    info = await field.status(wrong, "EGRESS_FAILED")
    assert info.error_code == 400
    assert egress_info.error_of(info) == "S3 upload failed: SignatureDoesNotMatch"

    def named() -> list[str]:
        try:
            text = there.get("replay/room/live.m3u8").decode()
        except FileNotFoundError:
            return []
        return [line for line in text.splitlines() if line.endswith(".ts")]

    await wait_for(lambda: len(named()) >= 2)
    listed = {key.removeprefix("replay/room/") for key in there.listed()}
    assert set(named()) <= listed
    await field.stop(right)
    await field.status(right, "EGRESS_COMPLETE")
    assert there.get("replay/room/full.m3u8").endswith(b"#EXT-X-ENDLIST\n")
