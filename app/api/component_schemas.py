"""The schemas of every model that operations and events name, as components of the description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.api.examples import example_of
from app.models.word_schema import LIST

Json = dict[str, Any]


class ComponentSchemas:
    """The schemas of models: of `bodies` and `queries` as taken, of what is `shown` as given."""

    def __init__(
        self,
        *,
        bodies: Set[type[BaseModel]],
        queries: Set[type[BaseModel]],
        shown: Set[type[BaseModel]],
        others: Json,
    ) -> None:
        """`others`: schemas of no model, by name."""
        self._queries = queries
        modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
            *((model, "validation") for model in sorted(bodies | queries, key=_name)),
            *((model, "serialization") for model in sorted(shown, key=_name)),
        ]
        self._references, definitions = models_json_schema(
            modes, by_alias=False, ref_template="#/components/schemas/{model}"
        )
        self._definitions: dict[str, Json] = definitions.get("$defs", {}) | others
        for schema in [*self._definitions.values()]:
            _leave_out_titles(schema)
            for node in _nodes(schema):
                if LIST in node:
                    name, says = node.pop(LIST)
                    self._definitions[name] = _list_out_of(node, name, says)
        for model in bodies:
            _tell_defaults(self.definition(model))

    def reference(self, model: type[BaseModel], mode: JsonSchemaMode) -> Json:
        """Where the schema of a model is."""
        return dict(self._references[(model, mode)])

    def definition(self, model: type[BaseModel]) -> Json:
        """The schema of a model as it is taken."""
        return self._definitions[_last(self.reference(model, "validation"))]

    def shown(self, model: type[BaseModel]) -> Json:
        """The schema of a model as it is given."""
        return self._definitions[_last(self.reference(model, "serialization"))]

    def add(self, name: str, schema: Json) -> Json:
        """Adds the schema of no model; where it is."""
        self._definitions[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}

    def components(self) -> Json:
        """All of them by name, but for those of queries: each parameter has its own."""
        left_out = {_last(self.reference(each, "validation")) for each in self._queries}
        return {name: each for name, each in self._definitions.items() if name not in left_out}

    def example(self, schema: Json) -> Any:
        """A value that a schema takes."""
        return example_of(schema, self._definitions)

    def examples(self, model: type[BaseModel]) -> list[Any]:
        """Values that a model takes: those that it gives itself."""
        return list(self.definition(model).get("examples", ()))


def _name(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def _last(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _nodes(value: Any) -> Iterator[Json]:
    """Every object within a schema."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for child in list(value.values() if isinstance(value, dict) else value):
            yield from _nodes(child)


def _list_out_of(node: Json, name: str, says: str) -> Json:
    """The schema of a list of words, to which the node refers from now on."""
    words = {"type": node.pop("type"), "enum": node.pop("enum")}
    node["$ref"] = f"#/components/schemas/{name}"
    return {"description": says, **words}


def _tell_defaults(schema: Json) -> None:
    """Says in words what a member is that is left out.

    Of a keyword generators of clients make that the member is never left out, or a value that they
    can't write where it is one of two types.
    """
    for each in schema["properties"].values():
        default = each.pop("default", None)
        if default not in (None, ""):
            each["description"] += f" Default: `{json.dumps(default)}`."


def _leave_out_titles(schema: Json) -> None:
    """A member's title is its name again, which generators of clients take for one of a type."""
    for each in schema.get("properties", {}).values():
        each.pop("title", None)
