"""What is harmed in which round: drawn from a seed, so that a run can be had again. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Deed(StrEnum):
    """What is done to a target."""

    KILL = "kill"
    """SIGKILL; what nobody else starts again is started again."""
    TERM = "term"
    """SIGTERM, as an operator or an update would send it."""
    STOP = "stop"
    """SIGSTOP, then SIGCONT: a machine that swaps, a paused container."""
    SLOW = "slow"
    """It runs for a tenth of the time only."""
    CUT = "cut"
    """Connections are reset, new ones too."""
    HOLD = "hold"
    """Nothing arrives, and connections stand: a firewall that forgot them."""
    DELAY = "delay"
    """Everything arrives late."""
    FILL = "fill"
    """No byte is free."""
    PROTECT = "protect"
    """Nothing can be written."""


@dataclass(frozen=True)
class Kind:
    """A deed and what it is done to, written `kill:api`."""

    deed: Deed
    target: str

    def __str__(self) -> str:
        return f"{self.deed}:{self.target}"


@dataclass(frozen=True)
class Harm:
    """One round.

    :param after_seconds: how long all goes well before.
    :param seconds: how long until it is healed; of a kill, until it is started again.
    """

    kind: Kind
    after_seconds: float
    seconds: float


STORES = ("store", "queue")
"""The service's database, and its Valkey."""
OURS = ("api", "worker", "indexer", "parser", "supervisor", *STORES)
"""Processes of the service."""
THEIRS = ("valkey", "livekit", "egress")
"""LiveKit's Valkey, livekit-server, and the stand-in for the egress container."""
OUR_WAYS = ("service-livekit", "livekit-service", "service-events")
"""Who connects to whom: calls of LiveKit's API, its webhooks, our own events."""
STORE_WAYS = ("service-store", "service-queue")
"""Only where the stores are no part of the service's own processes."""
THEIR_WAYS = ("livekit-valkey", "egress-valkey", "egress-livekit")
DISK = "disk"
"""That of the media root."""
KINDS = (
    *(Kind(deed, target) for deed in (Deed.KILL, Deed.TERM, Deed.STOP) for target in OURS + THEIRS),
    *(Kind(Deed.SLOW, target) for target in STORES),
    *(Kind(deed, way) for deed in (Deed.CUT, Deed.HOLD) for way in OUR_WAYS + THEIR_WAYS),
    *(Kind(deed, way) for deed in (Deed.CUT, Deed.HOLD, Deed.DELAY) for way in STORE_WAYS),
    *(Kind(deed, DISK) for deed in (Deed.FILL, Deed.PROTECT)),
)
_SECONDS = {
    Deed.KILL: (0.5, 5.0),
    Deed.TERM: (0.5, 5.0),
    Deed.STOP: (5.0, 40.0),
} | dict.fromkeys(
    (Deed.SLOW, Deed.CUT, Deed.HOLD, Deed.DELAY, Deed.FILL, Deed.PROTECT), (5.0, 20.0)
)
_AFTER_SECONDS = (2.0, 8.0)
_SHORTEST_SECONDS = 0.5


def possible(*, stores_apart: bool, small_disk: bool) -> list[Kind]:
    """The kinds that a site allows for."""
    left_out = {*(() if stores_apart else STORE_WAYS), *(() if small_disk else (DISK,))}
    return [kind for kind in KINDS if kind.target not in left_out]


def chosen(words: Iterable[str], kinds: Sequence[Kind] = KINDS) -> list[Kind]:
    """The kinds that a word names: a deed, a target, or `deed:target`; all without words.

    Raises ValueError for a word that names none.
    """
    words = list(words)
    for word in words:
        if not any(word in _names(kind) for kind in kinds):
            known = sorted({name for kind in kinds for name in _names(kind)})
            raise ValueError(f"{word!r} names no kind of harm; there are {', '.join(known)}")
    return [kind for kind in kinds if not words or set(words) & _names(kind)]


def _names(kind: Kind) -> set[str]:
    return {kind.deed.value, kind.target, str(kind)}


def plan(seed: int, rounds: int, kinds: Sequence[Kind] = KINDS, scale: float = 1.0) -> list[Harm]:
    """The rounds of a seed: each kind comes once before any comes again.

    More rounds of a seed begin with the same ones. `scale` shortens how long each harm lasts.
    """
    draw = random.Random(seed)
    harms: list[Harm] = []
    while len(harms) < rounds:
        for kind in draw.sample(kinds, len(kinds)):
            lasts = draw.uniform(*_SECONDS[kind.deed]) * scale
            harms.append(
                Harm(kind, draw.uniform(*_AFTER_SECONDS) * scale, max(_SHORTEST_SECONDS, lasts))
            )
    return harms[:rounds]


def spares_media(kind: Kind) -> bool:
    """Whether egress records on as if nothing were: then no media may be missing."""
    return kind.target in (*OURS, *OUR_WAYS, *STORE_WAYS)
