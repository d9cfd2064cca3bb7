"""What Helm makes of the chart: Kubernetes takes it, it runs the service, and it lets nobody in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate.utils import ValidationError, latest_version, validate
from starlette.routing import Route

from app.__main__ import COMMANDS
from app.buffer import paths
from app.main import ROUTES
from app.models import ProcessRole
from app.processes import embedded, supervisor
from app.settings import Settings, load
from tests import chart, readme
from tests.chart import CHART, EXAMPLES

# Helm is built once on a machine, which takes minutes.
pytestmark = [pytest.mark.heavy, pytest.mark.timeout(3600)]

Manifest = dict[str, Any]
VERSIONS = ("1.27", "1.37")
"""The oldest that Chart.yaml lets, and the newest that kubernetes-validate has schemas of."""
CUSTOM = {"PodMonitor", "PrometheusRule"}
"""Kinds that are none of Kubernetes' own."""
COMBINATIONS = {
    what: tuple(re.findall(r"`examples/([\w.-]+)`", files))
    for what, files in readme.rows(readme.section((CHART / "README.md").read_text(), "Install it"))
}
"""Those that the chart's README names."""
BASE = ("shared-volume.yaml",)


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Helm is there, and keeps what it keeps in a folder of its own."""
    if "HELM" not in os.environ:
        subprocess.run([readme.ROOT / "deploy/setup", "--helm"], check=True)
    home = str(tmp_path_factory.mktemp("helm"))
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"):
            environment.setenv(name, home)
        yield


pytestmark.append(pytest.mark.usefixtures("helm"))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = os.environ.get("HELM") or Path(sys.prefix) / "libexec/helm"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def chosen(files: tuple[str, ...], sets: tuple[str, ...]) -> Iterator[str]:
    """The options for values of examples, and such as `mode=single`."""
    for file in files:
        yield from ("-f", str(EXAMPLES / file))
    for each in sets:
        yield from ("--set-json", each)


@cache
def rendered(
    files: tuple[str, ...], *sets: str, version: str = VERSIONS[1]
) -> tuple[Manifest, ...]:
    """The manifests. `sets`: values such as `stopped=true`, as JSON."""
    name = ("template", "replay-buffer", CHART, "--namespace", "video")
    done = run(*name, "--kube-version", f"{version}.0", *chosen(files, sets))
    assert done.returncode == 0, done.stderr
    return tuple(filter(None, yaml.safe_load_all(done.stdout)))


def refused(files: tuple[str, ...], *sets: str) -> str:
    """Why Helm does not render it."""
    done = run("template", "replay-buffer", CHART, *chosen(files, sets))
    assert done.returncode != 0
    return done.stderr


def of_kind(manifests: tuple[Manifest, ...], kind: str) -> dict[str, Manifest]:
    """Those of a kind by the role that they are for."""
    return {
        each["metadata"]["labels"].get("app.kubernetes.io/component", ""): each
        for each in manifests
        if each["kind"] == kind
    }


def workloads(manifests: tuple[Manifest, ...]) -> dict[str, Manifest]:
    return of_kind(manifests, "Deployment") | of_kind(manifests, "StatefulSet")


def pods(manifests: tuple[Manifest, ...]) -> dict[str, Manifest]:
    """The pods' specifications by role."""
    return {role: each["spec"]["template"]["spec"] for role, each in workloads(manifests).items()}


def matches(selector: Manifest, manifest: Manifest) -> bool:
    """Whether the pods of a workload are meant."""
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    return bool(selector.items() <= labels.items())


every = pytest.mark.parametrize("files", COMBINATIONS.values(), ids=COMBINATIONS)


def test_the_readme_names_some() -> None:
    assert {"single.yaml", "s3.yaml", *BASE} <= {
        each for files in COMBINATIONS.values() for each in files
    }
    assert len(COMBINATIONS) > 8


@cache
def complaint(manifest: str, version: str) -> str:
    """What Kubernetes' schema has against it; empty: nothing. Unknown fields count."""
    try:
        validate(json.loads(manifest), version, strict=True)
    except ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    return ""


@pytest.mark.parametrize("version", VERSIONS)
@every
def test_kubernetes_takes_it(files: tuple[str, ...], version: str) -> None:
    found = rendered(files, version=version)
    own = [json.dumps(each, sort_keys=True) for each in found if each["kind"] not in CUSTOM]
    assert [said for each in own if (said := complaint(each, version))] == []
    names = [(each["kind"], each["metadata"]["name"]) for each in found]
    assert len(set(names)) == len(names)


def test_the_versions_are_the_oldest_and_the_newest() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["kubeVersion"] == f">={VERSIONS[0]}.0-0"
    assert latest_version() == f"{VERSIONS[1]}.0"


def test_kubernetes_would_have_refused_a_wrong_manifest() -> None:
    (pod,) = rendered(("single.yaml",))[-1:]
    wrong = {**pod, "spec": {**pod["spec"], "unheardOf": 1}}
    assert "unheardOf" in complaint(json.dumps(wrong), VERSIONS[1])


@every
def test_helm_s_own_checks_have_nothing_against_it(files: tuple[str, ...]) -> None:
    done = run("lint", "--strict", CHART, *chosen(files, ()))
    assert done.returncode == 0, done.stdout + done.stderr


@every
def test_each_container_is_let_do_as_little_as_it_needs(files: tuple[str, ...]) -> None:
    """Pod Security Standard `restricted`, and a root file system that nobody writes."""
    for role, pod in pods(rendered(files)).items():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert security["fsGroupChangePolicy"] == "OnRootMismatch"
        assert {"initContainers", "ephemeralContainers"}.isdisjoint(pod)
        (container,) = pod["containers"]
        assert container["name"] == role
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"] is True
        assert own["allowPrivilegeEscalation"] is False
        assert own["privileged"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}
        assert {next(iter(each.keys() - {"name"})) for each in pod["volumes"]} == {
            "persistentVolumeClaim",
            "emptyDir",
        }


@every
def test_the_service_account_has_no_rights_and_no_token(files: tuple[str, ...]) -> None:
    found = rendered(files)
    (account,) = [each for each in found if each["kind"] == "ServiceAccount"]
    assert account["automountServiceAccountToken"] is False
    assert {pod["serviceAccountName"] for pod in pods(found).values()} == {
        account["metadata"]["name"]
    }
    assert not [each["kind"] for each in found if "Role" in each["kind"]]


@every
def test_no_secret_is_a_value_and_no_manifest_is_a_secret(files: tuple[str, ...]) -> None:
    found = rendered(files)
    assert not [each for each in found if each["kind"] in ("Secret", "ConfigMap")]
    for pod in pods(found).values():
        for variable in pod["containers"][0]["env"]:
            given = variable.keys() - {"name"}
            if variable["name"] in chart.secret_settings():
                assert given == {"valueFrom"}
                assert variable["valueFrom"].keys() == {"secretKeyRef"}
            else:
                assert given <= {"value", "valueFrom"}


PLACEHOLDERS = {
    "MONGO_URL": "mongodb://replay:password@mongo/replay",
    "REDIS_URL": "redis://:password@redis",
}


@every
def test_each_pod_has_settings_that_the_service_takes(files: tuple[str, ...]) -> None:
    """Both folders are below volumes; egress sees the media root where the README mounts it."""
    for role, pod in pods(rendered(files)).items():
        (container,) = pod["containers"]
        variables = container["env"]
        names = [each["name"] for each in variables]
        assert len(set(names)) == len(names)
        given = {
            each["name"]: each.get("value", PLACEHOLDERS.get(each["name"], "s" * 32))
            for each in variables
        }
        assert {name.lower() for name in given} <= Settings.model_fields.keys()
        settings = load(_env_file=None, **{name.lower(): value for name, value in given.items()})
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert set(mounts.values()) == {each["name"] for each in pod["volumes"]}
        assert str(settings.media_root.parent) in mounts
        assert mounts["/tmp"] == "tmp"
        assert (str(settings.data_dir.parent) in mounts) == (role == "single")
        session = paths.session_folder("room", "user", "session")
        prefix = paths.filename_prefix(settings.egress_media_root, str(session))
        assert prefix.startswith("/recordings/replay-buffer/room-")
        text = (CHART / "README.md").read_text()
        assert "mountPath: /recordings/replay-buffer, subPath: media/replay-buffer}" in text
        assert settings.media_root.name == "media"


@every
def test_what_is_claimed_is_made_and_stays(files: tuple[str, ...]) -> None:
    found = rendered(files)
    claims = {
        each["metadata"]["name"]: each for each in found if each["kind"] == "PersistentVolumeClaim"
    }
    claimed = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods(found).values()
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claimed == claims.keys()
    kept = {"helm.sh/resource-policy": "keep"}
    assert all(each["metadata"]["annotations"] == kept for each in claims.values())
    assert claims["replay-buffer-media"]["spec"]["accessModes"] == ["ReadWriteMany"]


@every
def test_each_role_is_asked_how_it_is(files: tuple[str, ...]) -> None:
    """The API by a route that there is; the others by the command, of this role."""
    gets = {
        each.path for each in ROUTES if isinstance(each, Route) and "GET" in (each.methods or ())
    }
    for role, pod in pods(rendered(files)).items():
        (container,) = pod["containers"]
        assert container["args"] == [role]
        assert role in COMMANDS
        ports = {each["name"] for each in container.get("ports", [])}
        assert {"startupProbe", "livenessProbe"} <= container.keys()
        assert ("readinessProbe" in container) == ("http" in ports) == (role in ("api", "single"))
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container.get(kind, {"httpGet": {"path": "/healthz", "port": "http"}})
            if "exec" in probe:
                asked = ["python", "-m", "app", "health", ProcessRole(role)]
                assert probe["exec"]["command"] == asked
                assert role != "api"
            else:
                assert probe["httpGet"] == {"path": "/healthz", "port": "http"}
                assert "/healthz" in gets
        startup = container["startupProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 600


@every
def test_pods_have_time_to_end(files: tuple[str, ...]) -> None:
    for pod in pods(rendered(files)).values():
        hook = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("exec", {})
        before = float(hook.get("command", ["sleep", "0"])[1])
        needed = before + supervisor.STOP_SECONDS + embedded.STOP_SECONDS
        assert pod["terminationGracePeriodSeconds"] > needed


@every
def test_a_role_is_never_without_a_pod(files: tuple[str, ...]) -> None:
    """While values change, or a node is drained; one with stores of its own never has two."""
    found = rendered(files)
    budgets = of_kind(found, "PodDisruptionBudget")
    deployments = of_kind(found, "Deployment")
    assert deployments.keys() in ({"api", "worker", "indexer"}, set())
    assert budgets.keys() == deployments.keys()
    for role, deployment in deployments.items():
        strategy = {"maxUnavailable": 0, "maxSurge": 1}
        assert deployment["spec"]["strategy"]["rollingUpdate"] == strategy
        assert budgets[role]["spec"]["maxUnavailable"] == 1
        selector = budgets[role]["spec"]["selector"]["matchLabels"]
        assert {name for name, each in deployments.items() if matches(selector, each)} == {role}
    for each in of_kind(found, "StatefulSet").values():
        assert each["spec"]["replicas"] == 1
        assert deployments == {}


@every
def test_selectors_find_their_pods_and_outlast_an_upgrade(files: tuple[str, ...]) -> None:
    found = rendered(files)
    recommended = {"name", "instance", "version", "part-of", "managed-by"}
    for each in found:
        assert {f"app.kubernetes.io/{name}" for name in recommended} <= each["metadata"][
            "labels"
        ].keys()
    lasting = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component")}
    for each in workloads(found).values():
        selector = each["spec"]["selector"]["matchLabels"]
        assert selector.keys() == lasting
        assert matches(selector, each)
    (service,) = [each for each in found if each["kind"] == "Service"]
    (served,) = [e for e in workloads(found).values() if matches(service["spec"]["selector"], e)]
    ports = served["spec"]["template"]["spec"]["containers"][0]["ports"]
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] in {each["name"] for each in ports}


@every
def test_who_is_scaled_has_a_measure(files: tuple[str, ...]) -> None:
    found = rendered(files)
    for role, scaler in of_kind(found, "HorizontalPodAutoscaler").items():
        deployment = of_kind(found, "Deployment")[role]
        assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"], "each upgrade would set it back"
        assert scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"]
        assert scaler["spec"]["metrics"]


def test_apis_follow_their_processor_time_and_workers_their_queue() -> None:
    scalers = of_kind(rendered(COMBINATIONS["all of it"]), "HorizontalPodAutoscaler")
    assert scalers.keys() == {"api", "worker", "indexer"}
    assert [each["type"] for each in scalers["api"]["spec"]["metrics"]] == ["Resource"]
    (measure,) = scalers["worker"]["spec"]["metrics"]
    assert measure["external"] == {
        "metric": {"name": "replay_buffer_open_captures"},
        "target": {"type": "AverageValue", "averageValue": "4"},
    }


@every
def test_only_the_api_and_the_metrics_can_be_reached(files: tuple[str, ...]) -> None:
    found = rendered(files)
    policies = {e["metadata"]["name"]: e["spec"] for e in found if e["kind"] == "NetworkPolicy"}
    for role, each in workloads(found).items():
        about = [
            rule
            for policy in policies.values()
            if "Ingress" in policy["policyTypes"]
            and matches(policy["podSelector"]["matchLabels"], each)
            for rule in [policy.get("ingress", [])]
        ]
        open_ports = {port["port"] for rules in about for rule in rules for port in rule["ports"]}
        told = "metrics.yaml" in files
        assert about, "else it is open to everybody"
        assert open_ports == {
            *(["http"] if role in ("api", "single") else []),
            *(["metrics"] if told else []),
        }


def test_egress_reaches_livekit_and_its_redis_and_nothing_of_ours() -> None:
    found = rendered((*BASE, "network.yaml"))
    (policy,) = [e["spec"] for e in found if e["metadata"]["name"].endswith("-livekit-egress")]
    assert policy["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "egress"}}
    assert policy["policyTypes"] == ["Egress"]
    spaces = {
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in policy["egress"]
        for peer in rule["to"]
    }
    assert spaces == {"kube-system", "livekit"}


def test_prometheus_asks_with_the_token_and_has_the_alarms() -> None:
    found = rendered((*BASE, "metrics.yaml"))
    (monitor,) = of_kind(found, "PodMonitor").values()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    token = {"name": "replay-metrics", "key": "METRICS_TOKEN"}
    assert endpoint["authorization"]["credentials"] == token
    selector = monitor["spec"]["selector"]["matchLabels"]
    for each in workloads(found).values():
        assert matches(selector, each)
        ports = each["spec"]["template"]["spec"]["containers"][0]["ports"]
        assert endpoint["port"] in {port["name"] for port in ports}
    (rule,) = of_kind(found, "PrometheusRule").values()
    assert rule["spec"] == yaml.safe_load((readme.ROOT / "deploy/alerts.yaml").read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_an_ingress_leads_to_the_service() -> None:
    found = rendered((*BASE, "ingress.yaml"))
    (ingress,) = of_kind(found, "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    (service,) = of_kind(found, "Service").values()
    backend = {"name": service["metadata"]["name"], "port": {"name": "http"}}
    assert path == {"path": "/", "pathType": "Prefix", "backend": {"service": backend}}
    assert ingress["spec"]["tls"] == [{"hosts": [rule["host"]], "secretName": "replay-tls"}]


@pytest.mark.parametrize("files", [BASE, ("single.yaml",)])
def test_stopped_nothing_runs_and_all_else_is_there(files: tuple[str, ...]) -> None:
    found = rendered(files, "stopped=true")
    assert {each["spec"]["replicas"] for each in workloads(found).values()} == {0}
    assert of_kind(found, "HorizontalPodAutoscaler") == {}
    scalers = {"HorizontalPodAutoscaler"}
    assert {e["kind"] for e in found} == {e["kind"] for e in rendered(files)} - scalers


def test_an_image_is_named_by_its_digest_or_its_tag() -> None:
    digest = f"sha256:{'0' * 64}"
    repository = "registry.example.com/replay-buffer"
    for given, wanted in (
        (f'image.digest="{digest}"', f"{repository}@{digest}"),
        ('image.tag=""', f"{repository}:0.1.0"),
        ('image.tag="0.2.0"', f"{repository}:0.2.0"),
    ):
        images = {pod["containers"][0]["image"] for pod in pods(rendered(BASE, given)).values()}
        assert images == {wanted}


def test_settings_come_as_they_were_written() -> None:
    """Large numbers without exponents, flags as the service reads them, no variables of others."""
    given = {
        "FREE_SPACE_MIN_BYTES": 21474836480,
        "CLIPS_PROXY": True,
        "RETENTION_MINUTES": 12.5,
        "CORS_ORIGINS": "https://a.example.com,https://b.example.com",
        "ADMINS": '$(PATH) "<ann>" \\ & b: #c',
    }
    sets = [f"settings.{name}={json.dumps(value)}" for name, value in given.items()]
    env = pods(rendered(BASE, *sets))["worker"]["containers"][0]["env"]
    found = {each["name"]: each.get("value") for each in env}
    assert (
        found.items()
        >= {
            "FREE_SPACE_MIN_BYTES": "21474836480",
            "CLIPS_PROXY": "true",
            "RETENTION_MINUTES": "12.5",
            "CORS_ORIGINS": "https://a.example.com,https://b.example.com",
            "ADMINS": '$$(PATH) "<ann>" \\ & b: #c',
        }.items()
    )


def test_volumes_that_are_there_are_taken() -> None:
    found = rendered(
        ("single.yaml",), 'media={"existingClaim":"films"}', 'data={"existingClaim":"rows"}'
    )
    assert not [each for each in found if each["kind"] == "PersistentVolumeClaim"]
    (pod,) = pods(found).values()
    claims = [each.get("persistentVolumeClaim", {}).get("claimName") for each in pod["volumes"]]
    assert claims == ["films", "rows", None]


def test_pods_run_where_they_are_told_to() -> None:
    where = {
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "video", "operator": "Exists"}],
        "priorityClassName": "high",
    }
    found = rendered(
        BASE,
        f"scheduling={json.dumps(where)}",
        'podAnnotations={"example.com/owner":"video"}',
        'image.pullSecrets=[{"name":"registry"}]',
    )
    for each in workloads(found).values():
        assert where.items() <= each["spec"]["template"]["spec"].items()
        assert each["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
        assert each["spec"]["template"]["metadata"]["annotations"] == {"example.com/owner": "video"}
        assert complaint(json.dumps(each), VERSIONS[1]) == ""


def test_a_network_without_policies_gets_none() -> None:
    found = rendered((*BASE, "network.yaml"), "networkPolicy.enabled=false")
    assert not [each for each in found if each["kind"] == "NetworkPolicy"]


@pytest.mark.parametrize(
    ("files", "sets", "words"),
    [
        ((), (), "image.repository is empty: name the image"),
        ((), (), "settings.LIVEKIT_URL is missing: where your LiveKit is"),
        ((), (), "LIVEKIT_API_KEY is missing"),
        ((), (), "secrets.LIVEKIT_API_SECRET is missing: name the Secret"),
        (("single.yaml",), ('mode="roles"',), "secrets.MONGO_URL is missing"),
        (("single.yaml",), ('mode="roles"',), "secrets.REDIS_URL is missing"),
        (BASE, ('metrics={"enabled":true}',), "secrets.METRICS_TOKEN is missing"),
        (BASE, ('metrics={"podMonitor":true}',), "set that, too"),
        (BASE, ('metrics={"enabled":true,"podMonitor":true}',), "secrets.METRICS_TOKEN is missing"),
        (
            BASE,
            ('settings={"LIVEKIT_API_KEY":"key"}',),
            "LIVEKIT_API_KEY stands in settings and in",
        ),
        (BASE, ('ingress={"enabled":true}',), "ingress.host is empty"),
        (BASE, ('networkPolicy={"livekitEgress":{"podLabels":{"a":"b"}}}',), "outgoing is empty"),
        (BASE, ("replicas=2",), "replicas"),
        (BASE, ('settings={"RETENTION":"12"}',), "RETENTION"),
        (BASE, ('mode="all"',), "mode"),
    ],
)
def test_what_is_wrong_is_refused_with_a_clear_word(
    files: tuple[str, ...], sets: tuple[str, ...], words: str
) -> None:
    assert words in refused(files, *sets)


def test_helm_says_what_is_left_to_do() -> None:
    """As it would after an installation."""
    for files, target in (
        (BASE, "deployment/replay-buffer-worker"),
        (("single.yaml",), "statefulset"),
    ):
        done = run(
            "install", "replay-buffer", CHART, "--namespace", "video", "--dry-run=client",
            *chosen(files, ()),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = done.stdout.partition("NOTES:")[2]
        assert "urls: [http://replay-buffer.video:8000/webhooks/livekit]" in told
        assert "replay-buffer-media" in told
        assert target in told
