"""What the parameters of paths are, by their names."""

from __future__ import annotations

from typing import Any

_ID = {"type": "string", "minLength": 1, "examples": ["5f0c2d9e8b7a4c31d2e6f901"]}
_NAME = {
    "type": "string",
    "pattern": "^(?:[A-Za-z0-9_.-]{1,64}|~[A-Za-z0-9_-]+)$",
}
_HOW = (
    " Written as it is where it consists of at most 64 of `[A-Za-z0-9_.-]`; any other as `~` and "
    "its UTF-8 in base64url without padding."
)
PATH_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "buffer_id": ("Which share: `id` of a buffer.", _ID),
    "capture_id": ("Which capture: its `id`.", _ID),
    "clip_id": ("Which clip: its `id`.", _ID),
    "file_id": ("Which file: `file_id` of a clip.", _ID),
    "rendition_id": ("Which rendition of the clip: its `id`.", _ID),
    "secret": (
        "The secret of a clip's link: take it from `page_url`.",
        _ID | {"examples": ["q3Zk9yB1mX7uQm0c5dHn2wRt8vLs4pAe"]},
    ),
    "marker_id": ("Which marker: its `id`.", _ID),
    "event_id": (
        "Which event: its `id`.",
        _ID | {"examples": ["clip_shared:5f0c2d9e8b7a4c31d2e6f901:3f1a"]},
    ),
    "name": (
        "Opaque: take it from a playlist.",
        _ID | {"examples": ["6a1f09c3-5f0c2d9e8b7a4c31d2e6f901-0.m4s"]},
    ),
    "community": ("The community's name." + _HOW, _NAME | {"examples": ["default"]}),
    "identity": ("The user's identity." + _HOW, _NAME | {"examples": ["alice"]}),
    "room": ("The room's name." + _HOW, _NAME | {"examples": ["studio"]}),
}
"""Name → what it means, and its schema."""
