"""The types of the service's JSON for the console's modules and in the kit.

`python -m tests.console_types` writes them anew, from the description of the API: all of
app/console/types.d.ts, and the end of app/kit/replay.d.ts.
"""

from __future__ import annotations

import json
from typing import Any

from app.api.openapi import describe
from app.console.assets import STATIC
from app.kit.kit_routes import FOLDER
from app.main import ROUTES

PATH = STATIC.parent / "types.d.ts"
KIT_PATH = FOLDER / "replay.d.ts"
HEAD = """\
// The service's JSON, from the description of its API: `python -m tests.console_types` writes this.
"""
KIT_MARK = "// schema: "
KIT_VIEWS = ("BufferView", "ClipView", "MarkerView", "Progress")
"""What the kit gives to apps as the service answers it."""
_PROBLEM = "application/problem+json"
_PLAIN = {"string", "number", "boolean", "null"}


def written() -> str:
    """The console's whole file."""
    document = json.loads(json.dumps(describe(ROUTES)))
    return "\n".join([HEAD, *_all_declared(document["paths"], document)])


def kit_written() -> str:
    """The kit's file: what its authors wrote, and the types of what the service answers."""
    document = json.loads(json.dumps(describe(ROUTES)))
    by_hand, mark, rest = KIT_PATH.read_text().partition(KIT_MARK)
    wanted = [{"$ref": f"#/components/schemas/{name}"} for name in KIT_VIEWS]
    head = f"{by_hand}{mark}{rest.partition(chr(10))[0]}\n"
    return "\n".join([head, *_all_declared(wanted, document)])


def _all_declared(value: Any, document: dict[str, Any]) -> list[str]:
    schemas = document["components"]["schemas"]
    return [_declared(name, schemas[name]) for name in sorted(reached(value, schemas))]


def reached(value: Any, schemas: dict[str, Any]) -> set[str]:
    """The schemas that what is sent and answered is made of, but for problems, by name."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference), **rest}:
                name = reference.rpartition("/")[2]
                waiting += [rest] if name in found else [rest, schemas[name]]
                found.add(name)
            case dict() as node:
                waiting += [each for key, each in node.items() if key != _PROBLEM]
            case list() as listed:
                waiting += listed
    return found


def _declared(name: str, schema: dict[str, Any]) -> str:
    words = " ".join(schema.get("description", "").split())
    comment = f"/** {words} */\n" if words else ""
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    needed = schema.get("required", [])
    members = [
        f"  {member}{'' if member in needed else '?'}: {_type(told)};\n"
        for member, told in schema["properties"].items()
    ]
    return f"{comment}export interface {name} {{\n{''.join(members)}}}\n"


def _type(schema: dict[str, Any]) -> str:
    """How TypeScript writes a type. KeyError or ValueError for one that is not known here."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(f"'{value}'" for value in schema["enum"])
    if "const" in schema:
        return f"'{schema['const']}'"
    if "anyOf" in schema:
        return " | ".join(map(_type, schema["anyOf"]))
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> str:
    kind = schema["type"]
    if kind == "integer":
        return "number"
    if kind == "array":
        return f"Array<{_type(schema['items'])}>"
    if kind == "object":
        values = schema["additionalProperties"]
        return f"Record<string, {'unknown' if values is True else _type(values)}>"
    if kind not in _PLAIN:
        raise ValueError(f"no type is known for {schema}")
    return str(kind)


if __name__ == "__main__":
    PATH.write_text(written())
    KIT_PATH.write_text(kit_written())
