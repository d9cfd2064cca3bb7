"""The Helm chart's values are what its schema, its templates and its README say.

What Helm makes of them: tests/integration/deploy/test_rendered_chart.py, which is heavy.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import jsonschema_rs
import pytest
import yaml

from app.condition import exposition
from app.settings import Settings
from tests import chart, readme
from tests.chart import CHART, EXAMPLES
from tests.unit.deploy.test_configuration import dockerfile

TEMPLATES = {path.name: path.read_text() for path in sorted((CHART / "templates").iterdir())}
ROLES = ("api", "worker", "indexer")


def wrong(given: dict[str, Any]) -> list[str]:
    """What the schema has against values, in its words."""
    found = jsonschema_rs.validator_for(chart.schema()).iter_errors(given)
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in found]


def test_its_own_values_and_all_examples_are_valid() -> None:
    assert wrong(chart.defaults()) == []
    for path in EXAMPLES.iterdir():
        assert (path.name, wrong(yaml.safe_load(path.read_text()))) == (path.name, [])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"replicas": 2}, "replicas"),
        ({"mode": "all"}, "mode"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"image": {"repository": "registry.example.com/replay buffer"}}, "repository"),
        ({"settings": {"RETENTION": 12}}, "RETENTION"),
        ({"settings": {"METRICS_TOKEN": "t" * 32}}, "METRICS_TOKEN"),
        ({"settings": {"MONGO_URL": "mongodb://ann:password@stores/replay"}}, "MONGO_URL"),
        ({"settings": {"FILE_UPLOAD_DEST": "/elsewhere"}}, "FILE_UPLOAD_DEST"),
        ({"settings": {"CORS_ORIGINS": ["https://app.example.com"]}}, "CORS_ORIGINS"),
        ({"secrets": {"LIVEKIT_API_SECRET": "s" * 32}}, "LIVEKIT_API_SECRET"),
        ({"secrets": {"LIVEKIT_API_SECRET": {"key": "secret"}}}, "name"),
        ({"api": {"replicas": 0}}, "replicas"),
        ({"api": {"securityContext": {}}}, "securityContext"),
        ({"media": {"accessMode": "ReadOnlyMany"}}, "accessMode"),
        ({"media": {"egressPath": "recordings"}}, "egressPath"),
        ({"media": {"size": "much"}}, "size"),
        ({"metrics": {"port": 8000}}, "port"),
        ({"worker": {"autoscaling": {"cpuPercent": "70%"}}}, "cpuPercent"),
        ({"scheduling": {"hostNetwork": True}}, "hostNetwork"),
    ],
)
def test_a_wrong_value_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    (said,) = wrong(given)
    assert named in said


def test_a_worker_s_number_follows_something() -> None:
    scaled = chart.defaults()["worker"]
    scaled["autoscaling"] |= {"enabled": True, "cpuPercent": 0}
    assert wrong({"worker": scaled}) == []
    scaled["autoscaling"]["queue"] |= {"perWorker": 0}
    (said,) = wrong({"worker": scaled})
    assert "perWorker" in said


def test_the_schema_has_the_settings_that_there_are() -> None:
    """`python -m tests.chart` writes them anew."""
    assert chart.SCHEMA.read_text() == chart.schema_text()
    assert chart.secret_settings() >= {"LIVEKIT_API_SECRET", "METRICS_TOKEN", "EVENTS_SECRET"}
    assert {name.lower() for name in chart.GIVEN} <= Settings.model_fields.keys()


def test_the_schema_knows_each_value_and_no_other() -> None:
    """All the way down, but for maps whose keys are the user's."""

    def known(schema: dict[str, Any], path: str = "") -> set[str]:
        if "$ref" in schema:
            schema = chart.schema()["$defs"][schema["$ref"].rpartition("/")[2]]
        if "properties" not in schema:
            return {path}
        below = schema["properties"].items()
        return {each for key, value in below for each in known(value, f"{path}.{key}".lstrip("."))}

    def told(path: str) -> str:
        """Where a value whose keys are the user's begins."""
        return re.sub(r"^(scheduling|[\w.]+\.resources)\..*", r"\1", path)

    there = {told(each) for each in chart.leaves(chart.defaults())}
    assert {told(each) for each in known(chart.schema())} - {"global"} == there


def test_each_value_is_told_of() -> None:
    rows = [value.path for value in chart.values()]
    assert len(set(rows)) == len(rows)
    for leaf in chart.leaves(chart.defaults()):
        assert [row for row in rows if leaf == row or leaf.startswith(f"{row}.")], leaf


def test_templates_name_values_that_there_are_and_all_of_them() -> None:
    defaults = chart.defaults()
    named = {path for text in TEMPLATES.values() for path in values_named(text)}
    for path in named - {"secrets.METRICS_TOKEN"}:
        assert chart.at(defaults, path) is not None
    for value in chart.values():
        assert [path for path in named if f"{value.path}.".startswith(f"{path}.")], value.path


def values_named(text: str) -> set[str]:
    """The paths of the values that a template names; `own` stands for those of each role."""
    found = set(re.findall(r"\.Values\.([\w.]+)", text))
    for name in re.findall(r"[.$]own\.([\w.]+)", text):
        of_single = name.startswith("resources")
        found |= {f"{role}.{name}" for role in (*ROLES, *(["single"] if of_single else []))}
    return found


def test_templates_include_only_what_is_defined() -> None:
    every = "\n".join(TEMPLATES.values())
    defined = re.findall(r'define "([\w.-]+)"', every)
    assert len(set(defined)) == len(defined)
    assert set(re.findall(r'include "([\w.-]+)"', every)) == set(defined)


def test_the_chart_is_of_this_release() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((readme.ROOT / "pyproject.toml").read_text())["project"]
    assert about["appVersion"] == about["version"] == project["version"]
    assert about["name"] == project["name"]
    assert about["description"] == project["description"]


def test_the_chart_s_readme_says_with_what_it_was_tried() -> None:
    """The oldest Kubernetes is the one that Chart.yaml lets."""
    text = " ".join((CHART / "README.md").read_text().split())
    setup = (readme.ROOT / "deploy/setup").read_text()
    (helm,) = re.findall(r"HELM_VERSION=(\S+)", setup)
    (oldest,) = re.findall(r'kubeVersion: ">=([\d.]+)\.0-0"', (CHART / "Chart.yaml").read_text())
    assert f"rendered by Helm {helm} and held to Kubernetes' own schemas of {oldest} and " in text


def test_the_chart_s_readme_names_every_example() -> None:
    text = (CHART / "README.md").read_text()
    assert set(re.findall(r"`examples/([\w.-]+)`", text)) == {
        path.name for path in EXAMPLES.iterdir()
    }


def test_workers_are_counted_by_a_metric_that_there_is() -> None:
    assert chart.defaults()["worker"]["autoscaling"]["queue"]["metric"] in exposition.GAUGES


def test_the_alarms_of_the_chart_are_those_of_the_project() -> None:
    """One file: Helm follows the link, and packs what it leads to."""
    assert (CHART / "alerts.yaml").resolve() == readme.ROOT / "deploy/alerts.yaml"


def test_pods_run_as_the_image_s_user() -> None:
    """It owns what lies on the volumes."""
    (uid,) = re.findall(r"useradd --uid (\d+) --gid 0 ", dockerfile())
    pod = TEMPLATES["_pod.tpl"]
    assert f"runAsUser: {uid} " in pod
    assert "runAsGroup: 0 " in pod
