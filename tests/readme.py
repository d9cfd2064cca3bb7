"""The tables of the READMEs that are made from the code: `python -m tests.readme` writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import prometheus_client
from pydantic import SecretStr

from app import metrics
from app.api import openapi
from app.condition import exposition
from app.main import ROUTES
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("app", "deploy", "handlers", "tests")
READMES = [
    ROOT / "README.md",
    *sorted(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/README.md")),
]


def settings_table() -> str:
    """Each setting with its default and what it is for."""
    lines = ["| setting | default | what |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        value = field.default
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        shown = "" if value in ("", None, ()) else f"`{value}`"
        description = (field.description or "").replace("|", "\\|")
        lines.append(f"| {name.upper()} | {shown} | {description} |")
    return "\n".join(lines)


def routes_table() -> str:
    """Each route with its summary."""
    lines = ["| route | what |", "| --- | --- |"]
    for route in openapi.listed_of(ROUTES):
        methods = ", ".join(sorted((route.methods or set()) - {"HEAD"}))
        operation = openapi.operation_of(route)
        lines.append(f"| `{methods} {route.path}` | {operation.summary} |")
    return "\n".join(lines)


def metrics_table() -> str:
    """Each metric with what it tells."""
    lines = ["| metric | what |", "| --- | --- |"]
    for found in vars(metrics).values():
        if isinstance(found, prometheus_client.metrics.MetricWrapperBase):
            for family in found.describe():
                suffix = "_total" if family.type == "counter" else ""
                labels = f"{{{', '.join(found._labelnames)}}}" if found._labelnames else ""
                lines.append(f"| `{family.name}{suffix}{labels}` | {family.documentation} |")
    lines += [f"| `{name}` | {told} |" for name, told in exposition.GAUGES.items()]
    return "\n".join(lines)


@dataclass(frozen=True)
class Table:
    """A table between its markers in one README."""

    readme: Path
    make: Callable[[], str]


TABLES = {
    "settings": Table(ROOT / "deploy/README.md", settings_table),
    "metrics": Table(ROOT / "deploy/README.md", metrics_table),
    "routes": Table(ROOT / "app/api/README.md", routes_table),
}


def table_in(text: str, name: str) -> str:
    """What stands between a table's markers."""
    match = re.search(f"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", text, re.DOTALL)
    if match is None:
        raise ValueError(f"there are no markers for the table {name}")
    return match.group(1).strip()


def with_table(text: str, name: str, table: str) -> str:
    """The text with another table between the markers."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    return text.replace(f"{begin}{table_in(text, name)}\n{end}", f"{begin}{table}\n{end}")


if __name__ == "__main__":
    for name, table in TABLES.items():
        text = table.readme.read_text()
        table.readme.write_text(with_table(text, name, table.make()))
