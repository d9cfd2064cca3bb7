"""Clients that others generate from the description compile, and do what they are for.

Each gets the description from a running service, and then asks that service for the same things.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.models import BufferState
from deploy.local.stack import ROOT
from tests import npm
from tests.integration.api.conftest import ROOM, SHARER, MakeShare, token
from tests.serving import Running, serving

SMOKE = ROOT / "tests" / "clients"
GIVE_UP_SECONDS = 300.0


@pytest_asyncio.fixture
async def url(app: Running) -> AsyncIterator[str]:
    """Where the service listens."""
    async with serving(app) as found:
        yield found


async def run(
    folder: Path, *command: str | Path, environment: Mapping[str, str] | None = None
) -> str:
    """What a program prints. It does not fail, which its output would tell of."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(GIVE_UP_SECONDS):
        output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text[-10_000:]
    return text


async def described(url: str, folder: Path) -> Path:
    """The description, as the service gives it."""
    async with httpx.AsyncClient() as client:
        document = (await client.get(f"{url}/openapi.json")).raise_for_status()
    path = folder / "openapi.json"
    path.write_bytes(document.content)
    return path


def check(output: str, buffer_id: str) -> None:
    """What the programs in tests/clients print is what there is."""
    told = json.loads(output.splitlines()[-1])
    assert told.pop("state") in set(BufferState)  # which one depends on how slow the machine is
    assert told == {
        "identity": SHARER,
        "buffer": buffer_id,
        "status": "queued",
        "problem": "invalid",
    }


async def test_openapi_typescript_makes_a_client(
    url: str, share: MakeShare, tmp_path: Path
) -> None:
    """With openapi-fetch; the program is compiled with all that TypeScript can check."""
    made = await share()
    npm.CLIENTS.install()
    path = await described(url, tmp_path)
    (tmp_path / "node_modules").symlink_to(npm.CLIENTS.folder / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(SMOKE / "smoke.ts", tmp_path)
    await run(tmp_path, npm.CLIENTS.programs / "openapi-typescript", path, "-o", "schema.d.ts")
    options = ("--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "--strict")
    await run(tmp_path, npm.CLIENTS.programs / "tsc", *options, "smoke.ts")
    check(await run(tmp_path, "node", "smoke.js", url, token(), ROOM), made.buffer_id)


async def test_openapi_python_client_makes_a_client(
    url: str, share: MakeShare, tmp_path: Path
) -> None:
    """Of all operations and answers: what it can't make is a warning, and there is none."""
    made = await share()
    path = await described(url, tmp_path)
    await run(
        tmp_path, sys.executable, "-m", "openapi_python_client", "generate", "--path", path,
        "--output-path", "replay_client", "--meta", "none", "--fail-on-warning",
        "--config", SMOKE / "python.yaml",
    )  # fmt: skip
    await run(tmp_path, sys.executable, "-m", "compileall", "-q", "replay_client")
    where = {"PYTHONPATH": str(tmp_path)}
    smoke = (sys.executable, SMOKE / "smoke.py", url, token(), ROOM)
    check(await run(tmp_path, *smoke, environment=where), made.buffer_id)


@pytest.mark.heavy
async def test_openapi_generator_makes_a_client(url: str, share: MakeShare, tmp_path: Path) -> None:
    """In Go; every package of it is compiled, and the program with it."""
    made = await share()
    path = await described(url, tmp_path)
    package = distribution("openapi-generator-cli")
    generator = Path(str(package.locate_file("openapi_generator_cli/openapi-generator.jar")))
    await run(
        tmp_path, "java", "-jar", generator, "generate", "-g", "go", "-i", path, "-o", "client",
        "--additional-properties=packageName=replay,enumClassPrefix=true",
        "--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
    )  # fmt: skip
    client = tmp_path / "client"
    (client / "smoke").mkdir()
    shutil.copy(SMOKE / "smoke.go", client / "smoke" / "main.go")
    await run(client, "go", "mod", "edit", "-module", "example.com/replay")
    await run(client, "go", "vet", "./...")
    output = await run(client, "go", "run", "./smoke", url, token(), ROOM)
    check(output, made.buffer_id)
