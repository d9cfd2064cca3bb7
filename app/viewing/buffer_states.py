"""The states that a list of buffers may be narrowed to. Pure."""

from __future__ import annotations

from collections.abc import Collection

from app.models import BufferState, Row, Why

ACTIVE = frozenset(BufferState) - {BufferState.ENDED, BufferState.REFUSED}
"""The states of a share that is recorded, or about to be."""
GROUPS = {"active": ACTIVE}
"""Names for several states at once."""
NAMES = (*sorted(ACTIVE), BufferState.ENDED, BufferState.REFUSED, *GROUPS)

_TRYING: Row = {"$in": [None, *Why.trying()]}


def read(text: str) -> frozenset[str]:
    """The states that comma separated NAMES mean."""
    return frozenset(state for name in text.split(",") for state in GROUPS.get(name, {name}))


def stored(states: Collection[str]) -> Row:
    """What the rows of buffers in these states match.

    Rows say whether a share is over, refused or active. Which of the active states it has, only its
    media and the time say. So the timelines of these rows must be looked at, too.
    """
    kinds: list[Row] = []
    if ACTIVE & set(states):
        kinds.append({"ended_at": None, "why": _TRYING})
    if BufferState.REFUSED in states:
        kinds.append({"ended_at": None, "why": {"$not": _TRYING}})
    if BufferState.ENDED in states:
        kinds.append({"ended_at": {"$ne": None}})
    return kinds[0] if len(kinds) == 1 else {"$or": kinds}
