"""What was used of late, kept in memory: so many of it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """At most `most` values by name. The one that was not used for longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, Value] = OrderedDict()

    def get(self, name: str) -> Value | None:
        """The value of this name, used now; None if it is not here."""
        if name in self._values:
            self._values.move_to_end(name)
        return self._values.get(name)

    def put(self, name: str, value: Value) -> None:
        """Takes a value in, in place of another one of its name."""
        self._values[name] = value
        self._values.move_to_end(name)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forgets the value of this name, if it is here."""
        self._values.pop(name, None)

    def clear(self) -> None:
        """Forgets all."""
        self._values.clear()
