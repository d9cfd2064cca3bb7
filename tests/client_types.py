"""What of the Python client is made: its types, and its form without await.

`python -m tests.client_types` writes them anew: answers.py, share_answers.py and answer_words.py of
app/client from the description of the API, blocking_client.py from async_client.py.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api.openapi import describe
from app.main import ROUTES
from tests.console_types import reached

CLIENT = Path(__file__).resolve().parents[1] / "app" / "client"
OPERATIONS = (
    "get_session", "list_buffers", "get_buffer", "delete_buffer", "stop_recording",
    "resume_recording", "get_buffer_events", "list_markers", "create_marker", "delete_marker",
    "get_room_timeline", "create_room_captures", "create_capture", "get_capture", "cancel_capture",
    "get_capture_events", "list_clips", "get_clip", "change_clip", "delete_clip", "trim_clip",
    "restore_clip", "request_clip_deletion", "share_clip", "get_file", "create_archive",
    "get_quota", "get_user_quota", "set_user_quota",
)  # fmt: skip
_HEAD = '''\
"""What the service answers, as types: `python -m tests.client_types` writes this."""

from __future__ import annotations

from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

from . import answer_words as w
from .share_answers import {of_shares}

PageItem = TypeVar("PageItem")


class AnswerPage(TypedDict, Generic[PageItem]):
    """Some of a list, and where it goes on."""

    items: list[PageItem]
    next: str | None
'''
_SHARES_HEAD = '''\
"""What the service answers of shares, as types: `python -m tests.client_types` writes this."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from . import answer_words as w
'''
_OF_SHARES = ("Buffer", "Gap", "Marker", "RoomTimeline", "Span")
"""How the types of a module of its own begin: no other type has one of these in it."""
_WORDS_HEAD = '''\
"""The words of the service's closed lists: `python -m tests.client_types` writes this."""

from __future__ import annotations

from typing import Literal

'''
_PLAIN = {"string": "str", "number": "float", "integer": "int", "boolean": "bool", "null": "None"}
_WORTH_A_BASE = 3
"""A type that has all members of another one adds to it, if they are more than these."""
_READ_ELSEWHERE = {"GoneView", "Snapshot"}
"""What app/client/server_events.py tells in another form."""
_WITHOUT_AWAIT = {
    r"async def": "def",
    r"async with": "with",
    r"async for": "for",
    r"str \| Awaitable\[str\]": "str",
    r"        given = self\._token\(\)\n.*\n": "        return self._token()\n",
    r"await ": "",
    r"AsyncGenerator\[(\w+), None\]": r"Generator[\1, None, None]",
    r"Async(?=[A-Z])": "",
    r"\bAwaitable\[(\w+)\]": r"\1",
    r"\ba(?=iter_bytes|read\b)": "",
    r"__a(?=enter|exit)": "__",
    r"asynccontextmanager": "contextmanager",
    r"\basyncio\b": "time",
    r"AbstractAsyncContextManager": "AbstractContextManager",
    r"\baclos": "clos",
    r"\banext\b": "next",
}


def described() -> dict[str, Any]:
    """The description of the API, as others read it."""
    document: dict[str, Any] = json.loads(json.dumps(describe(ROUTES)))
    return document


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations that the client knows, by id."""
    all_of_them = (each for path in document["paths"].values() for each in path.values())
    return {
        each["operationId"]: each
        for each in all_of_them
        if isinstance(each, dict) and each.get("operationId") in OPERATIONS
    }


def written() -> dict[str, str]:
    """The text of each module that is made, by its name."""
    named = sorted(reached(list(operations(described()).values()), _SCHEMAS))
    told = [name for name in named if _is_told(name)]
    words = [name for name in told if _is_words(name)]
    types = {name: _declared(name, told) for name in told if not _is_words(name)}
    of_shares = [name for name in types if name.startswith(_OF_SHARES)]
    exported = ", ".join(f"{python_name(name)} as {python_name(name)}" for name in of_shares)
    head = _HEAD.format(of_shares=exported)
    others = [text for name, text in types.items() if name not in of_shares]
    return {
        "answer_words.py": _tidied(_WORDS_HEAD + "\n".join(map(_listed, words))),
        "answers.py": _tidied("\n\n".join([head, *_in_order(others)])),
        "share_answers.py": _tidied(
            "\n\n".join([_SHARES_HEAD, *_in_order([types[name] for name in of_shares])])
        ),
        "blocking_client.py": _tidied(_blocking()),
    }


def _in_order(types: list[str]) -> list[str]:
    """Each type behind the one that it adds to."""
    head = re.compile(r"class (\w+)\((\w+)\)")
    bases = {name: base for text in types for name, base in head.findall(text)}

    def depth(name: str) -> int:
        return 1 + depth(bases[name]) if name in bases else 0

    return sorted(types, key=lambda text: depth(head.findall(text)[0][0]))


def _blocking() -> str:
    text = (CLIENT / "async_client.py").read_text()
    for pattern, replacement in _WITHOUT_AWAIT.items():
        text = re.sub(pattern, replacement, text)
    _, _, rest = text.partition('"""\n\n')
    return f'"""The client that blocks: `python -m tests.client_types` writes this."""\n\n{rest}'


def _is_told(name: str) -> bool:
    """Whether it is a type of answers, or a closed list of words."""
    is_given = name.endswith(("Request", "Change")) or "contentSchema" in json.dumps(_SCHEMAS[name])
    return not (is_given or name.endswith("Page") or name in _READ_ELSEWHERE)


def python_name(name: str) -> str:
    """What the client calls a schema."""
    return name.removesuffix("View") + "Answer"


def _listed(name: str) -> str:
    words = ",".join(f'"{word}"' for word in _SCHEMAS[name]["enum"])
    return f"{name}Choice = Literal[{words}]"


def _declared(name: str, told: list[str]) -> str:
    schema = _SCHEMAS[name]
    members, needed = dict(schema["properties"]), schema.get("required", [])
    base = "TypedDict"
    for other in told:
        known = _SCHEMAS[other].get("properties", {})
        is_more = other != name and all(members.get(k) == v for k, v in known.items())
        if is_more and len(known) > _WORTH_A_BASE:
            base = python_name(other)
            members = {k: v for k, v in members.items() if k not in known}
    first, dot, _ = " ".join(schema["description"].split()).partition(". ")
    head = f'class {python_name(name)}({base}):\n    """{first}{dot.strip()}"""\n'
    return "\n".join([head, *_members(members, needed)])


def _members(members: dict[str, Any], needed: list[str]) -> Iterator[str]:
    for member, told in members.items():
        kind = _type(told)
        yield f"    {member}: {kind if member in needed else f'NotRequired[{kind}]'}"


def _type(schema: dict[str, Any]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"w.{name}Choice" if _is_words(name) else python_name(name)
        case {"enum": list(listed)}:
            return f"Literal[{', '.join(json.dumps(word) for word in listed)}]"
        case {"anyOf": list(each)}:
            return " | ".join(map(_type, each))
        case {"type": "array"}:
            return f"list[{_type(schema['items'])}]"
        case {"type": "object"}:
            return "dict[str, Any]"
    return _PLAIN[schema["type"]]


def _is_words(name: str) -> bool:
    return "enum" in _SCHEMAS[name]


def _tidied(text: str) -> str:
    """As the linter wants it."""
    name = str(CLIENT / "made.py")
    for command in (("check", "--fix-only", "--unsafe-fixes", "-q"), ("format",)):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", name, "-"],
            cwd=CLIENT, input=text, capture_output=True, text=True, check=True,
        )  # fmt: skip
        text = done.stdout
    return text


_SCHEMAS = described()["components"]["schemas"]


if __name__ == "__main__":
    for module, text in written().items():
        (CLIENT / module).write_text(text)
