"""deploy/alerts.yaml asks for numbers that there are, and everything in it is explained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from app.condition import exposition
from app.main import create_app
from app.settings import load
from deploy.local.stack import ROOT
from handlers import router

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
README = (ROOT / "deploy/README.md").read_text()
METRIC = re.compile(r"(replay_buffer_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


def named(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The metrics of a rule's expression, with the words that each label is to match."""
    for name, matchers in METRIC.findall(rule["expr"]):
        yield name, {label: words for label, _, words in MATCHER.findall(matchers)}


@pytest.fixture(scope="module", autouse=True)
def application() -> None:
    """What an api counts by is known once the application is there."""
    create_app(load(_env_file=None, livekit_api_key="k", livekit_api_secret="s" * 32), router)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_asks_for_what_is_told_and_is_explained(rule: dict[str, Any]) -> None:
    """A word that no label has would never be matched, and nobody be called."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    there = {sample.name for sample in samples} | set(exposition.GAUGES)
    there |= {f"{metric.name}_total" for metric in REGISTRY.collect()}
    asked = list(named(rule))
    assert asked
    for name, matchers in asked:
        assert name in there
        for label, words in matchers.items():
            known = {sample.labels[label] for sample in samples if sample.name == name}
            for word in words.split("|"):
                assert any(re.fullmatch(word, each) for each in known), (name, label, word)
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description"}
    assert f"| `{rule['alert']}` |" in README


@pytest.mark.heavy
@pytest.mark.parametrize(
    "asked", [("check", "deploy/alerts.yaml"), ("test", "tests/data/alerts.yaml")]
)
def test_prometheus_reads_them_and_they_fire_when_they_should(asked: tuple[str, str]) -> None:
    """Its own tool says so: deploy/setup --test has it; PROMTOOL names another."""
    promtool = os.environ.get("PROMTOOL") or Path(sys.prefix) / "libexec/promtool"
    what, file = asked
    found = subprocess.run(
        [promtool, what, "rules", ROOT / file], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_two_rules_share_a_name() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


def test_every_alarm_that_is_explained_is_there() -> None:
    assert set(re.findall(r"^\| `(Replay\w+)` \|", README, re.MULTILINE)) == {
        rule["alert"] for rule in RULES
    }
