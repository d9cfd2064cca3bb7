"""What the client for Python asks is what the service describes, and what it answers."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from app.client import AsyncReplayClient, ReplayClient, operations
from app.client.ask import VERSION, Ask
from tests import client_types

DOCUMENT = client_types.described()
STREAMS = {"get_buffer_events", "get_capture_events", "get_file"}
"""They are asked by methods of other names, which say what comes."""


def functions() -> dict[str, Callable[..., Ask[Any]]]:
    return {name: getattr(operations, name) for name in client_types.OPERATIONS}


def operation(name: str) -> tuple[str, str, dict[str, Any]]:
    """The method, the path and the description of an operation."""
    for path, methods in DOCUMENT["paths"].items():
        for method, told in methods.items():
            if isinstance(told, dict) and told.get("operationId") == name:
                return method.upper(), path, told
    raise LookupError(name)


def schema(reference: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
    return found


def asked(name: str) -> Ask[Any]:
    """What is asked when each argument is given."""
    function = functions()[name]
    return function(**{each: f"<{each}>" for each in inspect.signature(function).parameters})


@pytest.mark.parametrize("name", client_types.OPERATIONS)
def test_an_operation_is_asked_as_it_is_described(name: str) -> None:
    """Its method, path, parameters and members: each of them, and no other."""
    method, path, told = operation(name)
    ask = asked(name)
    assert (ask.method, VERSION + ask.template) == (method, path)
    assert set(ask.names) == set(re.findall(r"{(\w+)}", path))
    given = {each["name"] for each in told.get("parameters", []) if each["in"] == "query"}
    assert set(ask.query) == given
    body = told.get("requestBody", {}).get("content", {}).get("application/json")
    members = set() if body is None else set(schema(body["schema"])["properties"])
    assert set(ask.body or {}) == members
    headers = {each["name"] for each in told.get("parameters", []) if each["in"] == "header"}
    assert bool(ask.key) == ("Idempotency-Key" in headers)


@pytest.mark.parametrize("name", sorted(set(client_types.OPERATIONS) - STREAMS))
def test_what_an_operation_answers_is_what_is_described(name: str) -> None:
    """By its type; the types are made of the description."""
    _, _, told = operation(name)
    (answer,) = get_args(get_type_hints(functions()[name])["return"])
    (success,) = (each for status, each in told["responses"].items() if status < "3")
    if "content" not in success:
        assert answer is type(None)
        return
    name = success["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    if name.endswith("Page"):
        (item,) = get_args(answer)
        listed = DOCUMENT["components"]["schemas"][name]["properties"]["items"]["items"]
        assert item.__name__ == client_types.python_name(listed["$ref"].rpartition("/")[2])
    else:
        assert answer.__name__ == client_types.python_name(name)


@pytest.mark.parametrize("name", sorted(set(client_types.OPERATIONS) - STREAMS))
def test_both_clients_have_each_operation(name: str) -> None:
    for client in (AsyncReplayClient, ReplayClient):
        assert vars(client)[name].ask is functions()[name]


def test_what_is_made_of_other_texts_is_up_to_date() -> None:
    now = client_types.written()
    found = {name: (client_types.CLIENT / name).read_text() for name in now}
    assert found == now, "run `.venv/bin/python -m tests.client_types`"


def test_a_name_stays_within_its_part_of_the_path() -> None:
    assert operations.get_clip("a/b?c d").path == "/v1/clips/a%2Fb%3Fc%20d"
    assert operations.get_room_timeline("a b/ü").path == "/v1/rooms/~YSBiL8O8/timeline"
    assert operations.get_user_quota("bob@home").path == "/v1/users/~Ym9iQGhvbWU/quota"
    for nothing in ("", ".", ".."):
        with pytest.raises(ValueError, match="clip_id is"):
            _ = operations.get_clip(nothing).path


def test_what_is_none_is_left_out_and_times_are_texts() -> None:
    at = datetime(2026, 11, 3, 10, 15, tzinfo=UTC)
    assert operations.create_marker("b", at=at).body == {"at": "2026-11-03T10:15:00+00:00"}
    assert operations.set_user_quota("ann", quota_bytes=None).body == {"quota_bytes": None}
    assert operations.create_capture().key != operations.create_capture().key
    assert operations.create_capture(idempotency_key="mine").key == "mine"


def test_its_folder_works_elsewhere_under_another_name(tmp_path: Path) -> None:
    """Nothing else of the service is there."""
    shutil.copytree(client_types.CLIENT, tmp_path / "replay_client")
    program = "import sys, replay_client; sys.exit('app' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == 0
