"""Ports on 127.0.0.1 that nobody uses, remembered in a file so that a restart finds them again."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Collection
from pathlib import Path

EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose_ports(names: Collection[str], memory: Path) -> dict[str, int]:
    """A free port for each name, the one `memory` holds for it if that is free.

    `memory` holds these afterwards, and no others.
    """
    ports = {name: port for name, port in remembered_ports(memory).items() if name in names}
    for name in names:
        while name not in ports or not is_free(ports[name]):
            ports[name] = _outside_ephemeral_range()
    part = memory.with_name(memory.name + ".part")
    part.write_text(json.dumps(ports) + "\n")
    part.replace(memory)
    return ports


def remembered_ports(memory: Path) -> dict[str, int]:
    """Port by name as the file `memory` has them; empty if there is none that can be read."""
    try:
        return {str(name): int(port) for name, port in json.loads(memory.read_text()).items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def unused_port() -> int:
    """A free port that is remembered nowhere."""
    while not is_free(port := _outside_ephemeral_range()):
        pass
    return port


def _outside_ephemeral_range() -> int:
    """A port that no outgoing connection is given by itself.

    A client that goes on trying a port of that range on its own host, while nothing listens
    there, ends up connected to itself (TCP simultaneous open), and the server that is being
    restarted can't have its port back.
    """
    lowest, highest = (int(edge) for edge in EPHEMERAL_RANGE.read_text().split())
    if lowest > 12_000:
        return random.randrange(10_000, lowest)  # noqa: S311 - a port is no secret
    return random.randrange(min(highest + 1, 65_000), 65_536)  # noqa: S311 - a port is no secret


def is_free(port: int) -> bool:
    """Whether a program could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True
