"""What code reads of LiveKit's people and egresses is among what is kept of its answers.

A field that is read and not kept has its default in every answer, and nothing fails.
"""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo, Room

from app.recording import asked_egress, attributes, egress_facts, egress_info, facts, kept_fields
from app.recording.kept_fields import EGRESS, PERSON, AnswerStream, KeptFields
from app.webhooks import event_text
from deploy.local.stack import ROOT

ANSWERS: list[tuple[type[Message], KeptFields]] = [(ParticipantInfo, PERSON), (EgressInfo, EGRESS)]
TYPES = re.compile(r"\b(ParticipantInfo|TrackInfo|EgressInfo)\b")
BY_CUSTOM = {"who", "own", "egress_info"}
"""Names that such messages have where no type is written."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def names(of: Any, kept: KeptFields, *, are_kept: bool) -> Iterator[str]:
    """Names of fields that are kept, or not, of a message and of those within it."""
    for field in of.fields:
        inner = kept.get(field.number)
        if (field.number in kept) == are_kept:
            yield field.name
        if field.number not in kept:
            continue
        if isinstance(inner, Mapping):
            yield from names(field.message_type, inner, are_kept=are_kept)
        elif are_kept and field.message_type is not None:  # it is kept whole
            yield from (each.name for each in field.message_type.fields)


def readers() -> list[Path]:
    """The modules that LiveKit's messages come into."""
    paths = [*(ROOT / "app").rglob("*.py"), *(ROOT / "handlers").glob("*.py")]
    rooms = (ROOT / "app" / "recording", ROOT / "handlers")
    return [
        path for path in sorted(paths)
        if path.parent in rooms or "livekit.protocol" in path.read_text()
    ]  # fmt: skip


def test_whatever_is_read_by_the_name_of_a_field_is_kept() -> None:
    kept = {each for of, fields in ANSWERS for each in names(of.DESCRIPTOR, fields, are_kept=True)}
    left = {each for of, fields in ANSWERS for each in names(of.DESCRIPTOR, fields, are_kept=False)}
    left -= kept  # of which message such a one is the next tests tell
    trees = [ast.parse(path.read_text()) for path in readers()]
    holders = {name for tree in trees for name in held(tree)} | BY_CUSTOM
    assert {"participant", "person", "info", "track"} <= holders
    read = {
        ast.unparse(node)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in left and last_of(node.value) in holders
    }
    assert read == set()


def held(tree: ast.Module) -> Iterator[str]:
    """What is called by a name of its own and has the type of such a message."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            name, written = node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, written = node.target.id, node.annotation
        else:
            continue
        if TYPES.search(ast.unparse(written)):
            yield name


def last_of(node: ast.expr) -> str | None:
    """The last name of an expression, such as `track` of `event.track` or of `track[0]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def fill(message: Any) -> Any:
    """The message with something in each of its fields, and in those of the messages within."""
    for field in message.DESCRIPTOR.fields:
        if field.containing_oneof is not None and field.name != "track_composite":
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(message, field.name).update(dict.fromkeys([*attributes.READ, "team"], "off"))
        elif field.message_type is not None:
            within = getattr(message, field.name)
            fill(within.add() if is_list(field) else within)
        elif is_list(field):
            getattr(message, field.name).append(scalar(field))
        else:
            message.MergeFrom(type(message)(**{field.name: scalar(field)}))
    return message


def is_list(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


def scalar(field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    types = {field.CPPTYPE_STRING: "x", field.CPPTYPE_BOOL: True}
    value = types.get(field.cpp_type, 7)
    return b"x" if field.type == field.TYPE_BYTES else value


async def through(message: Message, fields: KeptFields) -> Any:
    """What is kept of a message that somebody has made long."""
    padding = b"\xba\x3e" + kept_fields._varint(3_000) + bytes(3_000)  # field 999: nobody's

    async def blocks() -> AsyncIterator[bytes]:
        yield message.SerializeToString() + padding

    return type(message).FromString(await kept_fields.message(AnswerStream(blocks()), fields))


async def test_each_reader_of_a_person_gets_of_the_kept_what_it_gets_of_all() -> None:
    """And whatever else is kept is as it was."""
    whole = fill(ParticipantInfo())
    whole.kind = ParticipantInfo.Kind.STANDARD
    whole.permission.can_update_metadata = False
    kept, room = await through(whole, PERSON), Room(sid="RM", name="studio")
    assert facts._joined(room, kept, NOW) == facts._joined(room, whole, NOW)
    assert facts._published(room, kept, kept.tracks[0], NOW) == facts._published(
        room, whole, whole.tracks[0], NOW
    )
    assert facts.has_opted_out(kept) == facts.has_opted_out(whole) is True
    assert facts.claim_of(kept) == facts.claim_of(whole) == "off"
    for kind in ParticipantInfo.Kind.values():
        whole.kind = kind
        assert facts.is_recorder(await through(whole, PERSON)) == facts.is_recorder(whole)
    for source in (0, *facts.SHARE_SOURCES):
        whole.tracks[0].source = source
        kept = await through(whole, PERSON)
        assert facts.is_share(kept.tracks[0]) == facts.is_share(whole.tracks[0])


async def test_each_reader_of_an_egress_gets_of_the_kept_what_it_gets_of_all() -> None:
    whole = fill(EgressInfo())
    prefix = "/out/replay-buffer/inst/room/user/session"
    whole.track_composite.segment_outputs[0].filename_prefix = prefix
    session: Any = {
        "egress_id": None, "start_sent_at": NOW, "folder": asked_egress.folder_of(whole),
        "room_sid": "x", "video_sid": "x", "audio_sid": "x",
    }  # fmt: skip
    for status in range(8):
        whole.status = status
        for ended_at in (0, 7):
            whole.ended_at = ended_at
            kept = await through(whole, EGRESS)
            for read in (
                egress_info.is_over,
                egress_info.status_of,
                egress_info.clock_of,
                egress_facts.is_telling,
                asked_egress.session_of,
                asked_egress.folder_of,
            ):
                assert read(kept) == read(whole), read
            assert asked_egress.may_serve(kept, session) == asked_egress.may_serve(whole, session)


@pytest.mark.parametrize(
    ("member", "of", "kept"),
    [("participant", ParticipantInfo, PERSON), ("egressInfo", EgressInfo, EGRESS)],
)
def test_what_is_read_of_webhooks_is_kept_of_answers_too(
    member: str, of: type[Message], kept: KeptFields
) -> None:
    def check(read: Any, of: Any, kept: KeptFields) -> None:
        by_json = {field.json_name: field for field in of.fields}
        for name, inner in read.items():
            assert by_json[name].number in kept, name
            within = kept[by_json[name].number]
            if inner is not None and isinstance(within, Mapping):
                check(inner, by_json[name].message_type, within)

    check(event_text.READ[member], of.DESCRIPTOR, kept)
