"""The types of rows say what the models say."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import bson
import pytest
from livekit.protocol.egress import EgressStatus as LiveKitStatus
from odmantic import Model

from app import models
from app.migrations import version
from app.models import Stored, words
from app.models.schema import MODELS, Pin, Summary
from tests import example_store

ROWS = {
    each for each in vars(models).values() if is_typeddict(each) and each.__name__.endswith("Row")
}


def row_of(model: type[Model]) -> Any:
    """The type that `Store.rows` gives the rows of a model."""
    (stored,) = [b for b in model.__orig_bases__ if get_origin(b) is Stored]  # type: ignore[attr-defined]
    (row,) = get_args(stored)
    return row


def plain(kind: Any) -> Any:
    """A type as ODMantic has it: documents within rows are plain ones, dates its own kind."""
    if is_typeddict(kind):
        return dict[str, Any]
    if kind is datetime:
        return Pin.model_fields["until"].annotation
    kinds = tuple(plain(each) for each in get_args(kind))
    if not kinds:
        return kind
    if get_origin(kind) in (list, dict):
        return get_origin(kind)[kinds]
    union = kinds[0]
    for each in kinds[1:]:
        union |= each
    return union


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_row_has_the_fields_of_its_model(model: type[Model]) -> None:
    """The same names, the same types: what the type checker knows is what is stored."""
    fields = {
        "_id" if name == model.__primary_field__ else name: field.annotation
        for name, field in model.model_fields.items()
    }
    row = {name: plain(kind) for name, kind in get_type_hints(row_of(model)).items()}
    assert row == fields


def test_the_example_has_rows_of_every_collection_with_every_field() -> None:
    """As the code writes them; a summary has only the parts that were written."""
    found = example_store.rows()
    assert found.keys() == {model.__collection__ for model in MODELS}
    for model in set(MODELS) - {Summary}:
        fields = {field.key_name for field in model.__odm_fields__.values()}
        for row in found[model.__collection__]:
            assert row.keys() == fields, (model.__collection__, row["_id"])


def test_the_example_of_the_present_version_is_kept() -> None:
    """A change of rows shows here: it is a version of its own, once this one has been released."""
    kept = example_store.file_of(version.VERSION)
    again = "python -m tests.example_store writes it"
    assert kept.exists(), again
    assert kept.read_text() == example_store.text(), again


def test_every_row_has_a_model() -> None:
    """No type of a row is left without its collection."""
    assert {row_of(model) for model in MODELS} == ROWS


def test_words_are_plain_text_in_the_database() -> None:
    """A word of a closed list is stored as its text, whichever program reads it."""
    for kind in vars(words).values():
        if isinstance(kind, type) and issubclass(kind, StrEnum) and len(kind):
            stored = bson.decode(bson.encode({each.name: each for each in kind}))
            assert stored == {each.name: each.value for each in kind}
            assert {type(text) for text in stored.values()} == {str}


def test_an_egresss_status_is_spelled_as_livekit_spells_it() -> None:
    """Each status that LiveKit's library knows has its word."""
    assert {each.value for each in words.EgressStatus} == set(LiveKitStatus.keys())


def test_a_models_document_is_a_row() -> None:
    """What a model writes has the fields that its row's type names."""
    pin = Pin(id="p", owner="o", session_id="s", start_ticks=0, until=datetime.now(UTC))
    assert pin.model_dump_doc().keys() == models.PinRow.__annotations__.keys()
