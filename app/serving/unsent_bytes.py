"""How much the kernel takes of an answer before its peer takes any."""

from __future__ import annotations

import asyncio
import socket
import sys

UNSENT_BYTES = 128 * 1024
"""Enough for the moment until the event loop writes more; what is under way to a peer is not in it.

Without a bound the kernel takes megabytes for each connection, at once on loopback. A thousand that
read nothing then use up what it has for all of TCP, and every connection of the machine stands
still for a second or two.
"""


def keep_unsent_small(transport: asyncio.Transport) -> None:
    """Lets no more than UNSENT_BYTES wait in the kernel, where it can be told so."""
    line = transport.get_extra_info("socket")
    if sys.platform == "linux" and line is not None and line.family != socket.AF_UNIX:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
