"""Attributes of LiveKit's participants that mean something here, by name. Pure."""

from __future__ import annotations

WILL = "replay"
"""`off`: they refuse to be buffered."""
COMMUNITY = "replay.community"
"""The community that their token names."""
READ = (WILL, COMMUNITY)
"""Those that others set."""
BUFFERED = "replay.buffered"
"""`on`, as we set it: a share of theirs is being buffered."""
