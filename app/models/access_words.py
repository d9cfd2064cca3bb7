"""What somebody may do in a community, as rows and callers say it.

The values are those of the design they come from, so that an app that knows them by these names
need not translate.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What somebody may do in a community."""

    ENABLE_REPLAY_BUFFER = "enable_replay_buffer"
    CAPTURE_REPLAY = "capture_replay"
    MANAGE_REPLAY_LIMITS = "manage_community_replay_config"
