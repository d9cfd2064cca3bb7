"""Everything that can be asked for: who asks needs not know the room that does it."""

from __future__ import annotations

from app.work.jobs import Errand, seconds

RECONCILE: Errand[str, str] = Errand("reconcile", until_begun=True)
"""Make what is recorded of a participant (room sid, identity) what should be."""

RECONCILE_ROOM: Errand[str] = Errand("reconcile_room", until_begun=True)
"""Ask for the reconcile of everybody who shares, or is recorded, in a room (its sid)."""

ATTEND: Errand[str] = Errand("attend", until_begun=True)
"""Compare who is in a room (its sid) with what LiveKit says."""

READ_ROOMS: Errand[()] = Errand("read_rooms", until_begun=True)
"""Compare the people of rooms that no survey could read in its time with what LiveKit says."""

RECONCILE_EGRESS: Errand[str] = Errand("reconcile_egress", until_begun=True)
"""Make what is recorded of whom an egress (its id) records what should be."""

PROBE: Errand[str] = Errand("probe", once_in=seconds(5))
"""Ask whether anybody still serves the egress of a session (its id), which writes nothing."""

LEARN_CLOCK: Errand[str] = Errand("learn_clock", once_in=seconds(2))
"""Ask LiveKit for the clock of a session (its id)."""

CAPTURE: Errand[str] = Errand("capture")
"""Bring a capture (its id) as far as it can be brought."""

CLEAN_COPY: Errand[str] = Errand("clean_copy", once_in=seconds(2))
"""Make the copy of a clip (its id) without what it hides before its start."""

RENDITION: Errand[str] = Errand("rendition", once_in=seconds(2))
"""Bring a rendition of a clip (its id) as far as it can be brought."""

DELIVER: Errand[str] = Errand("deliver", until_begun=True)
"""Have what is due of a room's events (its name) said and sent."""

POST: Errand[str, str] = Errand("post", until_begun=True)
"""Post what is due of a room's events (its name) to a target (its name)."""

ERASE: Errand[str] = Errand("forget", once_in=seconds(1))
"""Delete what is to be erased of a share (its buffer's id)."""
