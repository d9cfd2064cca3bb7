"""`python -m deploy.local.standin --config egress.yaml`: run one worker until SIGTERM or SIGINT.

The config file is a real egress's: redis.address, redis.password, api_key, api_secret, ws_url,
storage.s3; its other keys are accepted and mean nothing here. Options go before it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any

import redis.asyncio
import yaml

from deploy.local.standin.places import S3Storage
from deploy.local.standin.recorder import LATE_SECONDS
from deploy.local.standin.source import Connection
from deploy.local.standin.worker import Worker

log = logging.getLogger("standin")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.standin", description=__doc__)
    parser.add_argument("--config", type=Path, help="egress.yaml")
    parser.add_argument("--redis", metavar="HOST:PORT")
    parser.add_argument("--ws-url")
    parser.add_argument("--api-key")
    parser.add_argument("--api-secret")
    parser.add_argument("--max", type=int, default=100, help="egresses at the same time")
    parser.add_argument("--track-timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument(
        "--late",
        type=float,
        default=LATE_SECONDS,
        metavar="SECONDS",
        help="leave out what is so late",
    )
    parser.add_argument("--faults", type=Path, metavar="FILE", help="see faults.py")
    parser.add_argument("--ready-file", type=Path, help="made when the worker can be reached")
    arguments = parser.parse_args()
    config: dict[str, Any] = {}
    if arguments.config:
        config = yaml.safe_load(arguments.config.read_text()) or {}
    arguments.redis = arguments.redis or config.get("redis", {}).get("address")
    arguments.storage = S3Storage.configured(config.get("storage") or {})
    arguments.redis_password = config.get("redis", {}).get("password")
    for name in ("ws_url", "api_key", "api_secret"):
        setattr(arguments, name, getattr(arguments, name) or config.get(name))
    for name in ("redis", "ws_url", "api_key", "api_secret"):
        if not getattr(arguments, name):
            key = "redis.address" if name == "redis" else name
            parser.error(f"no {key}: set it in --config or by --{name.replace('_', '-')}")
    return arguments


async def _main(arguments: argparse.Namespace) -> None:
    host, _, port = arguments.redis.rpartition(":")
    connection = Connection(
        ws_url=arguments.ws_url,
        api_key=arguments.api_key,
        api_secret=arguments.api_secret,
        track_timeout_seconds=arguments.track_timeout,
    )
    bus = redis.asyncio.Redis(host=host, port=int(port), password=arguments.redis_password)
    worker = Worker(
        bus, connection, arguments.max, arguments.late, arguments.faults, arguments.storage
    )
    stopping = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    listening = asyncio.create_task(worker.bus.run())
    await worker.bus.connected.wait()
    log.info("ready: Redis %s, LiveKit %s", arguments.redis, arguments.ws_url)
    if arguments.ready_file:
        arguments.ready_file.touch()
    await stopping.wait()
    log.info("ending")
    await worker.aclose()
    listening.cancel()
    await worker.bus.aclose()


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s.%(msecs)03d %(levelname)s %(name)s %(message)s",
        datefmt="%H:%M:%S",
    )
    asyncio.run(_main(_arguments()))
