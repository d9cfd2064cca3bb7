"""Sample tables survive their packing, and nothing else passes for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.media.samples import SampleTable

uint31 = st.integers(0, 2**31 - 1)


@st.composite
def tables(draw: st.DrawFn) -> SampleTable:
    pictures = draw(st.lists(st.tuples(uint31, uint31, st.booleans()), max_size=40))
    return SampleTable(
        first_pts=draw(st.integers(-(2**40), 2**40)),
        end_pts=draw(st.integers(-(2**40), 2**40)),
        pts=np.array([one[0] for one in pictures], np.uint32),
        sizes=np.array([one[1] for one in pictures], np.uint32),
        keys=np.array([one[2] for one in pictures], np.bool_),
        first_audio=draw(st.integers(-(2**40), 2**40)),
        audio_sizes=np.array(draw(st.lists(st.integers(0, 65_535), max_size=40)), np.uint16),
        sample_rate=draw(st.sampled_from([44_100, 48_000])),
        audio=draw(st.booleans()),
    )


@settings(max_examples=50)
@given(tables())
def test_unpacks_to_what_was_packed(table: SampleTable) -> None:
    """Every field, in 40 bytes and 8 a picture and 2 an audio frame."""
    packed = table.pack()
    assert len(packed) == 40 + 8 * len(table.sizes) + 2 * len(table.audio_sizes)
    again = SampleTable.unpack(packed)
    for name in ("pts", "sizes", "keys", "audio_sizes"):
        assert np.array_equal(getattr(again, name), getattr(table, name))
    for name in ("first_pts", "end_pts", "first_audio", "sample_rate", "audio", "end_audio"):
        assert getattr(again, name) == getattr(table, name)


@settings(max_examples=50)
@given(tables(), st.data())
def test_refuses_cut_and_foreign_bytes(table: SampleTable, data: st.DataObject) -> None:
    """A table that lost its end, or was never one, is a ValueError."""
    packed = table.pack()
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(ValueError, match="packed"):
        SampleTable.unpack(packed[:cut])
    with pytest.raises(ValueError, match="begins with"):
        SampleTable.unpack(b"xx" + packed[2:])
