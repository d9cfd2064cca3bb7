"""The Helm chart's values: what values.yaml says of each, and which settings they may have.

`python -m tests.chart` writes the names of the settings into values.schema.json anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import SecretStr

from app.settings import Settings

CHART = Path(__file__).resolve().parents[1] / "deploy/chart"
SCHEMA = CHART / "values.schema.json"
EXAMPLES = CHART / "examples"
GIVEN = {
    "HOST",
    "PORT",
    "DATA_DIR",
    "FILE_UPLOAD_DEST",
    "EGRESS_FILE_UPLOAD_DEST",
    "METRICS_PORT",
}
"""Settings that the chart gives itself."""
WITH_LOGIN = {"MONGO_URL", "REDIS_URL"}
"""URLs that hold passwords: they stand in Secrets only."""

_LINE = re.compile(r"(?P<indent> *)(?:# (?P<comment>.+)|(?P<key>\w+):.*)")


class Value(NamedTuple):
    """A value of the chart by its path, such as `image.tag`."""

    path: str
    default: Any
    what: str


def defaults() -> dict[str, Any]:
    """values.yaml as Helm reads it."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def values() -> Iterator[Value]:
    """What has a comment above it: a value, or several that are told of at once."""
    _, _, text = (CHART / "values.yaml").read_text().partition("\n\n")
    above: list[str] = []
    comment = ""
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        if found["comment"]:
            comment = found["comment"]
            continue
        above[len(found["indent"]) // 2 :] = [found["key"]]
        if comment:
            yield Value(".".join(above), at(defaults(), ".".join(above)), comment)
        comment = ""


def at(tree: Any, path: str) -> Any:
    """What stands at a path. Raises KeyError."""
    for key in path.split("."):
        tree = tree[key]
    return tree


def leaves(tree: Any, path: str = "") -> Iterator[str]:
    """The paths of all that is no map with something in it."""
    if not isinstance(tree, dict) or not tree:
        yield path
        return
    for key, below in tree.items():
        yield from leaves(below, f"{path}.{key}" if path else key)


def values_table() -> str:
    """Each value with its default and what it is for."""
    lines = ["| value | default | what |", "| --- | --- | --- |"]
    for path, default, what in values():
        shown = default if isinstance(default, str) else json.dumps(default)
        told = what.replace("|", "\\|")
        lines.append(f"| `{path}` | {f'`{shown}`' if shown else ''} | {told} |")
    return "\n".join(lines)


def secret_settings() -> set[str]:
    """The settings that stand in Secrets only."""
    fields = Settings.model_fields.items()
    return WITH_LOGIN | {name.upper() for name, field in fields if field.annotation is SecretStr}


def schema() -> dict[str, Any]:
    """values.schema.json, with the names of the settings that there are."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    every = {name.upper() for name in Settings.model_fields} - GIVEN
    for value, names in (("settings", every - secret_settings()), ("secrets", every)):
        found["properties"][value]["propertyNames"]["anyOf"][0]["enum"] = sorted(names)
    return found


def schema_text() -> str:
    """The same as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text())
