"""A database of an earlier release becomes one of this, however often its upgrade is killed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from bson import json_util

from app.access.community_slots import sharer
from app.buffer import summary
from app.context import Context
from app.errors import ConfigurationError
from app.main import create_app
from app.migrations import complete_rows, version
from app.migrations.steps import STEPS
from app.models import Row
from app.models.schema import MODELS, Community, ReplayClip, Summary
from app.processes.free_ports import choose_ports
from app.settings import Settings
from app.store import Store
from handlers import router
from tests import example_store
from tests.integration.api.conftest import INSTANCE_ADMIN, bearer, token
from tests.integration.captures.mortal import Mortal, mortal
from tests.serving import running
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
Rows = dict[str, list[dict[str, Any]]]


def example(number: int) -> Rows:
    """Rows as the code of a version wrote them, by collection."""
    found: Rows = json_util.loads(
        example_store.file_of(number).read_text(),
        json_options=json_util.JSONOptions(tz_aware=True, tzinfo=UTC),
    )
    return found


async def fill(
    store: Store, documents: Rows, number: int | None, there: Rows | None = None
) -> None:
    """Puts rows in the place of all that are there, with or without the row of the version."""
    database = store.database
    there = await contents(store) if there is None else there
    for name in there.keys() | documents.keys():
        if there.get(name) != by_id(documents.get(name, [])):
            await database[name].delete_many({})
            if name in documents:
                await database[name].insert_many(documents[name])
    await database[version.COLLECTION].delete_many({})
    if number is not None:
        await database[version.COLLECTION].insert_one(
            {"_id": "schema", "version": number, "lease": None, "lease_until": None}
        )


def by_id(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(documents, key=lambda row: str(row["_id"]))


async def contents(store: Store) -> Rows:
    """All rows but the version's, in order of their ids."""
    names = set(await store.database.list_collection_names()) - {version.COLLECTION}
    found = {}
    for name in sorted(names):
        if documents := await store.database[name].find().to_list(None):
            found[name] = by_id(documents)
    return found


async def version_of(store: Store) -> int | None:
    row = await store.database[version.COLLECTION].find_one({})
    return None if row is None else int(row["version"])


async def leases_end(store: Store) -> None:
    """Whoever was killed has had the lease for long enough."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    await store.database[version.COLLECTION].update_one({}, {"$set": {"lease_until": past}})


def without_later_fields(old: Rows) -> Rows:
    """The rows as they were before their models had the fields that the first step writes."""
    lacking = complete_rows.LACKING
    return {
        name: [
            {field: value for field, value in row.items() if field not in lacking.get(name, {})}
            for row in documents
        ]
        for name, documents in old.items()
    }


def incomplete(found: Rows) -> list[str]:
    """Fields that a model has and a row of it lacks; a summary may lack any."""
    lacks = []
    for model in set(MODELS) - {Summary}:
        fields = {field.key_name for field in model.__odm_fields__.values()}
        for row in found.get(+model, []):
            lacks += [f"{+model} {row['_id']}: {field}" for field in sorted(fields - row.keys())]
    return lacks


@pytest_asyncio.fixture
async def old(ctx: Context) -> AsyncIterator[Store]:
    """A database with the rows of the time before there were versions."""
    await fill(ctx.store, example(0), None)
    yield ctx.store


@pytest.fixture(params=example_store.versions())
async def kept(ctx: Context, request: pytest.FixtureRequest) -> Rows:
    """The rows of a version, which are in the database."""
    number: int = request.param
    await fill(ctx.store, example(number), number or None)
    return example(number)


async def test_old_rows_get_what_they_lack_and_keep_what_they_have(
    ctx: Context, kept: Rows
) -> None:
    """Fields that came later are there afterwards, all others are as they were."""
    await ctx.store.prepare(ctx.settings.media_root)
    after = await contents(ctx.store)
    assert await version_of(ctx.store) == version.VERSION
    assert incomplete(after) == []
    for name, documents in kept.items():
        by_id = {row["_id"]: row for row in after[name]}
        assert by_id.keys() == {row["_id"] for row in documents}
        for row in documents:
            assert row.items() <= by_id[row["_id"]].items()


async def test_slots_that_are_held_count_for_their_user(old: Store, settings: Settings) -> None:
    """What was recorded before the upgrade is recorded after it."""
    await old.prepare(settings.media_root)
    row = await old.rows(Community).find_one({"_id": "default"})
    assert row is not None
    assert (row["slots"], row["sharers"]) == (["b1"], {sharer("alice"): ["b1"]})


async def test_what_a_link_gave_away_stays_as_it_was(ctx: Context) -> None:
    """No more of whose screen it was or when, and no less of what the file hides.

    Whom it shows sees it from now on.
    """
    await fill(ctx.store, example(9), 9)
    await ctx.store.prepare(ctx.settings.media_root)
    rows = {row["_id"]: row for row in await ctx.store.rows(ReplayClip).find({}).to_list(None)}
    opened, private = rows["k1"], rows["k3"]
    assert (opened["visibility"], private["visibility"]) == ("link", "private")
    assert (opened["opened"], private["opened"]) == (True, False)
    assert (opened["link_tells"], private["link_tells"]) == ([], ["who", "when"])
    assert (opened["hidden_head_shared"], private["hidden_head_shared"]) == (True, False)


async def test_a_trim_names_all_that_it_is_a_part_of(ctx: Context) -> None:
    """Whether that is there or gone; and which of these had first the place that it has."""
    rows = example(26)
    base = next(row for row in rows["clips"] if row["_id"] == "k1")
    of = {"a": None, "b": "a", "c": "b", "of one that is gone": "gone"}
    of |= {"k": None, "l": "k", "m": "l", "n": "m"}
    places = {"a": "b", "c": "b", "l": "k", "m": "l", "n": "m"}
    for name, whole in of.items():
        row = base | {"_id": name, "trimmed_from": whole}
        if name in places:
            row["in_place_of"] = {"clip_id": places[name], "grant": 1, "turn": 0, "own_grant": 2}
        rows["clips"].append(row)
    await fill(ctx.store, rows, 26)
    await ctx.store.prepare(ctx.settings.media_root)
    found = await ctx.store.rows(ReplayClip).find({"_id": {"$in": [*of]}}).to_list(None)
    ancestors = {row["_id"]: row["ancestors"] for row in found}
    assert ancestors == {
        "a": [], "b": ["a"], "c": ["b", "a"], "of one that is gone": ["gone"],
        "k": [], "l": ["k"], "m": ["l", "k"], "n": ["m", "l", "k"],
    }  # fmt: skip
    first = {row["_id"]: row["in_place_of"]["first"] for row in found if row["in_place_of"]}
    assert first == {"a": None, "c": "b", "l": "k", "m": "k", "n": "k"}


async def test_trims_name_what_they_are_a_part_of_though_they_are_many(ctx: Context) -> None:
    """They are read, and changed, some at a time."""
    rows = example(26)
    base = next(row for row in rows["clips"] if row["_id"] == "k1")
    names = [f"trim {number:04}" for number in range(1201)]
    for name, whole in zip(names, [None, *names], strict=False):
        rows["clips"].append(base | {"_id": name, "trimmed_from": whole and names[0]})
    await fill(ctx.store, rows, 26)
    await ctx.store.prepare(ctx.settings.media_root)
    parts = {"_id": {"$in": names}, "ancestors": [names[0]]}
    assert await ctx.store.rows(ReplayClip).count_documents(parts) == 1200


async def test_indexes_that_others_replace_go(ctx: Context) -> None:
    """Each costs whatever is written."""
    replaced = {
        "buffers": ["ended_at"],
        "clips": ["expires_at", "trimmed_from"],
        "participants": ["left_at"],
    }
    await fill(ctx.store, example(26), 26)
    known = {name: await ctx.store.database[name].index_information() for name in replaced}
    for name, fields in replaced.items():
        for field in fields:
            await ctx.store.database[name].create_index(field)
    await ctx.store.prepare(ctx.settings.media_root)
    for name, indexes in known.items():
        assert (await ctx.store.database[name].index_information()).keys() == indexes.keys()


async def test_rows_of_before_the_later_fields_become_the_same(
    old: Store, settings: Settings
) -> None:
    """What such a row lacks means what it has always meant."""
    bare = without_later_fields(example(0))
    assert incomplete(bare)
    await fill(old, bare, None)
    await old.prepare(settings.media_root)
    after = await contents(old)
    assert incomplete(after) == []
    await summary.forget_before(old, "s0", 7, 1)
    assert (await summary.kept_from(old, ["s0"])) == {"s0": 7}
    for name, fields in complete_rows.LACKING.items():
        for row in after[name]:
            assert fields.items() <= row.items()


@pytest.mark.usefixtures("kept")
async def test_an_upgraded_database_is_served(ctx: Context) -> None:
    """Buffers, captures, clips, rules and events of before are there over HTTP."""
    bob = bearer(token("bob", room="studio"))
    async with running(create_app(ctx.settings, router)) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://replay.test") as http:

            async def get(path: str, who: dict[str, str], **query: str) -> Any:
                answer = await http.get(path, headers=who, params=query)
                assert answer.status_code == 200, (path, answer.text)
                return answer.json()

            assert await version_of(ctx.store) == version.VERSION
            buffers = await get("/buffers", INSTANCE_ADMIN, room="studio")
            assert {each["id"] for each in buffers["items"]} == {"b0", "b1"}
            clips = await get("/clips", bob)
            assert [each["title"] for each in clips["items"]] == ["That goal"]
            assert (await get("/captures/c1", bob))["status"] == "ready"
            assert (await get("/captures/c2", bob))["status"] == "queued"
            communities = await get("/communities", INSTANCE_ADMIN)
            assert {each["id"] for each in communities["items"]} >= {"default", "guests"}
            assert (await get("/audit", INSTANCE_ADMIN))["items"]


@pytest.mark.parametrize("every", [24, pytest.param(1, marks=pytest.mark.heavy)])
async def test_an_upgrade_killed_at_any_step_is_gone_on_with(
    old: Store, ctx: Context, every: int
) -> None:
    """Whoever starts next finishes it, and the rows are those of an upgrade that wasn't killed."""
    bare = without_later_fields(example(0))
    await fill(old, bare, None)
    await old.upgrade(ctx.settings.media_root)
    wanted = await contents(old)
    async with mortal() as program:
        worker = Mortal(program, ctx.settings)
        for step in range(0, 1000, every):
            await fill(old, bare, None, there=wanted)
            killed = await worker.act("upgrade", die_at=step)
            await leases_end(old)
            await old.upgrade(ctx.settings.media_root)
            assert (await version_of(old), await contents(old)) == (version.VERSION, wanted), step
            if not killed:
                break
    assert not killed
    assert step > sum(map(len, complete_rows.LACKING.values()))


async def test_of_many_that_start_at_once_one_takes_the_steps(old: Store, ctx: Context) -> None:
    """The others wait until it is done."""
    begun: list[str] = []
    may_end = asyncio.Event()

    async def slow(*_: object) -> None:
        begun.append("slow")
        await may_end.wait()

    async def quick(*_: object) -> None:
        begun.append("quick")

    root = ctx.settings.media_root
    stores = [Store(ctx.settings.mongo_url) for _ in range(4)]
    starts = [
        asyncio.create_task(version.upgrade(store.database, root, (slow, quick)))
        for store in stores
    ]
    done, _ = await asyncio.wait(starts, timeout=3 * version.LOOK_SECONDS)
    assert (begun, done) == (["slow"], set())
    may_end.set()
    await asyncio.gather(*starts)
    assert begun == ["slow", "quick"]
    assert await version_of(old) == 2
    for store in stores:
        await store.close()


async def test_a_step_that_fails_is_taken_again_by_the_next_start(
    old: Store, settings: Settings
) -> None:
    """The lease is given back at once."""

    async def fails(*_: object) -> None:
        raise RuntimeError("the disk is full")

    root = settings.media_root
    with pytest.raises(RuntimeError, match="the disk is full"):
        await version.upgrade(old.database, root, (STEPS[0], fails))
    assert await version_of(old) == 1
    await version.upgrade(old.database, root, (STEPS[0], STEPS[0]))
    assert await version_of(old) == 2


async def test_a_lease_is_renewed_as_long_as_a_step_takes(old: Store, ctx: Context) -> None:
    """Nobody else begins it, even after the time of one lease."""
    lease = timedelta(seconds=0.6)
    begun: list[datetime] = []

    async def is_long_over() -> bool:
        return datetime.now(UTC) > begun[0] + 2 * lease

    async def long(*_: object) -> None:
        begun.append(datetime.now(UTC))
        await wait_for(is_long_over, what="the time of two leases is over")

    root = ctx.settings.media_root
    other = Store(ctx.settings.mongo_url)
    await asyncio.gather(
        *(version.upgrade(each.database, root, (long,), lease=lease) for each in (old, other))
    )
    assert len(begun) == 1
    await other.close()


async def test_an_empty_database_begins_with_the_newest_version(ctx: Context) -> None:
    """No step is taken on it."""
    assert await version_of(ctx.store) == version.VERSION
    row: Row | None = await ctx.store.database[version.COLLECTION].find_one({})
    assert row is not None
    assert row["lease"] is None


async def test_a_database_of_a_later_release_is_refused(ctx: Context) -> None:
    """Nothing in it is touched."""
    later = version.VERSION + 1
    await fill(ctx.store, example(0), later)
    before = await contents(ctx.store)
    with pytest.raises(ConfigurationError, match=f"rows of version {later}.*up to version"):
        await ctx.store.prepare(ctx.settings.media_root)
    assert await contents(ctx.store) == before


@pytest.mark.parametrize("role", ["api", "worker", "indexer", "doctor"])
async def test_each_process_refuses_it_with_a_sentence(ctx: Context, role: str) -> None:
    """Exit code 78: a start with the same settings can't succeed either."""
    await fill(ctx.store, {}, version.VERSION + 1)
    given = {
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": ctx.settings.key_pairs["devkey"],
        "MONGO_URL": ctx.settings.mongo_url,
        "REDIS_URL": ctx.settings.redis_url,
        "DATA_DIR": str(ctx.settings.data_dir),
        "PORT": str(choose_ports(["http"], ctx.settings.data_dir / "ports.json")["http"]),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", role), cwd=ROOT, env=os.environ | given,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 78, said.decode()
    assert re.search(r"^configuration error: the database has rows of version", said.decode(), re.M)
    assert "Traceback" not in said.decode()


def test_each_version_is_told_of_in_the_changelog() -> None:
    """What changes in the database, for those who run the service."""
    text = (ROOT / "deploy/CHANGELOG").read_text()
    told = [int(number) for number in re.findall(r"^Rows of version (\d+)", text, re.MULTILINE)]
    assert told == list(range(version.VERSION, 0, -1))


async def test_folders_that_are_ours_alone_are_closed(ctx: Context) -> None:
    """Egress may be of the group that they got; its own stays open to it."""
    modes = {"replays": 0o2750, "thumbnails": 0o2750, "replay-buffer": 0o2770}
    for name, mode in modes.items():
        folder = ctx.settings.media_root / name
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    await fill(ctx.store, example(1), 1)
    await ctx.store.upgrade(ctx.settings.media_root)
    closed = {name: (ctx.settings.media_root / name).stat().st_mode & 0o777 for name in modes}
    assert closed == {"replays": 0o700, "thumbnails": 0o700, "replay-buffer": 0o770}
