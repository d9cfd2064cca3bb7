"""Example rows of every collection, as the models of the code at hand write them.

    python -m tests.example_store

keeps them, as extended JSON, as those of the present version; the tests upgrade all that are kept.
The rows belong together: a share that goes on, one that is over, a marker, a clip that is ready,
one on its way, one that was deleted. What the code writes without a model, by an upsert of some
fields, has only those here too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import json_util
from odmantic import Model

from app.access.community_slots import sharer
from app.migrations import version
from app.models import schema

KEPT = Path(__file__).parent / "data/stores"

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FAR = datetime(2126, 1, 1, tzinfo=UTC)
"""For the dates after which MongoDB deletes a row by itself."""
Rows = list[dict[str, Any]]

ROOM = {"room": "studio", "room_sid": "RM_1"}
ALICE = ROOM | {"identity": "alice"}
SHARE = ALICE | {"community": "default"}


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def written(model: type[Model], *rows: dict[str, Any]) -> Rows:
    """Rows as a model writes them: what is not given has its default."""
    return [model(**row).model_dump_doc() for row in rows]


def facts() -> dict[str, Rows]:
    """Upserts: the first event of a sid writes what it knows."""
    person = {"opted_out": False, "community": None, "unlisted_at": None}
    joined = ALICE | person | {"joined_at": ago(900), "left_at": None}
    left = ROOM | person | {"identity": "bob", "joined_at": None, "left_at": ago(60)}
    track = ALICE | {
        "participant_sid": "PA_1", "video": True, "width": 1280, "height": 720, "mime": "video/vp8",
        "encrypted": False, "missing": 0, "published_at": ago(900), "ended_at": None, "live": True,
    }  # fmt: skip
    room = {"name": "studio", "community": "default", "finished_at": None, "missing": 0}
    return {
        "rooms": [{"_id": "RM_1"} | room],
        "participants": [{"_id": "PA_1"} | joined, {"_id": "PA_2"} | left],
        "tracks": [{"_id": "TR_1"} | track],
    }


def recorded() -> dict[str, Rows]:
    """Two shares: one goes on, the other is over."""
    share = SHARE | {"participant_sid": "PA_1"}
    step = {"encoding": "1280x720@15:1500", "why": "egress-behind", "at": ago(600)}
    session = ALICE | {"segment_seconds": 2, "width": 1280, "height": 720, "egress_id": "EG_1"}
    now = {"role": "current", "status": "EGRESS_ACTIVE", "clock_ns": 1_795_176_000_000_000_000}
    was = {"role": None, "status": "EGRESS_COMPLETE", "indexing": None, "ended_at": ago(500)}
    return {
        "buffers": written(
            schema.Buffer,
            share | {"id": "b1", "video_sid": "TR_1", "since": ago(900), "told": "recording",
                     "step": step, "told_encoding": "1280x720@15:1500"},
            share | {"id": "b0", "video_sid": "TR_0", "since": ago(1800), "ended_at": ago(500),
                     "stops": {"sharer": "lunch"}},
        ),
        "sessions": written(
            schema.EgressSession,
            session | now | {"id": "s1", "buffer_id": "b1", "video_sid": "TR_1", "folder": "a/s1",
                             "created_at": ago(900), "active_at": ago(898), "clock_exact": True,
                             "encoding": "1280x720@15:1500", "encoding_why": "egress-behind",
                             "behind_at": ago(30)},
            session | was | {"id": "s0", "buffer_id": "b0", "video_sid": "TR_0", "folder": "a/s0",
                             "created_at": ago(1800)},
        ),
        "encoding_steps": written(schema.EncodingStep, step | {"id": "last", "buffer_id": "b1"}),
        "segments": written(schema.Segment, *(segment(n) for n in range(3))),
        "summaries": [
            {"_id": "s0", "through": 29, "floor": 0, "runs": [], "newest_at": ago(500)},
            {"_id": "s1", "kept_from_ticks": 324_000_000, "kept_from": 0},
        ],
        "packs": written(
            schema.Pack,
            {"id": "k1", "session_id": "s1", "state": "written", "tag": "\"0a\"",
             "start_ticks": 324_000_000, "end_ticks": 324_180_000, "created_at": ago(50),
             "fragments": [{"sequence": 0, "offset": 0, "length": 5_242_880, "modified_ns": 1}]},
        ),
        "pins": written(
            schema.Pin,
            {"id": "p1", "owner": "marker:m1", "session_id": "s1", "start_ticks": 324_000_000,
             "until": FAR},
        ),
        "markers": written(
            schema.Marker,
            {"id": "m1", "buffer_id": "b1", "at": ago(30), "label": "goal", "by": "bob",
             "place": 0, "personal_place": 0, "created_at": ago(28),
             "kept_until": NOW + timedelta(minutes=30)},
        ),
    }  # fmt: skip


def segment(sequence: int) -> dict[str, Any]:
    start_ticks = 324_000_000 + sequence * 180_000
    fault = {"state": "quarantined", "fault": "truncated"} if sequence == 1 else {}
    return fault | {
        "id": f"s1/{sequence}", "session_id": "s1", "buffer_id": "b1", "sequence": sequence,
        "name": f"seg_{sequence}.m4s", "start": ago(60 - 2 * sequence),
        "end": ago(58 - 2 * sequence), "start_ticks": start_ticks,
        "end_ticks": start_ticks + 180_000, "extinf_seconds": 2.0, "size_bytes": 100_000,
        "modified_ns": 1_795_176_000_000_000_000, "init_id": "i1", "audio": True, "frames": 30,
        "width": 1280, "height": 720, "samples": bytes(16),
        "levels": bytes(range(60, 68)), "indexed_at": ago(57 - 2 * sequence),
    }  # fmt: skip


def kept() -> dict[str, Rows]:
    """Three captures and their clips: ready, on its way, deleted."""
    window = {
        "requested_start": ago(40), "requested_end": ago(10), "window_start": ago(40),
        "window_end": ago(10), "wait_until": NOW, "accepted_at": ago(9),
        "spans": [{"session_id": "s1", "start_ticks": 324_000_000, "end_ticks": 324_540_000}],
    }  # fmt: skip
    asked = SHARE | window | {"caller": "bob", "buffer_id": "b1"}
    shown: dict[str, Any] = ROOM | {"owner": "bob", "shared_by": "alice", "buffer_id": "b1"}
    shown |= {"requested_start": ago(40), "requested_end": ago(10), "created_at": ago(9)}
    done = {"ready": True, "delivered_start": ago(40), "delivered_end": ago(10), "audio": True}
    file = {"filename": "goal.mp4", "uploaded_by": "bob", "created_at": ago(9), "size_bytes": 5000}
    finished = {"status": "ready", "progress": 1.0, "named": True, "finished_at": ago(5)}
    return {
        "captures": written(
            schema.Capture,
            asked | finished | {"id": "c1", "clip_id": "k1", "idempotency_key": "once b1",
                                "moment_id": "m1"},
            asked | {"id": "c2", "clip_id": "k2", "status": "queued", "lease_until": NOW,
                     "reserved_bytes": 7000},
            asked | finished | {"id": "c3", "clip_id": "k3",
                                "trim": {"clip_id": "k1", "start_seconds": 1.0,
                                         "end_seconds": 2.0}},
        ),
        "clip_owners": [{"_id": "bob", "seen_at": ago(60)}],
        "clips": written(
            schema.ReplayClip,
            shown | done | {"id": "k1", "capture_id": "c1", "file_id": "f1", "title": "That goal",
                            "visibility": "link", "link_secret": "s" * 32, "grant": 2,
                            "moment_id": "m1",
                            "opened": True, "deletion_request": {
                                "requested_by": "alice", "reason": "", "requested_at": ago(3)}},
            shown | {"id": "k2", "capture_id": "c2", "file_id": "f2"},
            shown | done | {"id": "k3", "capture_id": "c3", "file_id": "f3",
                            "deleted_at": ago(2), "turn": 1, "opened": True, "closed_by": "alice",
                            "trimmed_from": "k1", "ancestors": ["k1"]},
        ),
        "files": written(
            schema.File,
            file | {"id": "f1", "storage_path": "replays/bob/1.mp4", "resource_id": "k1",
                    "checksum": "sha256:" + "0" * 64},
            file | {"id": "f3", "storage_path": "replays/bob/3.mp4", "resource_id": "k3"},
        ),
        "renditions": written(
            schema.Rendition,
            {"id": "r1", "clip_id": "k1", "caller": "bob", "content": "gif 0.000 5.000",
             "format": "gif", "start_seconds": 0.0, "end_seconds": 5.0, "status": "queued",
             "storage_path": "replays/bob/1.r1.gif", "accepted_at": ago(4), "lease_until": NOW},
        ),
    }  # fmt: skip


def allowed() -> dict[str, Rows]:
    """Rules, roles, quotas, and who changed them."""
    return {
        "communities": written(
            schema.Community,
            {"id": "default", "slots": ["b1"], "sharers": {sharer("alice"): ["b1"]}},
            {"id": "guests", "title": "Our guests", "enabled": False, "max_concurrent": 2,
             "sharer_rights": "delete"},
        ),
        "instance_rules": written(
            schema.NotedRules, {"id": "instance", "access": "open", "capture_policy": "self"}
        ),
        "assigned_rooms": written(schema.AssignedRoom, {"id": "lobby", "community": "guests"}),
        "members": written(
            schema.Member,
            {"id": "fb5a0427ffe2a6fd04eb1a4e92651c37", "community": "default", "identity": "bob",
             "role": "moderator", "grants": ["CAPTURE_REPLAY"]},
        ),
        "rights": [
            {"_id": "alice", "watching": 0, "sharing": 1, "sessions": 0, "holders": ["0a" * 8],
             "ended_at": None},
        ],
        "deeds": written(
            schema.Deed,
            {"id": "d1", "at": NOW, "due_at": NOW, "identity": "ops", "action": "member_set",
             "subject": "bob", "data": {"community": "default", "role": "moderator"}},
        ),
        "quotas": written(
            schema.UserReplayQuota,
            {"id": "bob", "used_bytes": 5000, "held_bytes": 12_000, "charges": {"k1": 5000},
             "reservations": {"k2": 7000}, "turns": {"k3": 1}},
        ),
        "audit": written(
            schema.AuditEntry,
            {"id": "a1", "at": ago(2), "identity": "bob", "action": "clip_deleted", "subject": "k3",
             "room": "studio"},
        ),
    }  # fmt: skip


def told() -> dict[str, Rows]:
    """Events: one delivered, one to be delivered; numbers; and a sample of the measures."""
    data = {"buffer_id": "b1", "community": "default"}
    event = ALICE | {"event": "buffer_started", "data": data, "next_try_at": ago(890)}
    target = {"state": "pending", "attempts": 0, "next_try_at": ago(890), "last_error": ""}
    taken = target | {"state": "delivered", "attempts": 1}
    return {
        "events": written(
            schema.OutgoingEvent,
            event | {"id": "e1", "number": 1, "created_at": ago(890), "state": "delivered",
                     "delivered_at": FAR, "targets": {"default": taken}},
            event | {"id": "e2", "number": 2, "created_at": ago(5),
                     "targets": {"default": target}},
        ),
        "event_numbers": written(
            schema.EventNumber, {"id": "studio", "number": 1, "told_at": FAR}
        ),
        "samples": written(
            schema.Sample,
            {"id": int(ago(60).timestamp()), "free_disk_bytes": 10**10, "buffered_bytes": 10**8,
             "clips_bytes": 5000, "media_lag_seconds": 1.5, "index_lag_seconds": None,
             "active_sessions": 1},
        ),
    }  # fmt: skip


def rows() -> dict[str, Rows]:
    """By collection."""
    return facts() | recorded() | kept() | allowed() | told()


def text() -> str:
    """The rows as they are kept."""
    return json_util.dumps(rows(), indent=1, sort_keys=True) + "\n"


def file_of(number: int) -> Path:
    """Where the rows of a version are kept."""
    return KEPT / f"version_{number}.json"


def versions() -> list[int]:
    """Of which versions rows are kept, the oldest first."""
    return sorted(int(path.stem.removeprefix("version_")) for path in KEPT.glob("version_*.json"))


if __name__ == "__main__":
    file_of(version.VERSION).write_text(text())
