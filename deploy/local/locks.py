"""The lock files: what each group adds to those before it, pinned and with hashes.

`deploy/lock` writes them; `deploy/setup` and the Dockerfile install only the groups that they run.
Nothing stands in two files: a package belongs to the first group that needs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
GROUPS = {
    "runtime": (),
    "embedded": ("--extra", "embedded"),
    "otel": ("--extra", "otel"),
    "demo": ("--extra", "demo"),
    "bench": ("--group", "bench"),
    "test": ("--group", "test"),
}
"""In the order in which they build on each other; what uv is told to add for each."""


def pins(text: str) -> dict[str, str]:
    """The entries of a lock's text by their first word, `name==version`, hashes and all.

    What differs by Python's version stands there more than once: `numpy==1` and `numpy==2`.
    """
    entries: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if not line[0].isspace():
            name = line.split()[0]
        entries.setdefault(name, []).append(line)
    return {name: "".join(lines) for name, lines in entries.items()}


def read(group: str) -> dict[str, str]:
    """What a group adds. Nothing if it was never locked."""
    path = FOLDER / f"{group}.lock"
    return pins(path.read_text()) if path.exists() else {}


def main(options: Sequence[str]) -> None:
    """Resolves all groups at once, then finds out which of them each package is for."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "all.lock"
        # uv keeps the versions that it finds in its output file
        whole.write_text("".join(entry for group in GROUPS for entry in read(group).values()))
        _compile([argument for added in GROUPS.values() for argument in added], whole, options)
        pinned = pins(whole.read_text())
        before: set[str] = set()
        arguments: list[str] = ["--constraint", str(whole)]
        for group, added in GROUPS.items():
            arguments += added
            part = Path(folder) / f"{group}.lock"
            _compile(arguments, part)
            names = pins(part.read_text()).keys()
            _write(group, [pinned[name] for name in sorted(names - before)])
            before |= names


def _compile(arguments: Sequence[str], output: Path, options: Sequence[str] = ()) -> None:
    """Resolves pyproject.toml's own dependencies and those that `arguments` add."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--quiet", "--output-file", str(output)]
    subprocess.run([*command, *arguments, *options], cwd=FOLDER.parent, check=True)


def _write(group: str, entries: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{group}.lock").write_text("".join(entries))
    print(f"requirements/{group}.lock: {len(entries)}")


if __name__ == "__main__":
    main(sys.argv[1:])
