"""The steps from one version of the rows to the next; each has an entry in deploy/CHANGELOG.

A step may be begun again after a crash in the middle of it, and even run twice at the same time
(when a process that was stopped for long wakes up): it changes only what is still as it was before
it. It names collections, fields and folders itself, because models go on to change after it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from app.migrations import (
    capture_permissions,
    clean_copy_fields,
    clip_ancestors,
    clip_chapters,
    clip_turns,
    close_folders,
    community_titles,
    complete_rows,
    delivery_targets,
    ended_rights,
    erased_ranges,
    leaving_admins,
    link_facts,
    marker_places,
    moment_ids,
    named_captures,
    opened_clips,
    people_claims,
    personal_marker_places,
    refused_sessions,
    request_hashes,
    separate_fragments,
    session_packs,
    shown_beside,
    slot_sharers,
    sound_levels,
    stepped_encodings,
    trimmed_clips,
    trims_in_place,
    view_counts,
)

Step = Callable[[AsyncDatabase[dict[str, Any]], Path], Awaitable[None]]

STEPS: tuple[Step, ...] = (
    complete_rows.migrate,
    clip_turns.migrate,
    marker_places.migrate,
    separate_fragments.migrate,
    leaving_admins.migrate,
    slot_sharers.migrate,
    people_claims.migrate,
    capture_permissions.migrate,
    close_folders.migrate,
    link_facts.migrate,
    clean_copy_fields.migrate,
    view_counts.migrate,
    delivery_targets.migrate,
    erased_ranges.migrate,
    personal_marker_places.migrate,
    named_captures.migrate,
    opened_clips.migrate,
    trimmed_clips.migrate,
    ended_rights.migrate,
    refused_sessions.migrate,
    moment_ids.migrate,
    request_hashes.migrate,
    shown_beside.migrate,
    trims_in_place.migrate,
    clip_chapters.migrate,
    stepped_encodings.migrate,
    clip_ancestors.migrate,
    session_packs.migrate,
    community_titles.migrate,
    sound_levels.migrate,
)
"""The first makes version 1 of a database without a version, the second makes version 2, …"""
