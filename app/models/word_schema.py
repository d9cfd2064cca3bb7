"""Texts of which a schema says that they are words of closed lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import EnumType, StrEnum
from inspect import cleandoc
from typing import Any

from pydantic import GetJsonSchemaHandler

LIST = "x-list"
"""Stands in a schema beside the words of a whole list: what that is called, and what it is."""


@dataclass(frozen=True)
class Words:
    """Says in the schema that a text is one of a closed list, or of some words of several.

    Nothing is held to it: a row that a later release wrote may have a word that this one does not
    know, and is shown all the same.
    """

    listed: tuple[type[StrEnum] | StrEnum, ...]

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "string", "enum": [*_spelled(self.listed)]}
        match self.listed:
            case (EnumType() as kind,):
                return told | {LIST: (kind.__name__, cleandoc(kind.__doc__ or ""))}
            case _:
                return told


def words(*listed: type[StrEnum] | StrEnum) -> Words:
    """Of whole lists, or of single words."""
    return Words(listed)


def _spelled(listed: Iterable[type[StrEnum] | StrEnum]) -> Iterable[str]:
    for each in listed:
        yield from [each.value] if isinstance(each, StrEnum) else [one.value for one in each]
