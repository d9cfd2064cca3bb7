"""Names on disk: how true names become folders, and back to a session's id. Pure.

    {media root}/replay-buffer/{room}/{user}/{session id}/segment_….ts   written by egress
    {media root}/fragments/{room}/{user}/{session id}/{sequence}.m4s     its fragment
                                                      {sequence}.jpg     its tile on a sheet
    {media root}/replays/{owner}/{accepted at}-{short id}.mp4            a clip, which in a bucket
                                                                         is replays/{clip id}.mp4
    {media root}/thumbnails/{clip id}/                                   its pictures
    packs/{session id}/{pack id}          in the bucket of clips: media of some fragments

Only `replay-buffer` is shared with egress. All else is ours alone.

A folder name is an ASCII slug for people plus a hash of the true name for uniqueness, so it never
holds a separator, a dot at its start or a template variable of LiveKit's, whatever the name was.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from pathlib import PurePosixPath

BUFFER_ROOT = "replay-buffer"
FRAGMENTS_ROOT = "fragments"
CLIPS_ROOT = "replays"
THUMBNAILS_ROOT = "thumbnails"
PACKS_ROOT = "packs"
SESSION_DEPTH = 4
"""Of a session's folder below the media root: buffer root, room, user, session."""
SEGMENT_PREFIX = "segment"
FULL_PLAYLIST = "full.m3u8"
LIVE_PLAYLIST = "live.m3u8"

FRAGMENT_NAME = re.compile(r"\d{8,}\.m4s")
TILE_NAME = re.compile(r"\d{8,}\.jpg")
INIT_NAME = re.compile(r"init-[0-9a-f]+\.mp4")
"""What `fragment_name`, `tile_name` and `init_name` give."""

_NAMELESS = re.compile(rf"{CLIPS_ROOT}/[0-9a-f]{{24}}(\.clean|\.[0-9a-f]{{24}})?\.(mp4|gif|webp)")
_SLUG_LENGTH = 40
_HASH_LENGTH = 10
_SESSION_ID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{24})")


def folder_name(true_name: str) -> str:
    """A folder name for a room's, user's or owner's true name: `[a-z0-9-]`, at most 51 characters.

    Equal for equal names; different names differ in the hash (40 bits of SHA-256) even where
    their slugs agree.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", true_name.lower())[:_SLUG_LENGTH].strip("-") or "x"
    digest = hashlib.sha256(true_name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{slug}-{digest[:_HASH_LENGTH]}"


def new_session_id(instance: str, now: datetime) -> str:
    """`{instance}-{24 hex digits}`: ms since 1970 (12), then 48 random bits. Sorts by time."""
    return f"{instance}-{int(now.timestamp() * 1000):012x}{secrets.token_hex(6)}"


def instance_of(session_id: str) -> str | None:
    """The instance id within a session id; None if it is not the name of a session."""
    match = _SESSION_ID.fullmatch(session_id)
    return match.group(1) if match else None


def session_folder(room: str, identity: str, session_id: str) -> PurePosixPath:
    """A session's folder, in which egress writes, relative to the media root."""
    return PurePosixPath(BUFFER_ROOT, folder_name(room), folder_name(identity), session_id)


def segment_id(session_id: str, sequence: int) -> str:
    """The id of a segment's row."""
    return f"{session_id}:{sequence}"


def fragment_name(sequence: int) -> str:
    """The file name of a segment's fragment."""
    return f"{sequence:08d}.m4s"


def init_name(init_id: str) -> str:
    """The file name of an init segment, next to the fragments that need it."""
    return f"init-{init_id}.mp4"


def tile_name(sequence: int) -> str:
    """The file name of a segment's tile, next to its fragment. It is there once it was drawn."""
    return f"{sequence:08d}.jpg"


def filename_prefix(egress_media_root: str, folder: str) -> str:
    """The prefix for egress: absolute as egress sees the media root, without template variables."""
    return f"{egress_media_root}/{folder}/{SEGMENT_PREFIX}"


def session_of_prefix(prefix: str) -> str | None:
    """The session id that a filename prefix (or playlist location) carries; None if not ours."""
    parts = PurePosixPath(prefix).parts
    if len(parts) < 2 or instance_of(parts[-2]) is None:
        return None
    return parts[-2]


def folder_of_prefix(prefix: str) -> str | None:
    """The session's folder that a filename prefix is in, wherever egress sees it; None if none."""
    parts = prefix.split("/")
    is_whole = len(parts) > SESSION_DEPTH + 1 and parts[-1] == SEGMENT_PREFIX
    return "/".join(parts[-SESSION_DEPTH - 1 : -1]) if is_whole else None


def buffer_id(instance: str, room_sid: str, video_sid: str) -> str:
    """The opaque id of the buffer of a share that begins with a video track: 24 hex digits, the
    same in every process."""
    return hashlib.sha256(f"{instance}/{room_sid}/{video_sid}".encode()).hexdigest()[:24]


def clip_path(owner: str, accepted_at: datetime, clip_id: str) -> PurePosixPath:
    """A clip's file, relative to the root of its storage."""
    stamp = accepted_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    return PurePosixPath(CLIPS_ROOT, folder_name(owner), f"{stamp}-{clip_id[:8]}.mp4")


def nameless_clip_path(clip_id: str) -> PurePosixPath:
    """A clip's file where its path is told to whoever reads it: no name of anybody, and no time."""
    return PurePosixPath(CLIPS_ROOT, f"{clip_id}.mp4")


def is_nameless(storage_path: str) -> bool:
    """Whether the path of a clip's file, or of its copy, tells nobody whose it is."""
    return _NAMELESS.fullmatch(storage_path) is not None
