"""SeaweedFS on this machine: an object store that speaks S3, to try things with and for tests.

async with Seaweed(folder) as store:
    await store.make_bucket("clips")
    … store.endpoint, store.key, store.secret …

Of the ports that it listens on only that of S3 answers whoever has a key. The others, by which all
that is in it can be read and changed, want a certificate that is in its folder (mutual TLS). Nobody
but our user gets into that, nor connects to its Unix sockets.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from app.processes.free_ports import choose_ports
from deploy.local.stack import Part, PartFailed

READY_SECONDS = 90.0
"""It takes about 6 s on a machine that does nothing else."""
LOOK_SECONDS = 0.2
PORTS = ("master", "volume", "filer", "s3")
LOOPBACK = "127.0.0.1"
_PRIVATELY = ("sh", "-c", 'umask 077; exec "$0" "$@"')
"""Its sockets, some of them in /tmp, are for whoever may write to them."""


def weed() -> Path:
    """The program. Raises FileNotFoundError."""
    path = Path(sys.prefix) / "bin/weed"
    if not path.is_file():
        raise FileNotFoundError(f"no SeaweedFS at {path}: deploy/setup --test installs it")
    return path


class Seaweed:
    """All of SeaweedFS in one process, with its files, ports and keys in a folder.

    `key` and `secret` may do everything. `keeper` is a pair that may do anything with objects, of
    buckets that are there; `guest` one that may read and list.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        names = [*PORTS, *(f"{name}.grpc" for name in PORTS)]
        self._ports = choose_ports(names, folder / "ports.json")
        self._folder = folder
        self.endpoint = f"http://{LOOPBACK}:{self._ports['s3']}"
        self.key, self.secret = "owner", secrets.token_hex(16)
        self.keeper = ("keeper", secrets.token_hex(16))
        self.guest = ("guest", secrets.token_hex(16))
        self._certificate, self._certificate_key = folder / "weed.pem", folder / "weed.key"
        command = [*_PRIVATELY, *self._command()]
        self._part = Part("seaweed", command, folder / "weed.log", self._environment())

    async def __aenter__(self) -> Self:
        identities = [
            _identity(self.key, self.secret, "Admin"),
            _identity(*self.keeper, "Read", "List", "Write", "Tagging"),
            _identity(*self.guest, "Read", "List"),
        ]
        (self._folder / "s3.json").write_text(json.dumps({"identities": identities}))
        (self._folder / "data").mkdir(exist_ok=True)
        await self._certify()
        await self._part.start()
        try:
            await self._ready()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        # In order it takes 15 s. What it has acknowledged is in its files.
        await self._part.end(signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """The id of its process; None before it is started."""
        return self._part.process.pid if self._part.process else None

    def clip_settings(self, bucket: str) -> dict[str, str]:
        """The settings of a service whose clips are in a bucket of this store, by their names."""
        return {
            "CLIPS_URL": f"s3://{bucket}/replay/clips",
            "S3_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def buffer_settings(self, bucket: str) -> dict[str, str]:
        """The settings of a service whose egress writes in a bucket of this store."""
        access_key, secret = self.keeper
        return {
            "BUFFER_URL": f"s3://{bucket}/replay/buffer",
            "S3_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "EGRESS_S3_ACCESS_KEY": access_key,
            "EGRESS_S3_SECRET": secret,
        }

    def pause(self) -> None:
        """It answers nobody until `resume`; connections to it stand."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    async def make_bucket(self, name: str) -> None:
        """Makes a bucket, if it is not there."""
        async with self._client() as client:
            answer = await client.post(f"{self._filer}/buckets/{name}/")
            answer.raise_for_status()

    @property
    def _filer(self) -> str:
        return f"https://{LOOPBACK}:{self._ports['filer']}"

    def _client(self) -> httpx.AsyncClient:
        """Who the ports besides that of S3 let in."""
        context = ssl.create_default_context(cafile=self._certificate)
        context.load_cert_chain(self._certificate, self._certificate_key)
        return httpx.AsyncClient(trust_env=False, verify=context)

    async def _certify(self) -> None:
        """Makes a certificate that is trusted by itself, for both ends of its connections."""
        command = [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "3650", "-subj", "/CN=seaweed"),
            *("-addext", f"subjectAltName=IP:{LOOPBACK}"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
            *("-keyout", str(self._certificate_key), "-out", str(self._certificate)),
        ]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise PartFailed(f"SeaweedFS has no certificate\n{said.decode(errors='replace')}")

    def _environment(self) -> dict[str, str]:
        """What its security.toml says elsewhere: who must show the certificate, and who has it."""
        pair = {"CERT": str(self._certificate), "KEY": str(self._certificate_key)}
        ends = [f"GRPC_{name}" for name in ("MASTER", "VOLUME", "FILER", "S3", "CLIENT")]
        ends += [f"HTTPS_{name}" for name in ("MASTER", "VOLUME", "FILER", "CLIENT")]
        given = {f"{end}_{name}": value for end in ends for name, value in pair.items()}
        trusted = ["GRPC", *(end for end in ends if end.startswith("HTTPS"))]
        given |= {f"{end}_CA": str(self._certificate) for end in trusted}
        return {f"WEED_{name}": value for name, value in given.items()} | {
            "WEED_HTTPS_CLIENT_ENABLED": "true"
        }

    def _signal(self, sign: signal.Signals) -> None:
        if self._part.process is not None and self._part.running:
            self._part.process.send_signal(sign)

    def _command(self) -> list[str]:
        given = {
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            "dir": self._folder / "data",
            "master.volumeSizeLimitMB": 512,
            "master.telemetry": "false",  # else it tells its makers of itself
            "volume.max": 10_000,  # each bucket takes several
            "filer": "true",
            "filer.localSocket": self._folder / "filer.sock",
            "s3": "true",
            "s3.config": self._folder / "s3.json",
            "s3.localSocket": self._folder / "s3.sock",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
        }
        ports = {f"{name}.port": self._ports[name] for name in PORTS}
        ports |= {f"{name}.port.grpc": self._ports[f"{name}.grpc"] for name in PORTS}
        options = [f"-{name}={value}" for name, value in (given | ports).items()]
        return [str(weed()), "-logtostderr=true", "server", *options]

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        async with self._client() as client:
            while not await self._answers(client):
                if not self._part.running or time.monotonic() > deadline:
                    raise PartFailed(f"SeaweedFS does not start\n{self._part.tail()}")
                await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        """Whether it takes a file, and its S3 side asks who we are."""
        try:
            put = await client.put(f"{self._filer}/ready", content=b"ready")
            asked = await client.get(self.endpoint)
        except httpx.HTTPError:
            return False
        return put.is_success and asked.status_code == httpx.codes.FORBIDDEN


def _identity(key: str, secret: str, *actions: str) -> dict[str, object]:
    credentials = [{"accessKey": key, "secretKey": secret}]
    return {"name": key, "credentials": credentials, "actions": list(actions)}
