"""The configuration files of the repository, the settings and the routes agree."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tomllib
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from arq.connections import RedisSettings
from prometheus_client import REGISTRY
from pymongo.uri_parser import parse_uri
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.routing import Route

from app.buffer import paths
from app.condition import exposition, machine
from app.main import ROUTES
from app.models import ProcessRole
from app.processes.bound_process import signal_group, spawn
from app.processes.supervisor import STOP_SECONDS
from app.recording.encoding import named
from app.settings import Settings, load, safety
from deploy.local import local_run
from deploy.local.stack import livekit_binary, valkey_command
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
ROLES = ProcessRole.of_service()
LIVEKIT_VERSION = "1.13.5"
EGRESS_VERSION = "1.14.1"


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return found


@pytest.fixture
def made_secrets(tmp_path: Path) -> dict[str, str]:
    """What deploy/secrets makes."""
    program = tmp_path / "secrets"
    shutil.copy(ROOT / "deploy/secrets", program)
    subprocess.run([program], check=True)
    lines = (tmp_path / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def compose(made_secrets: dict[str, str]) -> dict[str, Any]:
    """The file as Docker reads it. KeyError if it names a secret that nobody makes."""
    text = (ROOT / "deploy/compose.yaml").read_text()
    text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda named: made_secrets[named[1]], text)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.fixture
def service_settings(compose: dict[str, Any]) -> Settings:
    """The settings that compose.yaml gives the service, where nobody has given others."""
    environment = service_env() | compose["services"]["api"]["environment"]
    given = {name.lower(): value for name, value in environment.items()}
    assert given.keys() <= Settings.model_fields.keys()
    return load(_env_file=None, **given)


def test_compose_has_no_secret_of_its_own(made_secrets: dict[str, str], tmp_path: Path) -> None:
    """Nor a default for one; those that are made are for their owner only, and stay."""
    text = (ROOT / "deploy/compose.yaml").read_text()
    assert re.findall(r"\$\{\w+(?!\w|:\?)[^}]*\}", text) == []
    assert not [secret for secret in safety.PUBLISHED if f": {secret}" in text]
    assert len(set(made_secrets.values())) == len(made_secrets)
    assert min(map(len, made_secrets.values())) >= 64
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    subprocess.run([tmp_path / "secrets"], check=True)
    assert file.read_text() == before


def test_the_pair_of_egress_opens_livekit_and_not_the_service(
    compose: dict[str, Any], service_settings: Settings
) -> None:
    """Who takes egress over makes no token that the service believes."""
    keys = yaml.safe_load(compose["services"]["livekit"]["environment"]["LIVEKIT_KEYS"])
    egress = yaml.safe_load(compose["services"]["egress"]["environment"]["EGRESS_CONFIG_BODY"])
    assert keys[egress["api_key"]] == egress["api_secret"]
    assert keys.items() - {(egress["api_key"], egress["api_secret"])} == (
        service_settings.key_pairs.items()
    )
    example = _yaml("egress.yaml")
    own = {"api_key", "api_secret", "redis", "cpu_cost"}
    assert egress["redis"].items() >= example["redis"].items()
    assert egress["cpu_cost"].keys() == example["cpu_cost"].keys()
    assert {k: v for k, v in egress.items() if k not in own} == {
        k: v for k, v in example.items() if k not in own
    }


def test_the_stores_of_compose_ask_who_is_calling(
    compose: dict[str, Any], service_settings: Settings, made_secrets: dict[str, str]
) -> None:
    services = compose["services"]
    mongo = parse_uri(service_settings.mongo_url)
    assert _password_of_redis(service_settings) == made_secrets["REDIS_PASSWORD"]
    assert services["redis"]["environment"]["REDISCLI_AUTH"] == made_secrets["REDIS_PASSWORD"]
    users = services["mongo"]["environment"]
    assert mongo["username"] == users["MONGO_INITDB_ROOT_USERNAME"]
    assert mongo["password"] == users["MONGO_INITDB_ROOT_PASSWORD"]
    assert mongo["password"] == made_secrets["MONGO_PASSWORD"]
    shared = made_secrets["LIVEKIT_REDIS_PASSWORD"]
    assert services["livekit"]["environment"]["REDIS_PASSWORD"] == shared
    assert services["livekit-redis"]["environment"]["REDISCLI_AUTH"] == shared
    commands = json.dumps([service.get("command", []) for service in services.values()])
    assert not [each for each in made_secrets.values() if each in commands]


def test_nothing_but_the_service_reaches_its_stores(
    compose: dict[str, Any], service_settings: Settings, made_secrets: dict[str, str]
) -> None:
    """They are on no network: who has not mounted the folder of their sockets finds no way."""
    services = compose["services"]
    (mongo,) = parse_uri(service_settings.mongo_url)["nodelist"]
    sockets = [Path(mongo[0]), Path(urlsplit(service_settings.redis_url).path)]
    assert [path.parent for path in sockets] == [Path("/sockets")] * 2
    for store in ("mongo", "redis"):
        assert services[store]["network_mode"] == "none"
        assert "ports" not in services[store]
    mounted = {
        name for name, each in services.items() if "sockets:/sockets" in each.get("volumes", [])
    }
    assert mounted == {*ROLES, "mongo", "redis", "media-root"}
    for stranger in ("livekit", "egress", "livekit-redis"):
        known = json.dumps(services[stranger])
        assert made_secrets["MONGO_PASSWORD"] not in known
        assert made_secrets["REDIS_PASSWORD"] not in known
        assert made_secrets["LIVEKIT_API_SECRET"] not in known or stranger == "livekit"
    assert made_secrets["LIVEKIT_REDIS_PASSWORD"] not in str(service_settings.redis_url)


async def test_the_redis_of_compose_serves_its_socket_and_no_port(
    compose: dict[str, Any], service_settings: Settings, tmp_path: Path
) -> None:
    """Its command line, run here."""
    redis = compose["services"]["redis"]
    socket = tmp_path / "redis.sock"
    shell, flag, script = redis["command"]
    script = script.replace("$$", "$").replace("/sockets/redis.sock", str(socket))
    binary = valkey_command()[0]
    process = await spawn(
        [shell, flag, script.replace("valkey-server", binary)],
        cwd=tmp_path,
        env=redis["environment"],
    )
    url = service_settings.redis_url.replace("/sockets/redis.sock", str(socket))
    try:
        await wait_for(socket.exists)
        async with Redis.from_url(url) as client:
            assert await client.ping()
            assert (await client.config_get("port"))["port"] == "0"
        async with Redis.from_url(f"unix://{socket}") as stranger:
            with pytest.raises(RedisError, match="Authentication required"):
                await stranger.ping()
        assert RedisSettings.from_dsn(url).password == redis["environment"]["REDISCLI_AUTH"]
    finally:
        signal_group(process, signal.SIGKILL)
        await process.wait()


def _password_of_redis(settings: Settings) -> str | None:
    return urlsplit(settings.redis_url).password


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


def test_in_the_examples_egress_has_a_pair_that_is_not_the_services() -> None:
    """The service's is the one that signs webhooks. Both secrets are known as published ones."""
    egress, livekit = _yaml("egress.yaml"), _yaml("livekit.yaml")
    keys = livekit["keys"]
    assert keys[egress["api_key"]] == egress["api_secret"]
    assert keys.keys() == {livekit["webhook"]["api_key"], egress["api_key"]}
    assert len(set(keys.values())) == 2
    assert set(keys.values()) <= safety.PUBLISHED


def test_deploy_up_has_a_secret_of_its_own_that_it_does_not_show(tmp_path: Path) -> None:
    """Other users of the machine know those of the examples, and reach what listens on it."""
    stack, environment = local_run.LocalRun(tmp_path).parts(8000, 7880)
    secret = environment["LIVEKIT_API_SECRET"]
    assert stack.api_secret == secret
    assert secret not in safety.PUBLISHED
    assert len(secret) == 64
    kept = local_run.secret_path(tmp_path)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert local_run.LocalRun(tmp_path).parts(8000, 7880)[0].api_secret == secret
    settings = load(_env_file=None, **{name.lower(): value for name, value in environment.items()})
    shown = local_run.summary(settings, tmp_path, "")
    assert secret not in shown
    pair = re.search(r"LIVEKIT_API_KEY=\S+ LIVEKIT_API_SECRET=\$\(.*?\)", shown)
    assert pair
    told = subprocess.run(
        ["sh", "-c", f"{pair[0]} env"], capture_output=True, text=True, check=True
    ).stdout
    assert f"LIVEKIT_API_SECRET={secret}\n" in told


def test_livekit_and_egress_share_one_redis_and_know_each_other() -> None:
    livekit, egress = _yaml("livekit.yaml"), _yaml("egress.yaml")
    assert livekit["redis"] == egress["redis"]
    assert urlsplit(egress["ws_url"]).port == livekit["port"]


def service_env() -> dict[str, str]:
    lines = (ROOT / "deploy/service.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_settings_of_compose_can_be_given_in_a_file(compose: dict[str, Any]) -> None:
    """`.env` of the project's folder, as without containers: later files go before earlier ones."""
    for role in ROLES:
        own, given = compose["services"][role]["env_file"]
        assert own == "service.env"
        assert (ROOT / "deploy" / given["path"]).resolve() == ROOT / ".env"
        assert given["required"] is False
        fixed = compose["services"][role]["environment"]
        assert fixed.keys().isdisjoint(service_env()), "would hold whatever the files say"
        assert fixed.keys().isdisjoint(
            {"PUBLIC_URL", "QUOTA_BYTES", "CAPTURE_POLICY", "EVENTS_URL"}
        )


def test_egress_of_compose_bears_on_two_cores_what_it_is_asked_for(
    compose: dict[str, Any], service_settings: Settings
) -> None:
    """A worker takes a recording only while 80 % of its cores suffice for what that costs."""
    egress = yaml.safe_load(compose["services"]["egress"]["environment"]["EGRESS_CONFIG_BODY"])
    said = egress["cpu_cost"]["track_composite_cpu_cost"]
    needed = machine.cores_for(named(service_settings.encoding, 1920, 1080))
    assert round(needed, 1) <= said <= 0.8 * 2


def test_one_service_of_compose_builds_the_image_for_all(compose: dict[str, Any]) -> None:
    """Each `build` makes an image of its own, and without one the name is asked of a registry."""
    services = compose["services"]
    ours = {name for name, each in services.items() if each["image"] == "replay-buffer"}
    assert ours == {*ROLES, "media-root"}
    assert [name for name, each in services.items() if "build" in each] == ["media-root"]
    assert {services[name]["pull_policy"] for name in ours} == {"never"}
    assert all("media-root" in services[role]["depends_on"] for role in ROLES)
    build = services["media-root"]["build"]
    assert (ROOT / "deploy" / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_images_are_named_with_their_registry(compose: dict[str, Any]) -> None:
    """Podman looks for others where it is told to, which may be nowhere."""
    named = [service["image"] for service in compose["services"].values()]
    named += re.findall(r"^FROM (\S+)", dockerfile(), re.MULTILINE)
    assert {each for each in named if not each.startswith("docker.io/")} == {"replay-buffer"}


def test_who_drains_is_not_killed_after_ten_seconds(compose: dict[str, Any]) -> None:
    """Egress records to the end, LiveKit waits until all have left."""
    graces = {n: each.get("stop_grace_period") for n, each in compose["services"].items()}
    assert graces["egress"] == "1h"
    assert graces["livekit"] == "5m"
    assert graces["api"] == "20s"
    assert int(graces["api"].removesuffix("s")) > STOP_SECONDS


def test_no_volume_is_without_a_name(compose: dict[str, Any]) -> None:
    """Nobody removes such: what an image says to be a volume is mounted."""
    assert "VOLUME" not in dockerfile()
    of_images = {"mongo": {"/data/db", "/data/configdb"}, "redis": {"/data"}}
    of_images["livekit-redis"] = of_images["redis"]
    for name, folders in of_images.items():
        service = compose["services"][name]
        mounted = {each.split(":")[1] for each in service["volumes"]} | {service.get("tmpfs")}
        assert folders <= mounted
    used = {
        each.split(":")[0] if isinstance(each, str) else each["source"]
        for service in compose["services"].values()
        for each in service.get("volumes", [])
    }
    assert {each for each in used if "/" not in each} == compose["volumes"].keys()


def test_what_is_bound_is_labelled_for_selinux(compose: dict[str, Any]) -> None:
    bound = [
        each
        for service in compose["services"].values()
        for each in service.get("volumes", [])
        if isinstance(each, str) and each.startswith(".")
    ]
    assert bound == ["../livekit.yaml:/etc/livekit.yaml:ro,z"]


def test_health_checks_of_compose_are_seldom_but_at_the_start(compose: dict[str, Any]) -> None:
    """One of MongoDB starts a Node.js, one of ours a Python."""
    for name in (*ROLES, "mongo"):
        check = compose["services"][name]["healthcheck"]
        assert check["interval"] == "30s"
        assert check["start_period"]
        assert check["start_interval"]


def test_every_log_of_compose_is_bounded(compose: dict[str, Any]) -> None:
    """Docker's own driver keeps all that was ever said; anybody makes a server talk."""
    goes_on = {name for name, each in compose["services"].items() if "restart" in each}
    bounded = {n for n in goes_on if "max-size" in compose["services"][n]["logging"]["options"]}
    assert bounded == goes_on
    assert {"api", "livekit", "egress", "mongo"} <= goes_on


def test_the_service_of_compose_finds_livekit(service_settings: Settings) -> None:
    livekit = _yaml("livekit.yaml")
    assert urlsplit(service_settings.livekit_url).port == livekit["port"]
    (webhook,) = map(urlsplit, livekit["webhook"]["urls"])
    assert webhook.port == service_settings.port


def test_compose_shows_egress_of_the_media_root_only_where_it_writes(
    compose: dict[str, Any], service_settings: Settings
) -> None:
    """Below the folder that it is told, so that both see a session's files at the same place."""
    services = compose["services"]
    for role in (*ROLES, "media-root"):
        assert f"media:{service_settings.media_root}" in services[role]["volumes"]
    (shared,) = services["egress"]["volumes"]
    session = paths.session_folder("room", "user", "session")
    prefix = paths.filename_prefix(service_settings.egress_media_root, str(session))
    assert prefix.startswith(f"{shared['target']}/room-")
    assert (shared["source"], shared["volume"]) == ("media", {"subpath": paths.BUFFER_ROOT})
    made = services["media-root"]["entrypoint"][-1].splitlines()
    root = str(service_settings.media_root)
    (uid,) = re.findall(r"useradd --uid (\d+)", dockerfile())
    assert f"right 2750 {root}" in made
    assert f"right 2750 {root}/{paths.BUFFER_ROOT}" in made
    assert set(re.findall(r"\b1\d{4}\b", "\n".join(made))) == {uid}
    assert services["egress"]["environment"]["TZ"] == "UTC"


def test_each_process_of_compose_tells_its_metrics_on_a_port_of_its_own(
    compose: dict[str, Any],
) -> None:
    environments = [compose["services"][role]["environment"] for role in ROLES]
    assert len({environment.pop("METRICS_PORT") for environment in environments}) == len(ROLES)
    assert environments[0] == environments[1] == environments[2], "the rest is the same"


def test_compose_runs_the_versions_that_were_measured(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images["livekit"] == f"docker.io/livekit/livekit-server:v{LIVEKIT_VERSION}"
    assert images["egress"] == f"docker.io/livekit/egress:v{EGRESS_VERSION}"
    assert f"LIVEKIT_VERSION={LIVEKIT_VERSION}\n" in (ROOT / "deploy/setup").read_text()
    assert not [image for image in images.values() if image.endswith(":latest")]


def test_folders_that_are_right_are_left_alone_and_others_refused(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    """As on NFS with root_squash, where root may change none: media-root's commands, run here."""
    shell, flags, script = compose["services"]["media-root"]["entrypoint"]
    media, shim = tmp_path / "media", tmp_path / "bin"
    script = script.replace("$$", "$").replace("/media", str(media)).replace("/sockets", str(shim))
    script = script.replace("setpriv --reuid 10001 --regid 0 --clear-groups", "env")
    script = script.replace("10001", str(os.getuid())).replace("-g 0", f"-g {os.getgid()}")
    script = script.replace(f'{os.getuid()} 0"', f'{os.getuid()} {os.getgid()}"')

    def run() -> tuple[int, str]:
        path = f"{shim}:{os.environ['PATH']}"
        done = subprocess.run(
            [shell, flags, script],
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    assert run() == (0, "")
    for folder, mode in ((media, 0o2750), (media / paths.BUFFER_ROOT, 0o2750)):
        assert folder.stat().st_mode & 0o7777 == mode
    install = shim / "install"  # of root, where root is nobody
    install.write_text('#!/bin/sh\ncase "$*" in *1777*) exit 0 ;; *) exit 1 ;; esac\n')
    install.chmod(0o755)
    assert run() == (0, "")
    (media / paths.BUFFER_ROOT).chmod(0o755)
    code, said = run()
    assert code == 1
    assert f"{media}/{paths.BUFFER_ROOT} is not of mode 2750" in said
    assert "root_squash" in said


def test_a_changed_line_of_the_service_ships_little() -> None:
    """What is locked has a layer of its own, before the service's, which installs nothing else."""
    stages = dict(
        re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM)", dockerfile(), re.MULTILINE | re.DOTALL)
    )
    assert stages.keys() == {"packages", "service"}
    locked = re.findall(r"-r (\w+)\.lock", stages["packages"])
    assert locked == ["runtime", "embedded", "otel"]
    for word in ("--require-hashes", "--no-deps", "--only-binary :all:"):
        assert word in stages["packages"]
    assert re.findall(r"^COPY (.*) \S+$", stages["packages"], re.MULTILINE) == [
        " ".join(f"requirements/{group}.lock" for group in locked)
    ]
    assert "--no-deps" in stages["service"]
    last = dockerfile().rpartition("\nFROM ")[2]
    (packages,) = re.findall(r"^COPY --from=packages .*", last, re.MULTILINE)
    (service,) = re.findall(r"^COPY --from=service .*", last, re.MULTILINE)
    assert last.index("\nRUN ") < last.index(packages) < last.index(service)
    assert "RUN" not in last[last.index(packages) :]
    assert "--mount" not in dockerfile(), "would need BuildKit"
    sources = [path for folder in ("app", "handlers") for path in (ROOT / folder).rglob("*")]
    kept = [path for path in sources if path.is_file() and "__pycache__" not in path.parts]
    # Layers are sent packed. pip adds bytecode, which is then 2.4 times its source at most.
    packed = {path: len(zlib.compress(path.read_bytes())) for path in kept}
    compiled = 2.4 * sum(size for path, size in packed.items() if path.suffix == ".py")
    assert sum(packed.values()) + compiled < 5_000_000


def test_the_image_says_what_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', dockerfile()))
    assert labels["title"] == project["name"]
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    bases = set(re.findall(r"^FROM (\S+)", dockerfile(), re.MULTILINE))
    assert bases == {labels["base.name"]}


def test_containers_ask_each_role_how_it_is(compose: dict[str, Any]) -> None:
    """And the image by itself whatever runs in it."""
    for role in ROLES:
        kind, *command = compose["services"][role]["healthcheck"]["test"]
        assert (kind, command) == ("CMD", ["python", "-m", "app", "health", role])
    (asked,) = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", dockerfile(), re.MULTILINE)
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", dockerfile(), re.MULTILINE)
    assert json.loads(asked) == [*json.loads(entry), "health"]
    assert compose["services"]["media-root"]["healthcheck"] == {"disable": True}, "it only begins"


def dockerfile() -> str:
    return (ROOT / "deploy/Dockerfile").read_text()


def test_the_image_sets_only_settings_that_there_are() -> None:
    environment = re.search(r"^ENV ((?:.*\\\n)*.*)$", dockerfile(), re.MULTILINE)
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
