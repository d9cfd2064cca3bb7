"""What a running service consists of: the packages of its locks, with their licences.

The document is CycloneDX 1.6, made with the format's own library.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from deploy.local import locks

GROUPS = ("runtime", "embedded", "otel")
"""The locks of what runs in production. Where the stores are one's own embedded is left out, and
otel where nobody collects traces."""
UNKNOWN = "unknown"
_CLASSIFIER = "License :: OSI Approved :: "


def pinned() -> Iterator[tuple[str, str]]:
    """Name and version of each package that GROUPS install on this machine, in order."""
    for group in GROUPS:
        for pin, entry in locks.read(group).items():
            marker = Requirement(entry.splitlines()[0].rstrip("\\ ")).marker
            if marker is None or marker.evaluate():
                name, _, version = pin.partition("==")
                yield name, version


def licence(package: PackageMetadata) -> str:
    """An SPDX expression where the package states one, else its own words for it."""
    if "License-Expression" in package:
        return package["License-Expression"]
    classifiers = package.get_all("Classifier") or []
    named = [each.removeprefix(_CLASSIFIER) for each in classifiers if each.startswith(_CLASSIFIER)]
    if named:
        return " AND ".join(named)
    words = package["License"].strip().splitlines() if "License" in package else []
    return words[0] if words else UNKNOWN


def bom() -> Bom:
    """The document. Raises PackageNotFoundError if a pinned package is not installed here."""
    licences = LicenseFactory()
    service = Component(name="replay-buffer", type=ComponentType.APPLICATION, bom_ref="service")
    made = Bom()
    made.metadata.component = service
    parts = [
        Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}@{version}",
            purl=PackageURL("pypi", name=name, version=version),
            licenses=[licences.make_from_string(licence(metadata(name)))],
        )
        for name, version in pinned()
    ]
    made.components.update(parts)
    made.register_dependency(service, parts)
    return made


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="where the JSON goes")
    given = parser.parse_args(argv)
    made = bom()
    JsonV1Dot6(made).output_to_file(str(given.file), allow_overwrite=True, indent=2)
    table = Table("package", "version", "licence")
    for name, version in pinned():
        table.add_row(name, version, licence(metadata(name)))
    Console().print(table)


if __name__ == "__main__":
    main()
