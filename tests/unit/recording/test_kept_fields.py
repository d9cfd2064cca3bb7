"""What is kept of LiveKit's lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import ParticipantInfo, TrackInfo, TrackSource
from livekit.protocol.room import ListParticipantsResponse

from app.recording import kept_fields
from app.recording.kept_fields import PERSON, AnswerStream, TooLong

LONG = "n" * 10_000
SOURCE = TrackSource.SCREEN_SHARE


async def kept(answer: bytes, block_bytes: int) -> ListParticipantsResponse:
    """Of a list that comes in blocks of so many bytes."""

    async def blocks() -> AsyncIterator[bytes]:
        for place in range(0, len(answer), block_bytes):
            yield answer[place : place + block_bytes]

    return ListParticipantsResponse.FromString(
        await kept_fields.entries(AnswerStream(blocks()), PERSON)
    )


def shown(person: ParticipantInfo) -> tuple[object, ...]:
    """What is used of somebody."""
    return (
        *(person.sid, person.identity, person.kind, person.joined_at, person.joined_at_ms),
        person.permission.can_update_metadata,
        person.attributes.get("replay"),
        [(each.sid, each.source, each.width, each.mime_type, each.encryption)
         for each in person.tracks],
    )  # fmt: skip


TRACKS = st.builds(
    TrackInfo,
    sid=st.text(max_size=9),
    source=st.sampled_from([SOURCE, TrackSource.CAMERA]),
    name=st.sampled_from(["", "screen", LONG]),
    width=st.integers(0, 2**32 - 1),
    mime_type=st.text(max_size=9),
)
PEOPLE = st.builds(
    ParticipantInfo,
    sid=st.text(max_size=9),
    identity=st.text(max_size=300),
    tracks=st.lists(TRACKS, max_size=3),
    metadata=st.sampled_from(["", LONG]),
    joined_at=st.integers(-(2**63), 2**63 - 1),
    attributes=st.dictionaries(st.sampled_from(["replay", "team"]), st.sampled_from(["off", LONG])),
)


@given(people=st.lists(PEOPLE, max_size=4), block_bytes=st.integers(1, 9_000))
async def test_all_that_is_used_is_kept_however_long_the_rest_is(
    people: list[ParticipantInfo], block_bytes: int
) -> None:
    """And however the answer is cut as it comes; but for a will of thousands of characters."""
    for each in people:
        if each.attributes.get("replay") == LONG:
            each.attributes["replay"] = "on"
    answer = ListParticipantsResponse(participants=people).SerializeToString()
    found = await kept(answer, block_bytes)
    assert [shown(each) for each in found.participants] == [shown(each) for each in people]


async def test_somebody_with_any_number_of_tracks_is_heard_and_keeps_some_of_them() -> None:
    tracks = [TrackInfo(sid=f"TR_{number}", source=SOURCE, name="n" * 9) for number in range(9_000)]
    person = ParticipantInfo(sid="PA", identity="m", tracks=tracks, attributes={"replay": "off"})
    person.permission.can_update_metadata = True
    answer = ListParticipantsResponse(participants=[person] * 2).SerializeToString()
    found = await kept(answer, 65_536)
    assert found.ByteSize() < 150_000
    for each in found.participants:
        assert each.attributes["replay"] == "off"
        assert each.permission.can_update_metadata
        assert 1_000 < len(each.tracks) < 5_000


async def test_no_more_is_kept_than_may_be() -> None:
    person = ParticipantInfo(sid="PA", identity="m", metadata="m" * 2_000)
    entry = ListParticipantsResponse(participants=[person]).SerializeToString()
    with pytest.raises(TooLong):
        await kept(entry * (kept_fields.KEPT_BYTES // 2_000), 65_536)


@given(answer=st.binary(max_size=200), block_bytes=st.integers(1, 50))
async def test_what_is_no_list_is_told_from_one(answer: bytes, block_bytes: int) -> None:
    with suppress(DecodeError):
        await kept(answer, block_bytes)


async def test_a_list_that_ends_too_soon_is_none() -> None:
    """Whoever stands behind would be taken for gone."""
    person = ParticipantInfo(sid="PA", identity="m", metadata=LONG)
    answer = ListParticipantsResponse(participants=[person] * 2).SerializeToString()
    for end in (len(answer) // 2 + 1, len(answer) // 2 + 5, len(answer) - 1):
        with pytest.raises(DecodeError):
            await kept(answer[:end], 1000)
