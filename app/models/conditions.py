"""Conditions on rows, read in memory as the database reads them. Pure.

A condition names fields, each with a value, `$in` or `$nin`; or it has an `$or` of such conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.models import Row

_ANY: Row = {"$nin": []}


def matches(condition: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row fulfils a condition; a field that it lacks is None."""
    return all(
        matches_any(wanted, row) if field == "$or" else _has(row.get(field), wanted)
        for field, wanted in condition.items()
    )


def matches_any(some: Iterable[Mapping[str, Any]], row: Mapping[str, Any]) -> bool:
    """Whether a row fulfils one of these conditions."""
    return any(matches(each, row) for each in some)


def _has(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    return value in wanted["$in"] if "$in" in wanted else value not in wanted["$nin"]


def alternatives(*conditions: Mapping[str, Any]) -> list[Row]:
    """Conditions without an `$or`, one of which a row fulfils if it fulfils all of these.

    None where no row can.
    """
    found: list[Row] = [{}]
    for condition in conditions:
        plain = {field: wanted for field, wanted in condition.items() if field != "$or"}
        found = _each_with(found, [plain])
        if "$or" in condition:
            found = _each_with(found, condition["$or"])
    return found


def _each_with(some: Sequence[Row], others: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [both for one in some for other in others if (both := _both(one, other)) is not None]


def _both(one: Row, other: Mapping[str, Any]) -> Row | None:
    """What fulfils two conditions; None if nothing does."""
    both = dict(one)
    for field, wanted in other.items():
        joined = _joined(both.get(field, _ANY), wanted)
        if joined is None:
            return None
        both[field] = joined
    return both


def _joined(one: Any, other: Any) -> Any:
    """What is wanted of a field by two conditions at once; None if no value has it."""
    allowed = [found for each in (one, other) if (found := values(each)) is not None]
    if not allowed:
        return {"$nin": [*one["$nin"], *other["$nin"]]}
    fitting = [value for value in allowed[0] if _has(value, one) and _has(value, other)]
    if len(fitting) > 1:
        return {"$in": fitting}
    return fitting[0] if fitting else None


def values(wanted: Any) -> list[Any] | None:
    """The values that a field may have, by what a condition wants of it; None: all but some."""
    if not isinstance(wanted, dict):
        return [wanted]
    found: list[Any] | None = wanted.get("$in")
    return found
