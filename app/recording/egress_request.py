"""Where egress is asked to write: a folder that it sees, or a bucket, and how it gets in. Pure."""

from __future__ import annotations

from livekit.protocol.egress import (
    S3Upload,
    SegmentedFileOutput,
    SegmentedFileProtocol,
    SegmentedFileSuffix,
)

from app.buffer import paths
from app.settings import Settings


def prefix(settings: Settings, folder: str) -> str:
    """The file prefix of a session, whose folder is this one; in a bucket, that of its keys."""
    place = settings.buffer_place
    root = settings.egress_media_root if place is None else place.prefix
    return paths.filename_prefix(root, folder)


def s3(settings: Settings) -> S3Upload | None:
    """The bucket that a request names; None if it names none.

    Without a key or a role for egress it is its own storage, of its own configuration, which must
    be that bucket: then no secret travels in a request.
    """
    place = settings.buffer_place
    if place is None or not (settings.egress_s3_access_key or settings.egress_s3_role_arn):
        return None
    endpoint = settings.egress_s3_endpoint or settings.s3_endpoint
    return S3Upload(
        access_key=settings.egress_s3_access_key,
        secret=settings.egress_s3_secret.get_secret_value(),
        assume_role_arn=settings.egress_s3_role_arn,
        assume_role_external_id=settings.egress_s3_role_external_id,
        region=settings.s3_region,
        endpoint=endpoint,
        bucket=place.bucket,
        force_path_style=bool(endpoint) or "." in place.bucket,
    )


def segments(
    file_prefix: str, segment_seconds: int, bucket: S3Upload | None
) -> SegmentedFileOutput:
    """HLS in segments, with both playlists, and no manifest."""
    return SegmentedFileOutput(
        protocol=SegmentedFileProtocol.HLS_PROTOCOL,
        filename_prefix=file_prefix,
        playlist_name=paths.FULL_PLAYLIST,
        live_playlist_name=paths.LIVE_PLAYLIST,
        segment_duration=segment_seconds,
        filename_suffix=SegmentedFileSuffix.TIMESTAMP,
        disable_manifest=True,
        s3=bucket,
    )
