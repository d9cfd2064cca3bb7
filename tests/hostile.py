"""What somebody who means harm may put into rooms, people, egresses and rows, for hypothesis."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from livekit.protocol.egress import (
    EgressInfo,
    SegmentedFileOutput,
    SegmentsInfo,
    TrackCompositeEgressRequest,
)
from livekit.protocol.models import ParticipantInfo, Room, TrackInfo, TrackSource

from app.errors import Unavailable

few = settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""For tests on real stores: they give each example's things names of their own. Making an example
smaller takes too long there."""

# LiveKit hands on nothing but valid UTF-8, which all the rest is.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ["", "\x00", "\x1b[2J", "$where", "a.b", "../..", "EG_", "\u202e", "x" * 5000]
)
METADATA = TEXT | st.sampled_from(
    [
        "[" * 60_000,
        '{"a":' * 12_000,
        '{"community": "\\ud800"}',
        '{"community": {"$gt": ""}}',
        '{"community": ' + "9" * 5000 + "}",
        json.dumps({"community": "\x00"}),
        "null",
    ]
)
INT64 = st.sampled_from([-(2**63), -1, 0, 1, 10**12, 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)
UINT32 = st.integers(0, 2**32 - 1)

ROOMS = st.builds(Room, sid=TEXT, name=TEXT, metadata=METADATA)
TRACKS = st.builds(
    TrackInfo,
    sid=TEXT,
    name=TEXT,
    mime_type=TEXT,
    width=UINT32,
    height=UINT32,
    source=st.sampled_from(TrackSource.values()),
    encryption=st.integers(0, 3),
)
PEOPLE = st.builds(
    ParticipantInfo,
    sid=TEXT,
    identity=TEXT,
    metadata=METADATA,
    attributes=st.dictionaries(st.just("replay") | TEXT, TEXT, max_size=3),
    joined_at=INT64,
    joined_at_ms=INT64,
    tracks=st.lists(TRACKS, max_size=3),
)
ANSWERS = st.lists(PEOPLE, max_size=3) | st.sampled_from(
    [Unavailable("no answer"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), KeyError("room")]
)
"""Of ListParticipants."""
LISTED = st.lists(st.tuples(ROOMS, ANSWERS), max_size=4)


def egresses(prefixes: st.SearchStrategy[str]) -> st.SearchStrategy[EgressInfo]:
    """Egresses with file prefixes of these."""
    return st.builds(
        EgressInfo,
        egress_id=TEXT,
        room_name=TEXT,
        status=st.integers(0, 7),
        started_at=INT64,
        updated_at=INT64,
        ended_at=INT64,
        error=TEXT,
        error_code=st.integers(-(2**31), 2**31 - 1),
        segment_results=st.lists(st.builds(SegmentsInfo, started_at=INT64), max_size=2),
        track_composite=st.builds(
            TrackCompositeEgressRequest,
            segment_outputs=st.lists(
                st.builds(SegmentedFileOutput, filename_prefix=prefixes | TEXT), max_size=2
            ),
        ),
    )


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    TEXT,
    st.just([]),
    st.just({"a": 1}),
)


def rows(*fields: str) -> st.SearchStrategy[dict[str, Any]]:
    """Rows that lack some of these fields, and whose others hold what they never should."""
    return st.dictionaries(st.sampled_from(fields), VALUES)
