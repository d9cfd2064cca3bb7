"""A capture's life: which state follows which, and the only way from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.models import CaptureStatus
from app.models.schema import Capture
from app.store import Store


class Transition(NamedTuple):
    """A step of a capture's life. Without a source its row begins; without a target it ends."""

    source: CaptureStatus | None
    target: CaptureStatus | None
    when: str


TRANSITIONS = (
    Transition(None, CaptureStatus.ACCEPTING, "asked for"),
    Transition(CaptureStatus.ACCEPTING, None, "refused, or its acceptance died"),
    Transition(CaptureStatus.ACCEPTING, CaptureStatus.QUEUED, "pinned, and its bytes reserved"),
    Transition(CaptureStatus.ACCEPTING, CaptureStatus.CANCELLED, "the sharer ends it"),
    Transition(CaptureStatus.QUEUED, CaptureStatus.WAITING, "media is still to come"),
    Transition(CaptureStatus.QUEUED, CaptureStatus.RUNNING, "its media is there"),
    Transition(CaptureStatus.QUEUED, CaptureStatus.FAILED, "it can't be made"),
    Transition(CaptureStatus.QUEUED, CaptureStatus.CANCELLED, "its caller or the sharer ends it"),
    Transition(CaptureStatus.WAITING, CaptureStatus.RUNNING, "its media is there"),
    Transition(CaptureStatus.WAITING, CaptureStatus.FAILED, "it can't be made"),
    Transition(CaptureStatus.WAITING, CaptureStatus.CANCELLED, "its caller or the sharer ends it"),
    Transition(CaptureStatus.RUNNING, CaptureStatus.RUNNING, "begun again by another worker"),
    Transition(CaptureStatus.RUNNING, CaptureStatus.WAITING, "taken over, and its share goes on"),
    Transition(CaptureStatus.RUNNING, CaptureStatus.READY, "its file is verified and has its name"),
    Transition(CaptureStatus.RUNNING, CaptureStatus.FAILED, "it can't be made"),
    Transition(CaptureStatus.RUNNING, CaptureStatus.CANCELLED, "its caller or the sharer ends it"),
    Transition(CaptureStatus.READY, None, "a week later"),
    Transition(CaptureStatus.FAILED, None, "a week later"),
    Transition(CaptureStatus.CANCELLED, None, "a week later"),
)


def sources(target: CaptureStatus | None) -> list[CaptureStatus]:
    """The states that lead to another, or to the end of the row."""
    return [each.source for each in TRANSITIONS if each.target is target and each.source]


async def move(
    store: Store,
    capture_id: str,
    to: CaptureStatus,
    fields: Mapping[str, Any],
    **where: Any,
) -> CaptureStatus | None:
    """Brings a capture into another state and sets these fields of its row, in one atomic update.

    The state that it is in now; None, and nothing has changed, if its state does not lead there or
    its row does not match `where`.
    """
    changed = await store.rows(Capture).update_one(
        {"_id": capture_id, "status": {"$in": sources(to)}} | where,
        {"$set": {"status": to, **fields}},
    )
    return to if changed.matched_count else None


async def drop(store: Store, capture_id: str) -> None:
    """Deletes the row of a capture whose acceptance has come to nothing."""
    await store.rows(Capture).delete_one({"_id": capture_id, "status": CaptureStatus.ACCEPTING})
