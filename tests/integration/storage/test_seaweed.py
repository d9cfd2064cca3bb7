"""The SeaweedFS of `deploy/up --s3`: what other users of the machine can do with it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from deploy.local.seaweed import Seaweed


def _process(seaweed: Seaweed) -> psutil.Process:
    assert seaweed.pid is not None
    return psutil.Process(seaweed.pid)


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
            with pytest.raises((httpx.TransportError, ssl.SSLError)):
                await stranger.get(f"https://127.0.0.1:{port}/")
            with suppress(httpx.TransportError):  # those of gRPC say nothing at all
                plain = await stranger.get(f"http://127.0.0.1:{port}/")
                assert plain.status_code == 400, plain.text
        assert (await stranger.get(seaweed.endpoint)).status_code == 403


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
