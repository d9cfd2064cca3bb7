"""Lists of clips: every clip that may be seen, once, in order, whatever is asked for."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from app.access.tokens import Caller
from app.clips import clip_pages
from app.clips.clip_pages import Wanted
from app.context import Context
from app.models import ClipOrder
from app.models.schema import File, Participant, ReplayClip, Room
from app.store import row_of
from tests.integration.clips.rows import clip_row, file_row

NOW = datetime.now(UTC).replace(microsecond=0)
TITLES = ("That goal", "that GOAL again", "Straße", "a.*b", "100% (sure)", "", "Ünïcode 🎬")
PEOPLE = ("ann", "bob", "eve")
LIVE = ("RM_north", "RM_south")
VISITS = (
    ("ann", "RM_north", "north"),
    ("bob", "RM_north", "north"),
    ("bob", "RM_south", "south"),
    ("bob", "RM_before", "north"),
)
"""Who was in which room; RM_before is an earlier one of the name `north`."""


async def fill(ctx: Context) -> list[ReplayClip]:
    """80 clips over two years, several in the same millisecond, some deleted, some shared."""
    dice = random.Random(7)
    clips = []
    for number in range(80):
        room = dice.choice(("north", "south"))
        room_sid = "RM_before" if room == "north" and dice.random() < 0.3 else f"RM_{room}"
        shared = dice.random() < 0.5
        age = timedelta(seconds=dice.choice((1, 60, 3600, 86_400, 700 * 86_400)) * (number // 10))
        clips.append(
            clip_row(
                f"{dice.randrange(16**6):06x}{number:03x}",
                owner=dice.choice(PEOPLE),
                room=room,
                room_sid=room_sid,
                shared_by=PEOPLE[number % 3],
                title=dice.choice(TITLES),
                visibility="room" if shared else dice.choice(("private", "link")),
                audience=room_sid if shared else None,
                deleted_at=NOW if dice.random() < 0.2 else None,
                created_at=NOW - age,
            )
        )
    await ctx.store.rows(ReplayClip).insert_many([row_of(clip) for clip in clips])
    await ctx.store.rows(File).insert_many([row_of(file_row(clip)) for clip in clips])
    for number, (identity, room_sid, room) in enumerate(VISITS):
        there: dict[str, Any] = {
            "room_sid": room_sid,
            "room": room,
            "identity": identity,
            "joined_at": NOW,
        }
        await ctx.store.create(Participant.model_validate(dict(sid=f"PA_{number}", **there)))
    for sid in LIVE:
        await ctx.store.create(Room.model_validate(dict(sid=sid, name=sid.removeprefix("RM_"))))
    over = dict(sid="RM_before", name="north", finished_at=NOW)
    await ctx.store.create(Room.model_validate(over))
    return clips


def expected(clips: list[ReplayClip], caller: Caller, **asked: Any) -> list[str]:
    """What a plain loop over all clips finds."""
    rooms = {sid for identity, sid, _ in VISITS if identity == caller.identity}

    def wanted(clip: ReplayClip) -> bool:
        mine = clip.owner == caller.identity
        visited = clip.visibility == "room" and clip.room_sid in rooms
        administered = caller.room_admin and (clip.room_sid in rooms or clip.room_sid in LIVE)
        shared = visited or (administered and clip.opened)
        of_me = clip.opened and clip.shared_by == caller.identity
        return (
            clip.deleted_at is None
            and (caller.instance_admin or mine or of_me or (shared and caller.can_subscribe))
            and clip.owner != asked.get("but_of")
            and caller.room in (None, clip.room)
            and asked.get("room", clip.room) == clip.room
            and asked.get("owner", clip.owner) == clip.owner
            and asked.get("shared_by", clip.shared_by) == clip.shared_by
            and asked.get("visibility", clip.visibility) == clip.visibility
            and asked.get("title", "").casefold() in clip.title.casefold()
            and asked.get("since", clip.created_at) <= clip.created_at
            and clip.created_at < asked.get("until", NOW + timedelta(days=1))
        )

    found = filter(wanted, clips)
    newest_first = asked.get("order") != ClipOrder.OLDEST
    order = sorted(found, key=lambda clip: (clip.created_at, clip.id), reverse=newest_first)
    return [clip.id for clip in order]


async def listed(
    ctx: Context, caller: Caller, limit: int, *, looked_at: int = clip_pages.LOOKED_AT, **asked: Any
) -> list[str]:
    """Every id, page by page."""
    found: list[str] = []
    after = None
    for _ in range(200):
        page = await clip_pages.page(
            ctx, caller, Wanted(**asked), limit=limit, after=after, looked_at=looked_at
        )
        assert len(page.items) <= limit
        found += [clip.row["_id"] for clip in page.items]
        after = page.next
        if after is None:
            return found
    raise AssertionError("the pages do not end")


HOUR_AGO = NOW - timedelta(hours=1)
FIRST = datetime.min.replace(tzinfo=UTC)
ASKED: list[dict[str, Any]] = [
    {},
    {"room": "north"},
    {"owner": "bob"},
    {"owner": "ann", "room": "south"},
    {"shared_by": "eve"},
    {"shared_by": "eve", "but_of": "eve"},
    {"shared_by": "bob", "but_of": "bob"},
    {"but_of": "ann"},
    {"visibility": "link"},
    {"visibility": "room", "owner": "bob"},
    {"shared_by": "ann", "owner": "bob", "title": "goal"},
    {"title": "GOAL"},
    {"title": "STRASSE"},
    {"title": "."},
    {"title": ".*"},
    {"title": "%"},
    {"title": "(", "owner": "ann"},
    {"title": "\\"},
    {"title": "ünÏ"},
    {"since": HOUR_AGO},
    {"since": FIRST, "until": FIRST + timedelta(minutes=5)},
    {"until": HOUR_AGO, "title": "a"},
    {"since": NOW - timedelta(days=400), "until": NOW - timedelta(seconds=5), "room": "north"},
    {"order": ClipOrder.OLDEST},
    {"order": ClipOrder.OLDEST, "room": "north", "title": "goal"},
    {"order": ClipOrder.OLDEST, "since": HOUR_AGO, "until": NOW - timedelta(seconds=5)},
    {"order": ClipOrder.OLDEST, "until": FIRST + timedelta(minutes=5)},
]
CALLERS = (
    Caller("ann"),
    Caller("bob"),
    Caller("bob", room="south"),
    Caller("bob", can_subscribe=False),
    Caller("eve"),
    Caller("mod", room="north", room_admin=True),
    Caller("bob", room="north", room_admin=True),
    Caller("ann", room="south", room_admin=True),
    Caller("mod", room="north", room_admin=True, can_subscribe=False),
    Caller("ops", instance_admin=True),
    Caller("ops", room="north", instance_admin=True),
)


async def test_lists_hold_what_a_plain_loop_finds(
    ctx: Context,
) -> None:
    """For every kind of caller, filter and page size, also where a page looks at few rows only."""
    clips = await fill(ctx)
    for number, caller in enumerate(CALLERS):
        for asked in ASKED:
            limit = (13, 50)[number % 2]
            found = await listed(ctx, caller, limit, **asked)
            assert found == expected(clips, caller, **asked), (caller, asked)
    for asked in (*ASKED[4:12], ASKED[-3]):
        found = await listed(ctx, Caller("bob"), 5, looked_at=9, **asked)
        assert found == expected(clips, Caller("bob"), **asked)
