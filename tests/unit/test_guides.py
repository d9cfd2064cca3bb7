"""What deploy/guides/README.md asks of the service can be asked of it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

import jsonschema_rs
import pytest

from app.__main__ import _parser
from app.settings import load
from tests import client_types, readme

TEXT = (readme.ROOT / "deploy/guides/README.md").read_text()
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", TEXT, re.DOTALL | re.MULTILINE)
DOCUMENT = client_types.described()
REQUEST = re.compile(r"curl ((?:[^|\n)]|\\\n)*)")


def requests() -> list[tuple[str, str, str]]:
    """The method, path and body of each request that the commands send."""
    found = []
    for block in BLOCKS:
        for text in REQUEST.findall(block.replace("\\\n", " ")):
            words = shlex.split(text.replace("$(", ""), posix=True)
            (url,) = (word for word in words if word.startswith("$URL/"))
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            body = words[words.index("-d") + 1] if "-d" in words else ""
            found.append((method, url.removeprefix("$URL"), body))
    return found


def operation(method: str, url: str) -> dict[str, object]:
    path = url.partition("?")[0]
    for template, methods in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, f"/v1{path}") and method.lower() in methods:
            found: dict[str, object] = methods[method.lower()]
            return found
    raise LookupError(f"{method} {url}")


def test_there_are_commands() -> None:
    assert len(requests()) >= 10


@pytest.mark.parametrize(("method", "url", "body"), requests())
def test_each_request_is_one_that_is_described(method: str, url: str, body: str) -> None:
    """Its path, its query, and its body by its schema."""
    told: dict[str, object] = operation(method, url)
    known = {each["name"] for each in told.get("parameters", [])}  # type: ignore[attr-defined]
    assert set(re.findall(r"[?&](\w+)=", url)) <= known
    assert ("requestBody" in told) == bool(body)
    if body:
        content = told["requestBody"]["content"]["application/json"]  # type: ignore[index]
        schema = {**DOCUMENT["components"], **content["schema"]}
        schema = json.loads(json.dumps(schema).replace("#/components/schemas/", "#/schemas/"))
        jsonschema_rs.validator_for(schema).validate(json.loads(body))


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_is_shell(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_its_calls_of_the_program_are_some() -> None:
    for call in re.findall(r"python -m app ([^\n)|]*)", TEXT):
        _parser().parse_args(shlex.split(call.rstrip("}`")))


def test_its_settings_behind_caddy_are_good_ones() -> None:
    (line,) = re.findall(r"^export (PUBLIC_URL=.*)$", TEXT, re.MULTILINE)
    given = dict(each.split("=", 1) for each in line.split())
    values: dict[str, object] = {name.lower(): value for name, value in given.items()}
    secret = {"livekit_api_key": "k", "livekit_api_secret": "s" * 32}
    trusted = tuple(given["TRUSTED_PROXIES"].split(","))
    settings = load(_env_file=None, **secret, **values | {"trusted_proxies": trusted})
    assert settings.base_url == "https://replay.example.com"
    assert f"reverse_proxy {settings.host}:{settings.port}" in TEXT
