"""What app/README.md says of the house, held to the code."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import timedelta

from pymongo import IndexModel

from app.buffer import marked_ranges, markers
from app.captures import execution, media_arrival, row_leases, share_erasure
from app.cleaning import governor
from app.clips import clip_expiry
from app.condition import doctor
from app.events import postings, sender
from app.indexing import indexer, keeping_up, session_leases
from app.models import ProcessRole
from app.models.schema import EgressSession
from app.recording import planner, succession
from app.settings import Settings, clip_settings
from app.viewing import buffer_states, watched_windows
from app.work import queue
from tests import readme
from tests.unit import test_layout as layout

TEXT = (readme.ROOT / "app/README.md").read_text()
HOLDS = readme.section(TEXT, "What always holds")


def test_what_always_holds_is_what_the_checkers_check() -> None:
    """The invariants stand word for word in the docstrings of those who look for violations."""
    told = numbered(HOLDS)
    assert sorted(told) == list("12345")
    checked: dict[str, str] = {}
    for path in layout.SOURCES:
        tree = ast.parse(path.read_text())
        if reported := violations_of(tree):
            own = numbered(ast.get_docstring(tree) or "")
            assert own.keys() == reported, path
            checked |= own
    assert checked == {number: text for number, text in told.items() if number != "4"}


def violations_of(tree: ast.Module) -> set[str]:
    """The numbers of the invariants whose violations a module reports."""
    return {
        str(ast.literal_eval(node.args[0]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Violation"
    }


def numbered(text: str) -> dict[str, str]:
    """Numbered statements by their number, each on one line."""
    found = re.findall(r"^(\d)\. (.+?)(?=^\d\. |\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return {number: " ".join(statement.split()) for number, statement in found}


def test_the_index_that_holds_the_fourth_is_there() -> None:
    """What no checker looks for is a unique index, of the name that is told."""
    (name,) = re.findall(r"unique index `(\w+)`", HOLDS)
    declared = EgressSession.__indexes__()
    indexes = [one.document for one in declared if isinstance(one, IndexModel)]
    assert [one["unique"] for one in indexes if one["name"] == name] == [True]


def test_a_death_is_noticed_as_soon_as_is_told() -> None:
    """The times before the table of who goes on, and in it, are those of leases and looks."""
    told = " ".join(readme.section(TEXT, "Recover after a crash").split())
    beat, lease = row_leases.HEARTBEAT_SECONDS, row_leases.LEASE_SECONDS
    assert beat == session_leases.HEARTBEAT_SECONDS
    assert session_leases.EXPIRY.total_seconds() == lease
    settings = Settings.model_construct()
    looks = execution.requeue_expired.period(settings).total_seconds()
    assert f"renews a lease every {beat:g} s, for {lease:g} s" in told
    assert f"Expired leases of captures are looked for every {looks:g} s" in told
    assert f"those of sessions every {indexer.SCAN_SECONDS:g} s" in told
    assert f"about {lease + looks:g} s after a death" in told
    again = sender.deliver_due.period(settings).total_seconds()
    assert f"{postings.LEASE.total_seconds():g} s for one event" in told
    assert f"is looked for every {again:g} s" in told
    assert f"another worker, within {postings.LEASE.total_seconds() + again:g} s" in told
    assert f"the Redis lock for at most {queue.LOCK_SECONDS:g} s" in told


def test_what_keeps_media_does_so_for_as_long_as_is_told() -> None:
    """The numbers in the table are those of markers, watched windows and captures."""
    marker, watch, capture = readme.rows(readme.section(TEXT, "What keeps media"))
    stretch = marked_ranges.BEFORE + marked_ranges.AFTER
    total = markers.AT_MOST_OF_ONE * stretch / timedelta(minutes=1)
    assert f"the {marked_ranges.BEFORE.total_seconds():g} s before" in marker[1]
    assert f"the {marked_ranges.AFTER.total_seconds():g} s after" in marker[1]
    assert f"{markers.AT_MOST_OF_ONE} markers in all buffers: {total:g} minutes" in marker[3]
    lease = watched_windows.LEASE / timedelta(minutes=1)
    assert watch[2].count(f"{lease:g} minutes after") == 2
    most = watched_windows.WINDOWS
    assert watch[3] == f"{most} windows, and {most} from each address that their URLs are used from"
    assert f"{media_arrival.PIN_LIFE / timedelta(minutes=1):g} minutes after" in capture[2]


def test_the_times_of_procedures_are_those_of_the_code() -> None:
    """What a procedure waits for, and how often somebody looks."""
    told = " ".join(readme.section(TEXT, "Procedures").split())
    settings = Settings.model_construct()
    beat, lease = row_leases.HEARTBEAT_SECONDS, row_leases.LEASE_SECONDS
    sweep, relief, erasure = (
        job.period(settings).total_seconds()
        for job in (clip_expiry.sweep_clips, governor.relieve, share_erasure.go_on_with_all)
    )
    for text in (
        f"If nothing is found for {planner.UNCLEAR_SECONDS:g} s",
        f"a stop that had no effect is sent again after {planner.STOP_AGAIN_SECONDS:g} s",
        f"the look of every {keeping_up.LOOK_SECONDS:g} s",
        f"`governor` (every {relief:g} s",
        f"Each pass, every {erasure:g} s",
        f"the row's lease ({lease:g} s, renewed every {beat:g} s",
        f"(`clean_lease`, {lease:g} s, renewed every {beat:g} s",
        f"none rests for longer than {clip_settings.AT_LEAST.total_seconds():g} s",
        f"the worker's sweep (every {sweep:g} s)",
    ):
        assert text in told, text
    assert succession.MISSED_AFTER == 2, (
        "the second survey that does not list the track ends the share"
    )


def test_the_states_of_a_share_are_those_of_its_timeline() -> None:
    """The diagram has each state, and no other."""
    diagram = readme.section(TEXT, "What becomes of a share")
    drawn = re.findall(r"^  (\w+) -->|--> (\w+)", diagram, re.MULTILINE)
    states = {state for pair in drawn for state in pair if state}
    assert states == set(buffer_states.NAMES) - buffer_states.GROUPS.keys()


def test_every_check_of_the_doctor_has_its_cost() -> None:
    """The table names each check that the doctor makes."""
    names = {
        node.args[0].value
        for node in ast.walk(ast.parse(inspect.getsource(doctor.examine)))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "_checked"
        and isinstance(node.args[0], ast.Constant)
    }
    costs = readme.rows(readme.section(TEXT, "What each check of the doctor costs"))
    told = {name for first, *_ in costs for name in re.findall("`([a-z ]+)`", first)}
    assert told == names | set(ProcessRole.with_pulse())


def test_every_limit_on_what_reads_strangers_media_is_found() -> None:
    """The table of what such processes may take has each module that makes limits."""
    limited = {
        layout.name_of(path)
        for path in layout.SOURCES
        for node in ast.walk(layout.tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Limits")
    }
    told = set(re.findall(r" in `(app/[\w/.]+)`", readme.limits_table()))
    assert limited
    assert told == limited


def test_words_that_are_not_ours_name_nothing() -> None:
    """No class or module of app/ bears a word of the glossary's third column."""
    glossary = readme.rows(readme.section(TEXT, "Words"))
    avoided = {word for _, _, others in glossary for word in others.split(", ") if word}
    assert len(avoided) > 20
    found = {word: places for word, places in names_by_word().items() if word in avoided}
    assert found == {}


def names_by_word() -> dict[str, set[str]]:
    """Each word that a class or a module is named with, plurals in the singular, too, and where."""
    found: dict[str, set[str]] = {}
    for module, path in layout.MODULES.items():
        tree = ast.parse(path.read_text())
        classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for name in (*module.split(".")[1:], *classes):
            for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name):
                for form in {word.lower(), word.lower().removesuffix("s")}:
                    found.setdefault(form, set()).add(f"{module}: {name}")
    return found
