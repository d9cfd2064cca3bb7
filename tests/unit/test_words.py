"""The words of closed lists come from app.models, wherever a row's field holds one."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, get_args, get_type_hints, is_typeddict

from app import models
from app.media.demux import MOST_AUDIO_FRAMES
from app.media.h264 import MOST_PIXELS
from app.media.transport import MOST_UNITS
from app.models import words
from app.storage.foreign import SEGMENT_BYTES
from tests.unit.test_layout import MODULES, ROOT, name_of

# Another list of words under the name of a field.
OTHERS = {"app/api/health_routes.py: status 'ready'"}

SPELLING = [
    *(path for module, path in MODULES.items()
      if not module.startswith(("app.models", "app.migrations", "app.client"))),
    *sorted({*ROOT.glob("deploy/**/*.py")} - {*ROOT.glob("deploy/examples/**/*.py")}),
]  # fmt: skip
"""Whatever reads rows or answers, but for what has the lists, what changes rows of before, and the
client and the examples, which know them from the description of the API alone."""
ENUMS = {name: kind for name, kind in vars(words).items() if isinstance(kind, type)}


def words_of(kind: Any) -> set[str]:
    """The words that a field of this type may hold."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {each.value for each in kind} - {""}
    return set().union(*map(words_of, get_args(kind)))


def fields_of_rows() -> dict[str, set[str]]:
    """By name of a field the words that it may hold, in rows of any kind."""
    fields = {"state": words_of(models.BufferState)}
    for row in filter(is_typeddict, vars(models).values()):
        for name, kind in get_type_hints(row).items():
            if held := words_of(kind):
                fields.setdefault(name, set()).update(held)
    return fields


FIELDS = fields_of_rows()


def texts(node: ast.AST) -> set[str]:
    """The strings within an expression."""
    found = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return {text for text in found if isinstance(text, str)}


def field_of(node: ast.expr) -> str:
    """The field that an expression reads: `row["status"]`, `row.get("status")`, `line.status`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def said(node: ast.AST) -> Iterable[tuple[str, ast.expr]]:
    """What is said of fields: in a document, an argument, a default, a comparison."""
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.arguments():
            named = [*node.posonlyargs, *node.args]
            defaults = [*zip(named[::-1], node.defaults[::-1], strict=False)]
            for argument, default in [
                *defaults, *zip(node.kwonlyargs, node.kw_defaults, strict=True)
            ]:  # fmt: skip
                if default is not None:
                    yield argument.arg, default
        case ast.Compare(left=left, comparators=others):
            sides = [left, *others]
            for field in filter(None, map(field_of, sides)):
                yield from ((field, side) for side in sides if not field_of(side))


def bare_words(tree: ast.AST) -> set[str]:
    """Each word of a list that is written out where a field holds it."""
    bare = {
        f"{field} {text!r}"
        for node in ast.walk(tree)
        for field, value in said(node)
        for text in texts(value) & FIELDS.get(field, set())
    }
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
                listed = texts(choices)
                bare |= {
                    f"Literal of {name}"
                    for name, kind in ENUMS.items()
                    if len(listed & words_of(kind)) > 1
                }
    return bare


def test_no_word_of_a_closed_list_is_written_out() -> None:
    """Rows, callers and readers share one list: outside of it a word is named, not spelled."""
    bare = {
        f"{name_of(path)}: {word}"
        for path in SPELLING
        for word in bare_words(ast.parse(path.read_text()))
    }
    assert bare - OTHERS == set()


def test_the_search_finds_what_it_looks_for() -> None:
    """A document, a condition, a comparison, an argument, a default, a list of its own."""
    spelled = (
        '{"status": "queued"}',
        '{"state": {"$in": ["marked", "x"]}}',
        'row["role"] == "next"',
        'line.state not in ("ended", "refused")',
        'row.get("why") == "limit"',
        'make(cut="exact")',
        'def make(*, tail="skip"): ...',
        'gaps: object = "keep"',
        'stage = "copying" if copied else "encoding"',
        'Cut = Literal["precise", "segment"]',
    )
    assert [code for code in spelled if not bare_words(ast.parse(code))] == []
    assert bare_words(ast.parse('row["room"] == "room" and log("ready", status=200)')) == set()


def test_words_of_rows_are_compared_by_what_they_say() -> None:
    """A row from the database holds plain text, which is no word by identity."""
    wrong = set()
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Compare(left=ast.Subscript(), ops=[ast.Is() | ast.IsNot()]):
                    compared = node.comparators[0]
                    named = isinstance(compared, ast.Attribute) and ast.unparse(compared.value)
                    wrong |= {f"{name_of(path)}:{node.lineno}"} if named in ENUMS else set()
    assert wrong == set()


def test_the_limits_of_a_segment_are_told_as_they_are() -> None:
    """The list of words can't import who takes them."""
    source = inspect.getsource(words.FaultSlug)
    limits = (SEGMENT_BYTES >> 20, MOST_UNITS, MOST_AUDIO_FRAMES, MOST_PIXELS)
    told = source[source.index("TOO_LARGE") : source.index("TRUNCATED")]
    assert re.findall(r"\d[\d,]*", told) == [f"{limit:,}" for limit in limits]
