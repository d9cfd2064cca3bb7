"""What ties a model to the type of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

RowOf = TypeVar("RowOf", bound=Mapping[str, Any])


class Stored(Generic[RowOf]):
    """The base of a model besides ODMantic's, which says how its rows are typed.

    `Store.rows` gives the collection of `class Track(Model, Stored[TrackRow])` with rows that are
    TrackRows to the type checker.
    """

    __collection__: ClassVar[str]
