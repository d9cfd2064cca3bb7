"""Many shares at once whose egresses are played on disk, at a pace, by a thread."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.buffer import paths
from app.context import Context
from app.models import EgressStatus
from app.models.schema import Buffer, EgressSession
from tests.bench.stretching import Stretcher
from tests.egress_on_disk import LIVE_WINDOW, DiskEgress
from tests.rows import document

TICKS = 90_000
_FULL_EVERY = LIVE_WINDOW
"""full.m3u8 costs more the longer it is. So seldom it still lists all that left live.m3u8's window:
who has fallen behind can go on."""


def endless(cycle: Sequence[Path], each: int, count: int) -> list[bytes]:
    """`count` consecutive segments of `each` seconds, from a cycle's repeated."""
    stretcher = Stretcher()
    made = []
    for number in range(count):
        turn, place = divmod(number, len(cycle))
        ticks = turn * len(cycle) * each * TICKS
        made.append(stretcher.shifted(cycle[place].read_bytes(), ticks))
    return made


@dataclass
class Broadcast:
    """Shares that all send the same segments. `named_at[id]`: when (time.perf_counter) the playlist
    line of the segment with this row id was on the disk."""

    segments: Sequence[bytes]
    each_seconds: int
    egresses: dict[str, DiskEgress] = field(default_factory=dict)
    named_at: dict[str, float] = field(default_factory=dict)
    late_seconds: float = 0.0
    """How far the writer itself fell behind its pace, at most."""

    async def open(self, ctx: Context, shares: int, ago_seconds: float = 0.0) -> None:
        """Writes the rows and makes the folders of `shares`, as the recorder does.

        They began `ago_seconds` ago: no media is taken that reaches further than its share can.
        """
        now = datetime.now(UTC) - timedelta(seconds=ago_seconds)
        buffers: list[Any] = []
        sessions: list[Any] = []
        for number in range(shares):
            session_id = paths.new_session_id(ctx.instance, now)
            share: dict[str, Any] = {"room": f"room-{shares}-{number}", "identity": "sharer"}
            share |= {"room_sid": f"RM_{share['room']}", "video_sid": f"TR_{number}"}
            buffer_id = paths.buffer_id(ctx.instance, share["room_sid"], share["video_sid"])
            folder = str(paths.session_folder(share["room"], "sharer", session_id))
            session = EgressSession(
                id=session_id,
                buffer_id=buffer_id,
                folder=folder,
                created_at=now,
                active_at=now,
                status=EgressStatus.ACTIVE,
                segment_seconds=self.each_seconds,
                clock_ns=int(now.timestamp() * 1000) * 1_000_000,
                clock_exact=True,
                **share,
            )
            buffer = Buffer(id=buffer_id, participant_sid=f"PA_{number}", since=now, **share)
            buffers.append(document(buffer))
            sessions.append(document(session))
            self.egresses[session_id] = DiskEgress(
                ctx.settings.media_root / folder, now, full_every=_FULL_EVERY
            )
        await ctx.store.rows(Buffer).insert_many(buffers)
        await ctx.store.rows(EgressSession).insert_many(sessions)

    def send(self, pace_seconds: float, seconds: float, stopped: threading.Event) -> None:
        """Each share names a segment every `pace_seconds`, all evenly spread, until the time is
        over, the segments are, or `stopped` is set. Blocks."""
        began = time.perf_counter()
        spread = pace_seconds / len(self.egresses)
        due = [(began + place * spread, name, 0) for place, name in enumerate(self.egresses)]
        heapq.heapify(due)
        while due and not stopped.is_set():
            at, name, number = heapq.heappop(due)
            if at > began + seconds:
                return
            wait_seconds = at - time.perf_counter()
            if wait_seconds > 0:
                time.sleep(wait_seconds)
            self.late_seconds = max(self.late_seconds, -wait_seconds)
            egress = self.egresses[name]
            egress.write_segment(self.segments[number], self.each_seconds)
            egress.name_segments()
            self.named_at[f"{name}:{number}"] = time.perf_counter()
            if number + 1 < len(self.segments):
                heapq.heappush(due, (at + pace_seconds, name, number + 1))
