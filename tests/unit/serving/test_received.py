"""What was received is cut where requests end, however it came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.serving.received import Received

HEADS = st.integers(0, 3).map(lambda fields: b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * fields + b"\r\n")


def taken(received: Received) -> list[bytes]:
    found = []
    while received:
        found.append(received.take())
    return found


@given(heads=st.lists(HEADS, min_size=1, max_size=5), size=st.integers(1, 40))
def test_no_piece_holds_more_than_one_head(heads: list[bytes], size: int) -> None:
    stream, received, pieces = b"".join(heads), Received(), []
    for start in range(0, len(stream), size):
        received.add(stream[start : start + size])
        pieces += taken(received)
    assert b"".join(pieces) == stream
    ends, at = set(), 0
    for piece in pieces:
        at += len(piece)
        ends.add(at)
    expected, at = set(), 0
    for head in heads:
        at += len(head)
        expected.add(at)
    assert expected <= ends


def test_of_a_body_of_known_length_no_more_is_taken_than_is_left() -> None:
    received = Received()
    received.add(b"POST / HTTP/1.1\r\n\r\nfour\r\n\r\nGET /")
    assert received.take() == b"POST / HTTP/1.1\r\n\r\n"
    received.body_left = 10
    assert received.take() == b"four\r\n\r\nGE"
    received.body_left = None
    assert received.take() == b"T /"
    received.add(b" HTTP/1.1")
    assert len(received) == 9
    received.clear()
    assert not received
