"""The groups that operations stand in, by the first segment of their paths."""

from __future__ import annotations

from app.api import versions

TAGS = {
    "Sessions": "Short-lived tokens of this service, and what a caller's token is good for.",
    "Buffers": "What is kept of the shares: timelines, media, pictures, markers, and stopping.",
    "Rooms": "All shares of a room at once: on one clock, and captured together.",
    "Captures": "Asking for a clip, and following it until it is ready.",
    "Clips": "The library of clips: found, changed, opened to others, deleted, downloaded.",
    "Links": "What a clip's link opens for whoever has it, and what chats show of it.",
    "Quotas": "How many bytes a user's clips may take.",
    "Communities": "Rules, members and rooms of communities.",
    "Operation": "For admins of the instance: the audit, deliveries, numbers, checks.",
    "Health": "What machines ask: is it alive, is it ready, what are its numbers.",
    "LiveKit": "What livekit-server calls.",
    "Events": "What this service tells EVENTS_URL and EVENTS_TARGETS: a webhook for each event.",
    "Description": "This description.",
}
"""Name → what such operations are about."""

_OF_SEGMENT = {
    "session": "Sessions",
    "sessions": "Sessions",
    "buffers": "Buffers",
    "segments": "Buffers",
    "rooms": "Rooms",
    "captures": "Captures",
    "clips": "Clips",
    "files": "Clips",
    "archives": "Clips",
    "c": "Links",
    "oembed": "Links",
    "quota": "Quotas",
    "users": "Quotas",
    "communities": "Communities",
    "audit": "Operation",
    "events": "Operation",
    "operations": "Operation",
    "healthz": "Health",
    "readyz": "Health",
    "metrics": "Health",
    "webhooks": "LiveKit",
    "openapi.json": "Description",
}


def tag_of(path: str) -> str:
    """The group of the operations under a path."""
    _, first, *rest = path.removeprefix(versions.CURRENT).split("/")
    return "Sessions" if rest[-1:] == ["sessions"] else _OF_SEGMENT.get(first, first)
