"""Answers of other servers over HTTP, read within bounds: so much, and so long."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import httpx

MOST_BYTES = 65_536
"""Of a body, unless somebody looks at more than its beginning."""


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
