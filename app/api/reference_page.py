"""The reference as one page of HTML, made of the OpenAPI document. Pure.

It needs no script, so it is as its policy wants it, and there is nothing to keep up to date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

Node = Mapping[str, Any]

_CREDENTIALS = {
    "token": "a token",
    "signature": "a signed URL",
    "link": "the link of a clip",
    "webhook": "LiveKit's signature",
    "metrics": "METRICS_TOKEN",
    "eventSignature": "our signature",
    "eventToken": "our token, as LiveKit's",
}
_OPTIONAL = " <small>optional</small>"
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {}",
    "multipleOf": "a multiple of {}",
}


def reference(document: Node) -> str:
    """The whole page."""
    info, schemas = document["info"], document["components"]["schemas"]
    groups = {tag["name"]: tag["description"] for tag in document["tags"]}
    operations = [*_operations(document["paths"]), *_operations(document["webhooks"])]
    contents = [_link(_anchor(name), escape(name)) for name in [*groups, "Schemas"]]
    parts = [
        f"<header><h1>{escape(info['title'])}</h1>{_prose(info['description'])}"
        '<p><a href="openapi.json">openapi.json</a> is the same for programs.</p>'
        f"<nav><ul>{_each('li', contents)}</ul></nav></header><main>",
        *(_group(name, says, operations) for name, says in groups.items()),
        f'<section id="{_anchor("Schemas")}"><h2>Schemas</h2>',
        *(_component(name, schemas[name]) for name in sorted(schemas)),
        "</section></main>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}: reference</title>"
        '<link rel="stylesheet" href="console/reference.css"></head>'
        f"<body>{''.join(parts)}</body></html>"
    )


def _operations(paths: Node) -> Iterator[tuple[str, str, Node]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _group(name: str, says: str, operations: Iterable[tuple[str, str, Node]]) -> str:
    own = "".join(_operation(*each) for each in operations if name in each[2]["tags"])
    return f'<section id="{_anchor(name)}"><h2>{escape(name)}</h2>{_prose(says)}{own}</section>'


def _operation(method: str, path: str, operation: Node) -> str:
    parts = [
        f'<p class="call"><b>{method}</b> <code>{escape(path)}</code></p>',
        _prose(operation["description"]),
        _shown(operation["security"]),
        _table("Parameters", map(_parameter, operation.get("parameters", ()))),
        _body(operation.get("requestBody")),
        _table("Answers", (_answer(*each) for each in operation["responses"].items())),
    ]
    heading = f"<h3>{escape(operation['summary'])}</h3>"
    return f'<article id="{escape(operation["operationId"])}">{heading}{"".join(parts)}</article>'


def _shown(security: Iterable[Node]) -> str:
    ways = [
        " and ".join(_CREDENTIALS[name] for name in way if name != "expiry") for way in security
    ]
    return f"<p>Needs {' or '.join(ways)}.</p>" if ways else "<p>Open to anybody.</p>"


def _parameter(parameter: Node) -> tuple[str, str, str]:
    needed = "needed" if parameter["required"] else ""
    where = " ".join(filter(None, (parameter["in"], needed)))
    name = f"<code>{escape(parameter['name'])}</code> <small>{where}</small>"
    return name, _kind(parameter["schema"]), _words(parameter["description"])


def _body(body: Node | None) -> str:
    if body is None:
        return ""
    parts = []
    for media_type, content in body["content"].items():
        parts.append(f"<p>Body, {escape(media_type)}: {_kind(content['schema'])}</p>")
        parts += [_json(each["value"]) for each in content.get("examples", {}).values()]
        parts += [_json(content["example"])] if "example" in content else []
    return "".join(parts)


def _answer(status: str, answer: Node) -> tuple[str, str, str]:
    kinds = [_kind(content["schema"]) for content in answer.get("content", {}).values()]
    told = _words(answer["description"])
    for content in answer.get("content", {}).values():
        if "example" in content:
            told += f"<details><summary>Example</summary>{_json(content['example'])}</details>"
    return f"<code>{escape(status)}</code>", "<br>".join(kinds), told


def _component(name: str, schema: Node) -> str:
    heading = f"<h3>{escape(name)}</h3>{_prose(schema['description'])}"
    needed = schema.get("required", ())
    rows = (
        (
            f"<code>{escape(member)}</code>{'' if member in needed else _OPTIONAL}",
            _kind(told),
            _words(told.get("description", "")),
        )
        for member, told in schema.get("properties", {}).items()
    )
    members = _table("Members", rows) or f"<p>{_kind(schema)}</p>"
    return f'<article id="{_anchor(name)}">{heading}{members}</article>'


def _kind(schema: Node) -> str:
    """What a value is, in words."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return _link(_anchor(name), escape(name))
        case {"enum": [*words]}:
            return " ".join(f"<code>{escape(json.dumps(word))}</code>" for word in words)
        case {"anyOf": [*kinds]} | {"oneOf": [*kinds]}:
            return " or ".join(map(_kind, kinds))
        case {"allOf": [*parts]}:
            return " with ".join(map(_kind, parts))
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"type": "object", "properties": members}:
            each = (f"<code>{escape(name)}</code> {_kind(told)}" for name, told in members.items())
            return f"{{{', '.join(each)}}}"
        case _:
            return _plain(schema)


def _plain(schema: Node) -> str:
    kind = "text" if schema["type"] == "string" else str(schema["type"])
    further = [schema[word] for word in ("format",) if word in schema]
    further += [says.format(schema[word]) for word, says in _BOUNDS.items() if word in schema]
    if "default" in schema:
        further.append(f"default {json.dumps(schema['default'])}")
    if "pattern" in schema:
        further.append(f"as {schema['pattern']}")
    return escape(", ".join([kind, *further]))


def _table(caption: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = "".join(f"<tr>{_each('td', row)}</tr>" for row in rows)
    return f"<table><caption>{caption}</caption>{lines}</table>" if lines else ""


def _each(element: str, contents: Iterable[str]) -> str:
    return "".join(f"<{element}>{content}</{element}>" for content in contents)


def _json(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _prose(text: str) -> str:
    return _each("p", map(_words, text.split("\n\n"))) if text else ""


def _words(text: str) -> str:
    """A text in which what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _anchor(name: str) -> str:
    return escape(name.lower())


def _link(anchor: str, text: str) -> str:
    return f'<a href="#{anchor}">{text}</a>'
