"""The tables of the READMEs that are made from the code: `python -m tests.readme` writes them."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import prometheus_client
from pydantic import SecretStr

import app.worker  # noqa: F401 - the errors and jobs of its rooms are in the tables
from app import metrics
from app.api import openapi
from app.captures import ffmpeg_process, verification
from app.captures.lifecycle import TRANSITIONS
from app.condition import exposition
from app.errors import CaptureFailed, ReplayError, StorageFull
from app.indexing import parser, parser_program
from app.main import ROUTES
from app.migrations.steps import STEPS
from app.models import BufferGapWhy, FaultSlug, words
from app.processes import bound_pool, bound_service
from app.processes.bound_process import Limits
from app.settings import Settings
from app.viewing import drawing, stills
from app.work.jobs import Job
from tests.chart import CHART, values_table
from tests.unit import test_layout as layout

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
        if isinstance(value, tuple):
            value = ",".join(value)
        shown = "" if value in ("", None) else f"`{value}`"
        description = (field.description or "").replace("|", "\\|")
        lines.append(f"| {name.upper()} | {shown} | {description} |")
    return "\n".join(lines)


def routes_table() -> str:
    """Each route with its summary."""
    lines = ["| route | what |", "| --- | --- |"]
    for route in openapi.listed_of(ROUTES):
        methods = ", ".join(sorted((route.methods or set()) - {"HEAD"}))
        lines.append(f"| `{methods} {route.path}` | {route.operation.summary} |")
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


def versions_table() -> str:
    """Each version of the rows with what made it."""
    lines = ["| version | step | what |", "| --- | --- | --- |"]
    for number, step in enumerate(STEPS, start=1):
        module = inspect.getmodule(step)
        told = inspect.getdoc(module) or ""
        name = step.__module__.rpartition(".")[2]
        lines.append(f"| {number} | `{name}` | {told.partition(chr(10))[0]} |")
    return "\n".join(lines)


def errors_table() -> str:
    """Each error that a caller may get, by its status."""
    every: list[type[ReplayError]] = [ReplayError, *_below(ReplayError)]
    told = {
        (error.status, error.slug, error.title)
        for error in every
        if not issubclass(error, CaptureFailed)
    }
    lines = ["| status | `type` | means |", "| --- | --- | --- |"]
    return "\n".join(
        [*lines, *(f"| {status} | `{slug}` | {title} |" for status, slug, title in sorted(told))]
    )


def reasons() -> dict[str, type[ReplayError]]:
    """The errors that a failed capture may have had, by the reason that it tells."""
    every: list[type[ReplayError]] = [*_below(CaptureFailed), StorageFull]
    return {error.slug: error for error in every}


def reasons_table() -> str:
    """Each reason that a failed capture may have."""
    lines = ["| `reason` | means |", "| --- | --- |"]
    for slug, error in sorted(reasons().items()):
        meaning = inspect.cleandoc(error.__doc__ or error.title).partition("\n")[0]
        lines.append(f"| `{slug}` | {meaning.removesuffix('.')} |")
    return "\n".join(lines)


def gaps_table() -> str:
    """Each reason that a gap of a buffer may have, as its list of words explains it."""
    tree = ast.parse(inspect.getsource(words))
    lists = {each.name: each.body for each in tree.body if isinstance(each, ast.ClassDef)}
    lines = ["| gap | means |", "| --- | --- |"]
    for kind in (BufferGapWhy, FaultSlug):
        for word, told in pairwise(lists[kind.__name__]):
            if isinstance(word, ast.Assign):
                slug = kind[ast.unparse(word.targets[0])]
                lines.append(f"| `{slug}` | {_sentence(told)} |")
    return "\n".join(lines)


def _sentence(node: ast.stmt) -> str:
    """What a string says that stands by itself, without its full stop."""
    told = ast.literal_eval(node.value) if isinstance(node, ast.Expr) else ""
    return " ".join(told.split()).removesuffix(".")


def _below(base: type[ReplayError]) -> Iterator[type[ReplayError]]:
    """The errors of ours that are a `base`, of all rooms."""
    for error in base.__subclasses__():
        if error.__module__.startswith("app."):
            yield error
        yield from _below(error)


def rooms_table() -> str:
    """Each room, the handlers and each module of the frame: what they hold, what they import."""
    frame = ", ".join(f"`{name}`" for name in layout.FRAME_ARROWS)
    known = ", ".join(
        f"`{other}`"
        for room, other in sorted(layout.used_arrows())
        if room == "handlers" and other not in layout.FRAME
    )
    rooms = _rooms("room", layout.ARROWS)
    beside = f"| `handlers`, beside `app` | {_purpose_in(layout.MODULES['handlers'])} | {known} |"
    of_frame = _rooms("of the frame", layout.FRAME_ARROWS)
    return f"{rooms}\n{beside}\n\nThe frame, which any room may import: {frame}.\n\n{of_frame}"


def _rooms(heading: str, arrows: Mapping[str, set[str]]) -> str:
    lines = [f"| {heading} | what it holds | imports |", "| --- | --- | --- |"]
    for room, imported in arrows.items():
        others = ", ".join(f"`{other}`" for other in sorted(imported))
        lines.append(f"| `{room}` | {purpose(room)} | {others} |")
    return "\n".join(lines)


def purpose(room: str) -> str:
    """The first paragraph of what a room, or a module right below app/, says of itself."""
    return _purpose_in(layout.MODULES[f"app.{room}"])


def _purpose_in(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def jobs_table() -> str:
    """Each job that recurs, with its period where no setting says otherwise."""
    settings = Settings.model_construct()
    modules = [module for name, module in sys.modules.items() if name.startswith("app.")]
    found = {job for module in modules for job in vars(module).values() if isinstance(job, Job)}
    lines = ["| job | every | does | in |", "| --- | --- | --- | --- |"]
    for job in sorted((each for each in found if each.recurs), key=lambda each: each.errand.name):
        does = re.split(r"[.;](?:\s|$)", " ".join((job.__doc__ or "").split()))[0]
        period = f"{job.period(settings).total_seconds():g} s"
        path = _path(sys.modules[job.__module__])
        lines.append(f"| `{job.errand.name}` | {period} | {does} | `{path}` |")
    return "\n".join(lines)


def _path(module: ModuleType) -> str:
    return f"{module.__name__.replace('.', '/')}.py"


STALLING = "STALL_SECONDS", " without progress"
# Processes that read strangers' media, with the modules whose LIMITS they have, and their seconds.
POOLED = {
    "parser of an indexer: a segment": (parser, parser_program.CPU_SECONDS),
    "verifier of a worker: a finished clip": (verification, bound_service.CPU_SECONDS),
    "stills of an api: a picture, the index of a movie": (stills, bound_service.CPU_SECONDS),
}
# Those of no pool have limits and a wall time of their own: their constants, and what counts.
ALONE = {
    "drawing of an api: a sprite sheet": (drawing, "LIMITS", "DRAWING_SECONDS", ""),
    "ffmpeg of a worker: a long encoding": (ffmpeg_process, "LIMITS", *STALLING),
    "ffmpeg of a worker: a short one beside it": (ffmpeg_process, "SHORT_LIMITS", *STALLING),
}


def limits_table() -> str:
    """What each process that reads strangers' media may take, and which constants say so."""
    lines = [
        "| process | memory | largest file | open files | processor time | wall time | set by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    wall = f"{bound_pool.REQUEST_SECONDS:g} s a request"
    for process, (module, seconds) in POOLED.items():
        cpu = f"{seconds} s a request"
        lines.append(_limits(process, module.LIMITS, cpu, wall, f"`LIMITS` in `{_path(module)}`"))
    for process, (module, limits, name, counted) in ALONE.items():
        told = getattr(module, limits)
        cpu = _most(told.cpu_seconds, " s")
        wall = f"{getattr(module, name):g} s{counted}"
        by = f"`{limits}`, `{name}` in `{_path(module)}`"
        lines.append(_limits(process, told, cpu, wall, by))
    return "\n".join(lines)


def _limits(process: str, limits: Limits, cpu: str, wall: str, by: str) -> str:
    file = "any" if limits.file_bytes is None else _size(limits.file_bytes)
    taken = _size(limits.memory_bytes), file, _most(limits.files), cpu, wall
    return f"| {' | '.join((process, *taken))} | {by} |"


def _size(size_bytes: int) -> str:
    power, unit = (20, "MiB") if size_bytes % 2**30 else (30, "GiB")
    return f"{size_bytes / 2**power:g} {unit}"


def _most(limit: int | None, unit: str = "") -> str:
    return "any" if limit is None else f"{limit}{unit}"


def keys_table() -> str:
    """The console's keys, as its own list of them tells."""
    texts = (ROOT / "app/console/static/texts.js").read_text()
    lists = re.findall(r"keys: (\[\[.*?\]\]|\[$.*?^    \])", texts, re.DOTALL | re.MULTILINE)
    lines = ["| where | key | does |", "| --- | --- | --- |"]
    for where, keys in zip(("everywhere", "Live", "a share", "all screens"), lists, strict=True):
        lines += [
            f"| {where} | `{key}` | {does} |"
            for key, does in re.findall(r"\['(.+?)', '(.+?)'\]", keys)
        ]
    return "\n".join(lines)


def capture_states() -> str:
    """The states of a capture as a diagram. A transition without a state is that of its row."""
    lines = [
        f"    {each.source or '[*]'} --> {each.target or '[*]'}: {each.when}"
        for each in TRANSITIONS
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


@dataclass(frozen=True)
class Table:
    """A table, or a diagram, between its markers in one README."""

    readme: Path
    make: Callable[[], str]


TABLES = {
    "capture-states": Table(ROOT / "app/captures/README.md", capture_states),
    "rooms": Table(ROOT / "app/README.md", rooms_table),
    "schema": Table(ROOT / "app/README.md", versions_table),
    "jobs": Table(ROOT / "app/README.md", jobs_table),
    "limits": Table(ROOT / "app/README.md", limits_table),
    "settings": Table(ROOT / "deploy/README.md", settings_table),
    "metrics": Table(ROOT / "deploy/README.md", metrics_table),
    "values": Table(CHART / "README.md", values_table),
    "keys": Table(ROOT / "app/console/README.md", keys_table),
    "routes": Table(ROOT / "app/api/README.md", routes_table),
    "errors": Table(ROOT / "app/api/README.md", errors_table),
    "gaps": Table(ROOT / "app/api/README.md", gaps_table),
    "reasons": Table(ROOT / "app/api/README.md", reasons_table),
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
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{table}\n{end}{tail}"


def section(text: str, heading: str) -> str:
    """What stands under a heading of a README, up to the next one that is not below it."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"there is no heading {heading!r}")
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split(" |")[:-1]] for line in lines]
    rules = [number for number, line in enumerate(lines) if line.startswith("| --- ")]
    headings = {*rules, *(number - 1 for number in rules)}
    return [
        [cell.removeprefix("| ") for cell in row]
        for number, row in enumerate(cells)
        if number not in headings
    ]


def anchors(text: str) -> set[str]:
    """What a link may say after `#`: headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    for name, table in TABLES.items():
        text = table.readme.read_text()
        table.readme.write_text(with_table(text, name, table.make()))
