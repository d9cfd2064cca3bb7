"""How long media is kept: RETENTION_MINUTES, or what a community says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from app.models.schema import Buffer, Community
from app.settings import Settings, ceilings
from app.store import Store
from app.work import rounds


@dataclass(frozen=True, slots=True)
class Retention:
    """The instance's retention, and those of the communities that have one of their own."""

    default: timedelta
    own: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, community: str) -> timedelta:
        return self.own.get(community, self.default)

    @property
    def shortest(self) -> timedelta:
        return min((self.default, *self.own.values()))

    @property
    def longest(self) -> timedelta:
        return max((self.default, *self.own.values()))


async def retention(
    store: Store, settings: Settings, communities: Iterable[str] | None = None
) -> Retention:
    """The retention of these communities; None: of all. No own one exceeds its ceiling."""
    query: dict[str, object] = {"retention_minutes": {"$ne": None}}
    if communities is not None:
        query["_id"] = {"$in": list(set(communities))}
    rows = store.rows(Community).find(query, {"retention_minutes": 1})
    own: dict[str, timedelta] = {}
    async for row in rows:
        with rounds.item(community=row["_id"]):
            if (minutes := row.get("retention_minutes")) is not None:
                if not minutes > 0:  # nobody can have asked for it: the row was altered
                    raise ValueError(f"retention_minutes={minutes!r}")
                own[row["_id"]] = timedelta(
                    minutes=ceilings.in_force(settings, "retention_minutes", minutes)
                )
    return Retention(settings.retention, own)


async def of_buffer(store: Store, settings: Settings, buffer_id: str) -> timedelta:
    """How long media of a buffer is kept; the instance's retention if the buffer is gone."""
    row = await store.rows(Buffer).find_one({"_id": buffer_id}, {"community": 1})
    if row is None:
        return settings.retention
    return (await retention(store, settings, [row["community"]])).of(row["community"])
