"""The reference tells people all that the description tells programs, and runs nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import httpx
from starlette.applications import Starlette

from app.api.docs_routes import POLICY
from app.api.openapi import describe
from app.api.reference_page import reference
from app.console.assets import STATIC
from app.main import ROUTES

DOCUMENT: dict[str, Any] = json.loads(json.dumps(describe(ROUTES)))
VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """What a page consists of. ValueError if an element is not closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        if (last := self.open.pop()) != tag:
            raise ValueError(f"</{tag}> closes <{last}>")

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        """Those of attributes of this name."""
        return [value for _, each, value in self.attributes if each == name]


def test_all_that_is_described_is_on_the_page() -> None:
    """Each path, parameter, member, word of a list, status and type of problem."""
    page = Page(reference(DOCUMENT))
    assert page.open == []
    expected = {*DOCUMENT["paths"], *DOCUMENT["components"]["schemas"]}
    for methods in [*DOCUMENT["paths"].values(), *DOCUMENT["webhooks"].values()]:
        for operation in methods.values():
            expected |= {operation["summary"], *operation["responses"]}
            expected |= {each["name"] for each in operation.get("parameters", ())}
    for schema in DOCUMENT["components"]["schemas"].values():
        expected |= {*schema.get("properties", ()), *schema.get("enum", ())}
    assert {each for each in expected if each not in page.text} == set()


def test_links_lead_to_what_is_there_and_names_are_of_one_thing() -> None:
    page = Page(reference(DOCUMENT))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inner = {value.removeprefix("#") for value in page.values("href") if value.startswith("#")}
    assert inner - set(ids) == set()
    outer = {value for value in page.values("href") if not value.startswith("#")}
    assert outer == {"openapi.json", "console/reference.css"}
    assert (STATIC / "reference.css").is_file()


def test_the_page_runs_nothing() -> None:
    """Nor would its policy let it: no script, no style but its sheet, no form, no frame."""
    page = Page(reference(DOCUMENT))
    assert page.elements & {"script", "style", "form", "iframe", "img", "object"} == set()
    assert {
        name for _, name, _ in page.attributes if name.startswith("on") or name == "style"
    } == set()
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none'; style-src 'self';")


async def test_the_page_is_served_under_its_policy() -> None:
    """Packed to who takes that, and once to who has it."""
    app = Starlette(routes=ROUTES)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        plain = await client.get("/docs", headers={"Accept-Encoding": "identity"})
        packed = await client.get("/docs")
        tag = {"If-None-Match": packed.headers["ETag"]}
        again = await client.get("/docs", headers=tag)
    assert plain.text == packed.text == reference(DOCUMENT)
    assert plain.headers["Content-Type"] == "text/html; charset=utf-8"
    assert plain.headers["Content-Security-Policy"] == POLICY
    assert (packed.headers["Content-Encoding"], again.status_code) == ("gzip", 304)
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_texts_stay_texts() -> None:
    """Whatever stands in a description, an example or a name."""
    evil = '<script>alert("x")</script>'
    document = json.loads(json.dumps(DOCUMENT))
    document["info"]["description"] = evil
    document["paths"] = {
        f"/{evil}": {"get": document["paths"]["/v1/quota"]["get"] | {"description": f"`{evil}`"}}
    }
    document["components"]["schemas"]["Tail"] = {
        "type": "object",
        "description": evil,
        "properties": {evil: {"type": "string", "description": evil, "pattern": evil}},
    }
    page = Page(reference(document))
    assert page.elements & {"script"} == set()
    assert page.text.count(evil) >= 6
