"""An example of what a schema describes, made of the examples of its members. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def example_of(schema: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]]) -> Any:
    """A value that the schema takes; `definitions`: the schemas that references lead to, by name.

    Raises LookupError where nothing says what such a value looks like.
    """
    match schema:
        case {"examples": [first, *_]}:
            return first
        case {"$ref": str(reference)}:
            return example_of(definitions[reference.rpartition("/")[2]], definitions)
        case {"enum": [first, *_]}:
            return first
        case {"default": default}:
            return default
        case {"anyOf": [first, *_]}:
            return example_of(first, definitions)
        case {"allOf": [*parts]}:
            merged: dict[str, Any] = {}
            for part in parts:
                merged |= example_of(part, definitions)
            return merged
        case {"contentSchema": dict() as content}:
            return json.dumps(example_of(content, definitions))
        case {"type": "boolean"}:
            return True
        case {"type": "array", "items": items}:
            return [example_of(items, definitions)]
        case {"type": "object", "properties": properties}:
            return {name: example_of(each, definitions) for name, each in properties.items()}
        case _:
            raise LookupError(f"there is no example of {dict(schema)}")
