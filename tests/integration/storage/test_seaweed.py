"""The SeaweedFS of `deploy/up --s3`: what other users of the machine can do with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from deploy.local.seaweed import Seaweed

PATHS = (
    "/",
    "/buckets/?limit=9",
    "/dir/assign",
    "/dir/lookup?volumeId=1",
    "/1,01637037d6",
    "/status",
)
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""How a client of gRPC begins: a server answers with settings of its own."""


def _process(seaweed: Seaweed) -> psutil.Process:
    assert seaweed.pid is not None
    return psutil.Process(seaweed.pid)


async def _raw(port: int) -> bytes:
    """What comes back of a client's first bytes of HTTP/2 without TLS."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(HTTP2)
        return await asyncio.wait_for(reader.read(), 10)
    except OSError:
        return b""
    finally:
        writer.close()


async def test_only_s3_answers_who_has_no_certificate(seaweed: Seaweed) -> None:
    """On whatever port it listens: the others read and change all that is in it, without a key."""
    listening = {
        each.laddr.port
        for each in _process(seaweed).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    s3 = urlsplit(seaweed.endpoint).port
    assert s3 in listening
    assert len(listening) > 1
    async with httpx.AsyncClient(trust_env=False, verify=False) as stranger:
        for port in listening - {s3}:
            for path in PATHS:
                with pytest.raises(httpx.TransportError):
                    await stranger.get(f"https://127.0.0.1:{port}{path}")
                try:
                    plain = await stranger.get(f"http://127.0.0.1:{port}{path}")
                except httpx.TransportError:
                    continue
                assert plain.text == "Client sent an HTTP request to an HTTPS server.\n", plain.url
            answered = await _raw(port)
            assert not answered or b"HTTPS server" in answered, port
        for path in PATHS:
            asked = await stranger.get(f"{seaweed.endpoint}{path}")
            assert asked.status_code in (403, 404, 405), asked.text


async def test_its_files_and_sockets_are_ours_alone(seaweed: Seaweed) -> None:
    sockets = {
        Path(str(each.laddr))
        for each in _process(seaweed).net_connections("unix")
        if str(each.laddr).startswith("/")
    }
    assert sockets
    for each in sockets:
        assert not each.stat().st_mode & 0o077, each
    (folder,) = {each.parent for each in sockets if each.name == "s3.sock"}
    assert not folder.stat().st_mode & 0o077
