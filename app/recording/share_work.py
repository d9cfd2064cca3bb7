"""One share within a reconcile: what is known of it is carried on, what is to be written waits.

What waits is written before anything is asked of LiveKit, and at the end: all of it in one command,
in the order in which it was noted, after what the share's own row says and before its event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import structlog

from app import metrics
from app.context import Context
from app.events import outbox
from app.models import BufferRow, Row, SessionRole, SessionRow, TrackRow, Why
from app.models.metric_words import ErrorKind
from app.models.news_words import ShareNews
from app.models.schema import Buffer, EgressSession, EncodingStep
from app.recording import admission, share_events
from app.recording.admission import Admission
from app.recording.known import LAST_STEP, Known
from app.recording.livekit import LiveKit
from app.recording.share_events import News
from app.recording.share_facts import Chosen, ShareFacts
from app.store import Change
from app.work.share_rates import Often

log = structlog.get_logger()


@dataclass
class ShareWork:
    """`active` are the share's sessions that have a role. `is_new`: its buffer has no row yet.

    `is_stale`: more has changed than is known here, and is to be read.
    """

    ctx: Context
    livekit: LiveKit
    known: Known
    track: TrackRow
    admitted: Admission
    buffer: BufferRow
    active: list[SessionRow]
    is_new: bool = False
    is_stale: bool = False
    _of_buffer: Row = field(default_factory=dict)
    _changes: list[Change] = field(default_factory=list)
    _slot: list[Change] = field(default_factory=list)
    _freeing: list[Change] = field(default_factory=list)
    _news: News | None = None

    def set_buffer(self, fields: Row) -> None:
        """Sets fields of the buffer's row."""
        self.buffer = cast(BufferRow, self.buffer | fields)
        self._of_buffer |= fields
        self.known.note_buffer(self.buffer)

    def add_session(self, row: SessionRow) -> None:
        """Makes the row of a session, which nobody else may have made: see `write`."""
        self.active.append(row)
        self._changes.append(Change(EgressSession, {**row}))

    def set_session(self, row: SessionRow, fields: Row, **where: Any) -> None:
        """Sets fields of a session's row."""
        which = {"_id": row["_id"]} | where
        self._changes.append(Change(EgressSession, {"$set": fields}, which))
        self.now_is(cast(SessionRow, row | fields))

    def now_is(self, row: SessionRow) -> None:
        """Carries on a session's row as it was written."""
        others = [each for each in self.active if each["_id"] != row["_id"]]
        self.active = others if row["role"] is None else [*others, row]

    def step_down(self, to: Chosen) -> None:
        """Notes that the share goes on in a cheaper encoding, and that egress can't keep up."""
        buffer, now = self.buffer, datetime.now(UTC)
        step: Row = {"encoding": to.name, "why": to.why, "at": now}
        self.set_buffer({"step": step})
        last = {"$set": step | {"buffer_id": buffer["_id"]}}
        self._changes.append(Change(EncodingStep, last, {"_id": LAST_STEP}, or_new=True))
        metrics.ENCODING_STEPS.labels(to.why).inc()
        share = {"room": buffer["room"], "identity": buffer["identity"]}
        log.warning("encoding_stepped_down", **share, encoding=to.name, why=to.why)

    def take_slot(self) -> None:
        """Takes the share's slot, which it must have before what is noted next."""
        self._slot = self.admitted.taking(self.buffer)
        self._changes += self._slot

    def leave(self) -> None:
        """Gives the share's slot back, if it has one."""
        self._freeing = self.admitted.freeing(self.buffer)

    async def tell(self, share: ShareFacts) -> None:
        """Tells what has changed: an event, and the attribute that clients show.

        What comes too soon after others waits: of what changes meanwhile only the last is told.
        """
        active = [row for row in self.active if row["active_at"] and share.is_of(row)]
        news = share_events.news(self.buffer, share, active)
        if news is not None and news != self._news:
            if news.is_extra and not self.admitted.is_in_time(self.buffer, Often.REFUSED):
                metrics.ERRORS.labels(ErrorKind.REFUSALS_TOO_MANY).inc()
                news = None
            elif news.state != self.buffer["told"]:
                await share_events.show(self.livekit, self.known, self.buffer, news)
        self._news = news

    async def may_begin(self) -> bool:
        """Whether an egress may begin now, which counts; a further try of one always may."""
        is_further_try = self.current is None and (
            self.buffer["why"] in (Why.NO_WORKER, Why.EGRESS_FAILED)
            or (self.buffer["told"] == ShareNews.STARTED and await self._has_begun())
        )
        return is_further_try or self.admitted.is_in_time(self.buffer, Often.BEGIN)

    async def has_stepped_in_vain(self) -> bool:
        """Whether nothing has recorded that was begun since the share's last step."""
        if (step := self.buffer["step"]) is None:
            return False
        since = {"buffer_id": self.buffer["_id"], "created_at": {"$gte": step["at"]}}
        recorded = since | {"active_at": {"$ne": None}}
        return await self.ctx.store.rows(EgressSession).find_one(recorded, {"_id": 1}) is None

    async def _has_begun(self) -> bool:
        """Whether an egress of the track that the share has now was begun before."""
        begun = {"buffer_id": self.buffer["_id"], "video_sid": self.track["_id"]}
        return await self.ctx.store.rows(EgressSession).find_one(begun, {"_id": 1}) is not None

    @property
    def current(self) -> SessionRow | None:
        """The session that records the track that the share has now, if one does."""
        now = {"role": SessionRole.CURRENT, "video_sid": self.track["_id"]}
        return next((row for row in self.active if now.items() <= row.items()), None)

    async def forget_untold(self) -> None:
        """Forgets a share that is over if nothing was recorded of it, told of it, or said to it.

        It is as if it had not been; and there may be any number of such.
        """
        buffer = self.buffer
        if buffer["told_count"] or buffer["stops"] or buffer["ended_at"] is None:
            return
        recorded = {"buffer_id": buffer["_id"]}
        if await self.ctx.store.rows(EgressSession).find_one(recorded, {"_id": 1}) is None:
            untold = {"told_count": 0, "stops": {}, "ended_at": {"$ne": None}}
            await self.ctx.store.rows(Buffer).delete_one({"_id": buffer["_id"]} | untold)

    async def write(self) -> None:
        """Writes what waits. Raises KeyTaken if another process was faster with any of it."""
        news, freeing, slot = self._news, self._freeing, self._slot
        changes = [*self._changes_of_buffer(), *self._changes]
        self._news, self._freeing, self._slot, self._changes = None, [], [], []
        if news is not None:
            count = self.buffer["told_count"]
            await outbox.tell(
                self.ctx,
                news.content,
                f"{self.buffer['_id']}:{count}",
                room=self.buffer["room"],
                room_sid=self.buffer["room_sid"],
                identity=self.buffer["identity"],
                last_number=self.known.last_number,
                before=changes,
                after=[_told(self.buffer, news)],
            )
            changes = []
            told = {"told": news.state, "told_encoding": news.encoding, "told_count": count + 1}
            self.buffer = cast(BufferRow, self.buffer | told)
            self.known.note_buffer(self.buffer)
        found = await self.ctx.store.write(*changes, *freeing)
        self.is_new = False
        if slot:
            self.admitted.has_taken(self.buffer)
        if freeing:
            await admission.freed(self.ctx, self.buffer, found[len(changes) :])

    def _changes_of_buffer(self) -> list[Change]:
        fields, self._of_buffer = self._of_buffer, {}
        if self.is_new:
            return [Change(Buffer, {**self.buffer})]
        if not fields:
            return []
        return [Change(Buffer, {"$set": fields}, {"_id": self.buffer["_id"]})]


def _told(buffer: BufferRow, news: News) -> Change:
    """What notes that a share's state was told."""
    once = {"_id": buffer["_id"], "told_count": buffer["told_count"]}
    told = {"told": news.state, "told_encoding": news.encoding}
    return Change(Buffer, {"$set": told, "$inc": {"told_count": 1}}, once)
