"""Answers of other servers over HTTP, read within bounds: so much, and so long."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import Any, NamedTuple

import httpx

MOST_BYTES = 65_536
"""Of a body, unless somebody looks at more than its beginning."""


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def client() -> httpx.AsyncClient:
    """A client that takes nothing from the environment: no proxy, no certificates.

    All of them trust the same certificates: to read these anew would take 25 ms each time.
    """
    return httpx.AsyncClient(trust_env=False, verify=_tls())


class OutsideAnswer(NamedTuple):
    """An answer: its status, its headers, and how its body begins."""

    status: int
    headers: httpx.Headers
    beginning: bytes

    @property
    def is_success(self) -> bool:
        return httpx.codes.is_success(self.status)


async def ask(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    seconds: float,
    most_bytes: int = MOST_BYTES,
    **request: Any,
) -> OutsideAnswer:
    """Sends a request. Raises httpx.HTTPError, or TimeoutError if it is not over in `seconds`.

    Of the answer's body `most_bytes` are read.
    """
    async with asyncio.timeout(seconds), client.stream(method, url, **request) as answer:
        beginning = b""
        # as it comes: a few bytes that are unpacked may be very many
        async for block in answer.aiter_raw():
            beginning += block
            if len(beginning) >= most_bytes:
                break
        return OutsideAnswer(answer.status_code, answer.headers, beginning[:most_bytes])
