"""Requests that ask for another protocol, of which none is spoken here: they are served as HTTP.

A server may ignore what `Upgrade` asks for (RFC 9110, 7.8), and then the request is like any other
one. llhttp takes it for ended with its head all the same: what follows, its body, would be read as
the next request. The JDK's own client asks for h2c with each of its first requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httptools

_FRAMING = (b"content-length", b"transfer-encoding")


def hidden_body(
    parser: httptools.HttpRequestParser, headers: Sequence[tuple[bytes, bytes]]
) -> bytes:
    """The lines of a head that say how long the body is which its parser took for none.

    Nothing where none is hidden. `headers` have names in lower case.
    """
    told = [each for each in headers if each[0] in _FRAMING]
    if not parser.should_upgrade() or all(value.strip(b"0") == b"" for _, value in told):
        return b""
    return b"".join(b"%s: %s\r\n" % each for each in told)


class BodyParser:
    """Parses a body alone, and tells of it as its request's parser would have."""

    def __init__(
        self,
        framing: bytes,
        on_body: Callable[[bytes], None],
        on_message_complete: Callable[[], None],
    ) -> None:
        self.on_body = on_body
        self.on_message_complete = on_message_complete
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")

    def feed_data(self, data: bytes) -> None:
        """Reads on. Raises httptools.HttpParserError."""
        self._parser.feed_data(data)
