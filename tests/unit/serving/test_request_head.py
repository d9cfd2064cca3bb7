"""A head that holds more than requests do is refused at the first piece that is too much."""

from __future__ import annotations

import httptools
import pytest

from app.serving.bounds import Bounds
from app.serving.refusals import HeadTooLarge
from app.serving.request_head import RequestHead

BOUNDS = Bounds()
MANY = 5000


class Reading:
    """Parses as the protocol does, and counts what its parser calls it for."""

    def __init__(self) -> None:
        self.calls = 0
        self._head = RequestHead(BOUNDS)

    def on_url(self, url: bytes) -> None:
        self.calls += 1
        self._head.add_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.calls += 1
        self._head.add_header(name, value)

    def read(self, head: bytes, size: int = 2**20) -> BaseException | None:
        """What a parser is stopped by that is fed pieces of this size."""
        parser = httptools.HttpRequestParser(self)
        try:
            for start in range(0, len(head), size):
                parser.feed_data(head[start : start + size])
        except httptools.HttpParserCallbackError as error:
            return error.__context__
        return None


def test_nothing_more_is_read_once_there_are_too_many_headers() -> None:
    reading = Reading()
    refused = reading.read(b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * MANY + b"\r\n")
    assert isinstance(refused, HeadTooLarge)
    assert reading.calls == 1 + BOUNDS.headers + 1


def test_what_a_request_needs_is_far_from_too_much() -> None:
    """40 headers, one of them a token of 16 KiB, cookies of others, 30 parameters, two names."""
    query = "&".join(f"parameter{number}=%E2%82%AC" for number in range(30))
    url = f"/v1/communities/~{'a' * 1500}/members/~{'b' * 1500}?{query}"
    headers = [f"X-Header-{number}: a, b, c" for number in range(38)]
    headers += ["Authorization: Bearer " + "e" * 16_384, "Cookie: a=" + "{,}" * 1000]
    head = "\r\n".join([f"GET {url} HTTP/1.1", *headers, "", ""])
    assert Reading().read(head.encode()) is None


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_url_is_counted_however_it_comes(pieces: int) -> None:
    for url, why in (
        (b"/?" + b"a&" * BOUNDS.parameters, "100 parameters"),
        (b"/" + b"%41" * 3000, "8192 bytes"),
    ):
        refused = Reading().read(b"GET " + url + b" HTTP/1.1\r\n\r\n", len(url) // pieces + 1)
        assert why in str(refused)


def test_lists_in_headers_are_counted_all_together() -> None:
    """`Connection: upgrade,,,` is split three times before a request has its turn."""
    head = b"GET / HTTP/1.1\r\n" + (b"Connection: upgrade" + b"," * 50 + b"\r\n") * 5
    reading = Reading()
    assert "200 items" in str(reading.read(head + b"\r\n"))
    assert reading.calls == 1 + 5
