"""The commands of deploy/guides/README.md do what is told, one after another in one shell.

They reach the service through a Caddy with the guide's own configuration.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.processes.bound_process import spawn
from app.processes.free_ports import unused_port
from deploy.local.stack import LiveKitStack
from tests.e2e.conftest import CLOUD_KEY, CLOUD_SECRET, World
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.heavy

ROOM = "studio"
ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "deploy/guides/README.md").read_text()
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", TEXT, re.DOTALL | re.MULTILINE)
# A certificate authority of its own in place of a public one, and nothing outside its folder.
APART = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"


@dataclass
class Caddy:
    """Where it is, who vouches for it, and what it logs."""

    origin: str
    authority: Path
    log: Path


@asynccontextmanager
async def caddy(world: World, folder: Path) -> AsyncIterator[Caddy]:
    """Caddy before the service, as the guide has it but for its name and its port."""
    program = Path(sys.prefix) / "libexec" / "caddy"
    assert program.exists(), "there is no Caddy: deploy/setup --test takes one out of Debian's"
    (text,) = re.findall(r"^```\n# Caddyfile\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    found = Caddy(
        f"https://localhost:{unused_port()}",
        folder / "data/caddy/pki/authorities/local/root.crt",
        folder / "caddy.log",
    )
    config = folder / "Caddyfile"
    ours = world.service.url.removeprefix("http://")
    assert text.count("replay.example.com {") == text.count("127.0.0.1:8000") == 1
    text = text.replace("replay.example.com", found.origin).replace("127.0.0.1:8000", ours)
    config.write_text(APART + text)
    with found.log.open("wb") as log:
        process = await spawn(
            [str(program), "run", "--config", str(config), "--adapter", "caddyfile"],
            cwd=folder,
            env={"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "PATH": ""},
            stdout=log,
            stderr=log,
        )
    try:
        await wait_for(found.authority.exists, what=f"Caddy runs; see {found.log}")
        await wait_for(lambda: answers(found), what=f"Caddy answers; see {found.log}")
        yield found
    finally:
        process.terminate()
        await process.wait()


async def answers(found: Caddy) -> bool:
    try:
        async with client(found) as http:
            return (await http.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


def client(found: Caddy) -> httpx.AsyncClient:
    """Somebody who trusts it, and so knows that it is encrypted."""
    trust = ssl.create_default_context(cafile=str(found.authority))
    return httpx.AsyncClient(base_url=found.origin, verify=trust, timeout=PATIENCE_SECONDS)


async def walk(environment: dict[str, str]) -> str:
    """What the commands print, that of each block on lines of its own. None fails."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", "\necho\n".join(BLOCKS)),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, error = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, error.decode() + output.decode()
    return output.decode()


async def test_the_guides_are_walked_through(world: World, tmp_path: Path) -> None:
    """From the first capture to its deletion; what is printed last is what the audit has of it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    cloud = LiveKitStack(tmp_path / "cloud", workers=0, api_key=CLOUD_KEY, api_secret=CLOUD_SECRET)
    async with cloud, caddy(world, tmp_path) as found, world.share(ROOM):
        await world.wait_for_buffer(ROOM, seconds=2)
        told = await walk(
            world.service.settings
            | world.environment
            | {
                "PATH": path,
                "PUBLIC_URL": world.service.url,
                "URL": f"{found.origin}/v1",
                "CURL_CA_BUNDLE": str(found.authority),
                "CLOUD_URL": cloud.url,
                "CLOUD_API_KEY": CLOUD_KEY,
                "CLOUD_API_SECRET": CLOUD_SECRET,
            }
        )
    (link,) = re.findall(rf"^{re.escape(world.service.url)}/c/(\S+)$", told, re.MULTILINE)
    assert '"status":"ready"' in told.replace(": ", ":")
    # Who comes with a token of Cloud's sees their clip of a room of the other server.
    assert re.search(rf'"items":\[{{"id":"\w+".*?"owner":"alice".*?"room":"{ROOM}"', told)
    assert re.search(r"^ok +livekit: .* answers and takes the key", told, re.MULTILINE)
    assert re.search(r"^unknown +egress: ", told, re.MULTILINE)
    assert "moderator" in told
    actions = re.findall(r"^(captured|clip_changed|clip_deleted)$", told, re.MULTILINE)
    assert set(actions) == {"captured", "clip_changed", "clip_deleted"}
    assert link not in found.log.read_text()


async def test_behind_caddy_streams_come_as_they_are_sent_and_its_log_has_no_secret(
    world: World, room: str, tmp_path: Path
) -> None:
    token = {"Authorization": f"Bearer {world.service.token('alice', room)}"}
    secrets = {"the-secret-of-a-link", "a-signature", token["Authorization"]}
    async with caddy(world, tmp_path) as found, client(found) as http:
        async with http.stream("GET", "/v1/buffers/events", headers=token) as stream:
            lines = stream.aiter_lines()
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await anext(lines) == "event: snapshot"
        for path in ("/c/the-secret-of-a-link", "/c/the-secret-of-a-link/embed"):
            assert (await http.get(path)).status_code == 404
        referer = {"Referer": f"{found.origin}/c/the-secret-of-a-link"}
        answer = await http.get("/v1/files/f?sig=a-signature&exp=1", headers=referer)
        assert answer.status_code == 401
    logged = found.log.read_text()
    uris = re.findall(r'"uri":"([^"]*)"', logged)
    assert {"…", "…/embed", "/v1/files/f…"} <= set(uris)
    assert [secret for secret in secrets if secret in logged] == []
