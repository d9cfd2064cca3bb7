"""Boxes are read as they are written, and overruns are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media.boxes import box, boxes, find, full_box, media_data_head


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_written_box_is_found_again(first: bytes, second: bytes) -> None:
    """By its path, with its payload."""
    data = box(b"moov", box(b"free", first), full_box(b"mvhd", 1, 2, second))
    (found,) = find(data, b"moov", b"mvhd")
    assert data[found.start : found.end] == b"\x01\0\0\x02" + second
    assert [one.kind for one in boxes(data, 8)] == [b"free", b"mvhd"]


def test_a_long_payload_has_a_64_bit_size() -> None:
    """From 4 GiB less the head on."""
    assert media_data_head(0xFFFFFFFF - 8) == b"\xff\xff\xff\xffmdat"
    assert media_data_head(0xFFFFFFFF - 7) == b"\0\0\0\x01mdat" + (0x100000008).to_bytes(8, "big")
    large = b"\0\0\0\x01mdat" + (20).to_bytes(8, "big") + b"data"
    (found,) = boxes(large)
    assert large[found.start : found.end] == b"data"


@pytest.mark.parametrize("data", [b"\0\0\0", b"\0\0\0\x09free", b"\0\0\0\x07free", b"\0\0\0\0mdat"])
def test_a_box_that_overruns_is_refused(data: bytes) -> None:
    """Never read beyond the bytes given."""
    with pytest.raises(ValueError, match="box"):
        list(boxes(data))
