"""Answers of LiveKit's of which no more is read, or kept, than any honest one has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from app.recording import kept_fields
from app.recording.kept_fields import EGRESS, PERSON, AnswerStream, TooLong

ANSWER_BYTES = 32 * 2**20
"""More than the list of thousands of rooms. It is decoded in some 100 ms."""
ERROR_BYTES = 64 * 2**10
"""Of what says why nothing is answered: JSON, which takes far longer to read than messages."""


class BoundedAnswer(aiohttp.ClientResponse):
    """An answer of which no more than ANSWER_BYTES are read, of an error ERROR_BYTES.

    Of one that people in a room, or who starts egresses, can make longer, all is read, and so much
    is kept. Of what has more `read` raises TooLong, of what is no message DecodeError.
    """

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await self._kept()
            except BaseException:  # the rest is not to be waited for
                self.close()
                raise
        return self._body

    async def _kept(self) -> bytes:
        stream = AnswerStream(aiter(self.content.iter_any()))
        match self.url.name if self.ok else None:
            case "ListParticipants":
                return await kept_fields.entries(stream, PERSON)
            case "GetParticipant":
                return await kept_fields.message(stream, PERSON)
            case "ListEgress":
                return await kept_fields.entries(stream, EGRESS)
            case _:
                return await _all(self.content.iter_any(), ANSWER_BYTES if self.ok else ERROR_BYTES)


async def _all(blocks: AsyncIterator[bytes], most_bytes: int) -> bytes:
    read = bytearray()
    async for block in blocks:
        read += block
        if len(read) > most_bytes:
            raise TooLong(f"the answer has more than the {most_bytes} bytes that are read of one")
    return bytes(read)
