"""Answers of LiveKit's of which no more is read than any honest one has."""

from __future__ import annotations

import aiohttp

ANSWER_BYTES = 32 * 2**20
"""More than the list of 10,000 people in one room. It is decoded in some 100 ms."""
ERROR_BYTES = 64 * 2**10
"""Of what says why nothing is answered: JSON, which takes far longer to read than messages."""


class TooLong(aiohttp.ClientPayloadError):
    """An answer has more than is read of one."""


class BoundedAnswer(aiohttp.ClientResponse):
    """An answer of which no more than ANSWER_BYTES are read, of an error ERROR_BYTES.

    Of what has more `read` raises TooLong.
    """

    async def read(self) -> bytes:
        most_bytes = ANSWER_BYTES if self.ok else ERROR_BYTES
        if self._body is None:
            blocks, read_bytes = list[bytes](), 0
            async for block in self.content.iter_any():
                blocks.append(block)
                read_bytes += len(block)
                if read_bytes > most_bytes:
                    self.close()
                    raise TooLong(
                        f"the answer has more than the {most_bytes} bytes that are read of one"
                    )
            self._body = b"".join(blocks)
        return self._body
