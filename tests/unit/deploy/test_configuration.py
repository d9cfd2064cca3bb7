"""The configuration files of the repository, the settings and the routes agree."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client import REGISTRY
from starlette.routing import Route

from app.buffer import paths
from app.condition import exposition
from app.main import ROUTES
from app.processes.supervisor import ROLES
from app.settings import Settings, load
from deploy.local import local_run
from deploy.local.stack import livekit_binary

ROOT = Path(__file__).resolve().parents[3]
LIVEKIT_VERSION = "1.13.5"
EGRESS_VERSION = "1.14.1"


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return found


@pytest.fixture
def compose() -> dict[str, Any]:
    return _yaml("deploy/compose.yaml")


@pytest.fixture
def service_settings(compose: dict[str, Any]) -> Settings:
    """The settings that compose.yaml gives the service, where its user sets no variable."""
    given = {}
    for name, value in compose["services"]["api"]["environment"].items():
        given[name.lower()] = re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
    assert given.keys() <= Settings.model_fields.keys()
    return load(_env_file=None, **given)


def _livekit_says(config: Path) -> str:
    """What livekit-server answers when it reads `config` to tell its ports."""
    command = [str(livekit_binary()), "--config", str(config), "ports"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_livekit_server_takes_livekit_yaml() -> None:
    said = _livekit_says(ROOT / "livekit.yaml")
    assert "7880 - HTTP service" in said
    assert "could not parse" not in said


def test_livekit_server_would_have_refused_an_unknown_key(tmp_path: Path) -> None:
    config = tmp_path / "livekit.yaml"
    config.write_text((ROOT / "livekit.yaml").read_text() + "\nunheard_of: 1\n")
    assert "field unheard_of not found" in _livekit_says(config)


def test_livekit_s_webhooks_go_to_the_receiver() -> None:
    livekit = _yaml("livekit.yaml")
    (url,) = map(urlsplit, livekit["webhook"]["urls"])
    settings = Settings.model_fields
    assert (url.hostname, url.port) == (settings["host"].default, settings["port"].default)
    receivers = [
        route
        for route in ROUTES
        if isinstance(route, Route) and route.path == url.path and "POST" in (route.methods or ())
    ]
    assert receivers, f"no route for POST {url.path}"
    assert livekit["webhook"]["api_key"] in livekit["keys"]


def test_livekit_egress_and_service_share_one_key_pair(service_settings: Settings) -> None:
    pair = {service_settings.livekit_api_key: service_settings.key_pairs["devkey"]}
    egress = _yaml("egress.yaml")
    assert _yaml("livekit.yaml")["keys"] == pair
    assert {egress["api_key"]: egress["api_secret"]} == pair
    assert pair == {local_run.API_KEY: local_run.API_SECRET}


def test_livekit_and_egress_share_one_redis_and_know_each_other() -> None:
    livekit, egress = _yaml("livekit.yaml"), _yaml("egress.yaml")
    assert livekit["redis"] == egress["redis"]
    assert urlsplit(egress["ws_url"]).port == livekit["port"]


def test_the_service_of_compose_finds_livekit_and_redis(service_settings: Settings) -> None:
    livekit = _yaml("livekit.yaml")
    assert urlsplit(service_settings.livekit_url).port == livekit["port"]
    redis = urlsplit(service_settings.redis_url)
    assert redis.netloc == livekit["redis"]["address"]
    assert redis.path != "/0", "LiveKit's own database"
    (webhook,) = map(urlsplit, livekit["webhook"]["urls"])
    assert webhook.port == service_settings.port


def test_compose_shows_egress_of_the_media_root_only_where_it_writes(
    compose: dict[str, Any], service_settings: Settings
) -> None:
    """Below the folder that it is told, so that both see a session's files at the same place."""
    services = compose["services"]
    for role in (*ROLES, "media-root"):
        assert f"media:{service_settings.media_root}" in services[role]["volumes"]
    config, shared = services["egress"]["volumes"]
    assert config.startswith("../egress.yaml:")
    session = paths.session_folder("room", "user", "session")
    prefix = paths.filename_prefix(service_settings.egress_media_root, str(session))
    assert prefix.startswith(f"{shared['target']}/room-")
    assert (shared["source"], shared["volume"]) == ("media", {"subpath": paths.BUFFER_ROOT})
    made = services["media-root"]["entrypoint"]
    assert f"{service_settings.media_root}/{paths.BUFFER_ROOT}" in made
    assert services["egress"]["environment"]["TZ"] == "UTC"


def test_each_process_of_compose_tells_its_metrics_on_a_port_of_its_own(
    compose: dict[str, Any],
) -> None:
    environments = [compose["services"][role]["environment"] for role in ROLES]
    assert len({environment.pop("METRICS_PORT") for environment in environments}) == len(ROLES)
    assert environments[0] == environments[1] == environments[2], "the rest is the same"


def test_compose_runs_the_versions_that_were_measured(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images["livekit"] == f"livekit/livekit-server:v{LIVEKIT_VERSION}"
    assert images["egress"] == f"livekit/egress:v{EGRESS_VERSION}"
    assert f"LIVEKIT_VERSION={LIVEKIT_VERSION}\n" in (ROOT / "deploy/setup").read_text()
    assert not [image for image in images.values() if image.endswith(":latest")]


def test_the_image_sets_only_settings_that_there_are() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    environment = re.search(r"^ENV ((?:.*\\\n)*.*)$", dockerfile, re.MULTILINE)
    assert environment
    names = set(re.findall(r"([A-Z_]+)=", environment[1])) - {"PYTHONUNBUFFERED"}
    assert {name.lower() for name in names} <= Settings.model_fields.keys()


def test_the_local_stack_records_in_an_encoding_that_the_service_knows() -> None:
    secret = "the-secret-of-the-tests-of-32-bytes"
    settings = load(
        _env_file=None,
        livekit_api_key="devkey",
        livekit_api_secret=secret,
        encoding=local_run.ENCODING,
    )
    assert settings.encoding == "1280x720@15:1500"


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    dashboard = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    shown = {name for text in expressions for name in re.findall(r"replay_buffer_\w+", text)}
    there = set(exposition.GAUGES)
    for metric in REGISTRY.collect():
        there |= {sample.name for sample in metric.samples}
        there |= {f"{metric.name}_bucket", f"{metric.name}_total"}
    assert shown <= there
