"""The README's tables, made from the code: `python -m tests.readme` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import prometheus_client
from pydantic import SecretStr

from app import metrics
from app.api import openapi
from app.condition import exposition
from app.main import ROUTES
from app.settings import Settings

README = Path(__file__).resolve().parents[1] / "README.md"


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


TABLES = {"settings": settings_table, "routes": routes_table, "metrics": metrics_table}


def table_in(readme: str, name: str) -> str:
    """What stands between a table's markers."""
    match = re.search(f"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", readme, re.DOTALL)
    if match is None:
        raise ValueError(f"README.md has no markers for the table {name}")
    return match.group(1).strip()


def written(readme: str) -> str:
    """The README with its tables made anew."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        head, _, rest = readme.partition(begin)
        _, _, tail = rest.partition(end)
        readme = f"{head}{begin}{make()}\n{end}{tail}"
    return readme


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
