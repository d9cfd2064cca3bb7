"""What the stand-in reads from a request, and the psrpc messages that carry it."""

from __future__ import annotations

from typing import Any

import pytest
from livekit import api
from livekit.protocol import egress as proto

from deploy.local.standin import messages, request
from deploy.local.standin.places import S3Storage
from deploy.local.standin.request import Encoding


def composite(**fields: Any) -> proto.TrackCompositeEgressRequest:
    output = proto.SegmentedFileOutput(filename_prefix="/out/seg", segment_duration=4)
    given = {"room_name": "r", "video_track_id": "TR_v", "segment_outputs": [output]}
    return proto.TrackCompositeEgressRequest(**(given | fields))


def test_reads_every_preset() -> None:
    """All of LiveKit's encoding presets but PASSTHROUGH are known."""
    for name, number in proto.EncodingOptionsPreset.items():
        if name == "PASSTHROUGH":
            continue
        encoding = request.parse(composite(preset=number)).encoding
        assert str(min(encoding.width, encoding.height)) + "P" in name
        assert name.endswith(str(encoding.framerate))
        assert (encoding.height > encoding.width) == name.startswith("PORTRAIT")


def test_reads_advanced_options() -> None:
    """What is given counts, the rest is LiveKit's default."""
    advanced = api.EncodingOptions(width=640, height=360, video_bitrate=600)
    assert request.parse(composite(advanced=advanced)).encoding == Encoding(640, 360, 30, 600)
    assert request.parse(composite()).encoding == Encoding(1920, 1080, 30, 4500)


def test_reads_the_older_field_of_one_output() -> None:
    """The output in `segments` is as good as one in `segment_outputs`."""
    output = proto.SegmentedFileOutput(filename_prefix="/old/seg", segment_duration=2)
    parsed = request.parse(composite(segment_outputs=[], segments=output))
    assert (str(parsed.layout.prefix), parsed.segment_seconds) == ("/old/seg", 2)
    assert parsed.track_ids == ["TR_v"]
    assert parsed.manifest


def uploads(prefix: str, **given: Any) -> proto.SegmentedFileOutput:
    s3 = proto.S3Upload(bucket="b", access_key="k", secret="s", **given)
    return proto.SegmentedFileOutput(filename_prefix=prefix, s3=s3)


def test_a_bucket_is_that_of_the_request_else_the_workers_own() -> None:
    """Keys begin without a slash, whether the prefix does or not."""
    own = S3Storage("own", "http://127.0.0.1:1", "us-east-1", "k", "s", True)
    assert request.parse(composite()).storage is None
    for prefix in ("/replay/seg", "replay/seg"):
        parsed = request.parse(composite(segment_outputs=[uploads(prefix)]), own)
        assert parsed.storage == S3Storage("b", "", "us-east-1", "k", "s", False)
        assert str(parsed.layout.prefix) == "replay/seg"
    assert request.parse(composite(), own).storage == own
    assert S3Storage.configured({}) is None
    given = {"bucket": "own", "endpoint": "http://127.0.0.1:1", "access_key": "k", "secret": "s"}
    assert S3Storage.configured({"s3": given | {"force_path_style": True}}) == own


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"segment_outputs": []}, "one segment output"),
        ({"video_track_id": ""}, "video_track_id"),
        ({"segment_outputs": [uploads("x/seg", assume_role_arn="arn:aws:iam::1:role/r")]}, "role"),
        ({"advanced": api.EncodingOptions(width=333, height=200)}, "333x200"),
        ({"advanced": api.EncodingOptions(width=8, height=8)}, "8x8"),
        ({"preset": proto.EncodingOptionsPreset.PASSTHROUGH}, "PASSTHROUGH"),
    ],
)
def test_refuses_with_the_reason(fields: dict[str, Any], says: str) -> None:
    """What egress refuses, or the stand-in does not do, is refused by name."""
    with pytest.raises(ValueError, match=says):
        request.parse(composite(**fields))


def test_messages_have_psrpc_bytes() -> None:
    """A ClaimRequest is laid out as the server reads it (psrpc v0.7.2)."""
    claim = messages.ClaimRequest(
        request_id="REQ_abcdefghijkl", server_id="SRV_abcdefghijkl", affinity=0.5
    )
    payload = messages.wrap(claim)
    assert payload == (
        b"\x0a\x29type.googleapis.com/internal.ClaimRequest\x12\x29"
        b"\x0a\x10REQ_abcdefghijkl\x12\x10SRV_abcdefghijkl\x1d\x00\x00\x00\x3f"
    )
    assert messages.unwrap(payload) == claim


@pytest.mark.parametrize(
    "payload", [b"\xff\xff", b"", messages.Msg(type_url="x").SerializeToString()]
)
def test_other_payloads_are_refused(payload: bytes) -> None:
    """What is no psrpc message is an error, not a crash of the worker."""
    with pytest.raises(ValueError, match="psrpc message"):
        messages.unwrap(payload)
