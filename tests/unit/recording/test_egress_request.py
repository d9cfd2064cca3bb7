"""What egress is asked for: a folder that it sees, or a bucket by whichever way in it has."""

from __future__ import annotations

import pytest
from livekit.protocol.egress import EgressInfo

from app.buffer import paths
from app.recording import egress_info, egress_request
from app.settings import Settings, load

FOLDER = "replay-buffer/room-1/ann-2/8b5b66d7-01a222f78e5bcfbfde54a349"
SECRET = "the-secret-of-egress"
KEY = {"egress_s3_access_key": "k", "egress_s3_secret": SECRET}


def settings(**given: object) -> Settings:
    own = {"livekit_api_key": "k", "livekit_api_secret": "s" * 32, "file_upload_dest": "/srv/r"}
    return load(_env_file=None, **(own | given))


def test_a_folder_is_asked_for_by_its_path_and_no_bucket() -> None:
    found = settings()
    assert egress_request.prefix(found, FOLDER) == f"/srv/r/{FOLDER}/segment"
    output = egress_request.segments("/out/segment", 2, egress_request.s3(found))
    assert output.WhichOneof("output") is None
    assert (output.playlist_name, output.live_playlist_name) == ("full.m3u8", "live.m3u8")


def test_a_bucket_is_asked_for_by_keys_below_our_prefix() -> None:
    found = settings(buffer_url="s3://bucket/replay/buffer", **KEY)
    prefix = egress_request.prefix(found, FOLDER)
    assert prefix == f"replay/buffer/{FOLDER}/segment"
    assert paths.folder_of_prefix(prefix) == FOLDER
    output = egress_request.segments(prefix, 2, egress_request.s3(found))
    assert output.WhichOneof("output") == "s3"
    told = (output.s3.bucket, output.s3.access_key, output.s3.secret, output.s3.region)
    assert told == ("bucket", "k", SECRET, "us-east-1")
    assert (output.s3.endpoint, output.s3.force_path_style) == ("", False)


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({"s3_endpoint": "http://127.0.0.1:8333"}, "http://127.0.0.1:8333"),
        (
            {"s3_endpoint": "http://127.0.0.1:8333", "egress_s3_endpoint": "http://weed:8333"},
            "http://weed:8333",
        ),
    ],
)
def test_a_store_of_ones_own_is_asked_by_its_path(given: dict[str, str], endpoint: str) -> None:
    s3 = egress_request.s3(settings(buffer_url="s3://bucket/replay", **KEY, **given))
    assert s3 is not None
    assert (s3.endpoint, s3.force_path_style) == (endpoint, True)


def test_no_secret_travels_where_egress_has_another_way_in() -> None:
    assert egress_request.s3(settings(buffer_url="s3://bucket/replay")) is None
    role = {"egress_s3_role_arn": "arn:aws:iam::1:role/r", "egress_s3_role_external_id": "x"}
    s3 = egress_request.s3(settings(buffer_url="s3://bucket/replay", **role))
    assert s3 is not None
    assert (s3.assume_role_arn, s3.assume_role_external_id) == ("arn:aws:iam::1:role/r", "x")
    assert (s3.access_key, s3.secret) == ("", "")
    assert SECRET not in repr(settings(buffer_url="s3://bucket/replay", **KEY))


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (
            "S3 upload failed: operation error S3: PutObject, https response error StatusCode: "
            "403, RequestID: 1, api error SignatureDoesNotMatch: <StringToSign>AWS4",
            "S3 upload failed: SignatureDoesNotMatch",
        ),
        ("S3 upload failed: https response error StatusCode: 503, x", "S3 upload failed: 503"),
        ("S3 upload failed: dial tcp 10.0.0.1", "S3 upload failed"),
        ("Local upload failed: no space left", "Local upload failed: no space left"),
        ("", ""),
    ],
)
def test_of_a_stores_words_no_more_is_kept_than_a_code(error: str, kept: str) -> None:
    assert egress_info.error_of(EgressInfo(error=error)) == kept
