"""The console's page and every file it is made of: types, policies, caching."""

from __future__ import annotations

import re

import httpx
import pytest

from app.console.assets import ASSETS, STATIC, VERSION, imported

FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
TYPE_IMPORT = re.compile(r"@import .*")
"""What only the type checker reads: no browser asks for it."""
NAMED = re.compile(r"""(?:href|src)="(console/[^"]+)"|(?:from|import\() ?'(\.[^']+)'""")


async def test_the_page_takes_nothing_but_its_own_files(http: httpx.AsyncClient) -> None:
    """Without a token; its policy allows no inline code, no other site, no frame around it."""
    answer = await http.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == TYPES[".html"]
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?:", answer.text)
    named = re.findall(r'(?:href|src)="console/([^"]+)"', answer.text)
    assert all(name.startswith(f"{VERSION}/") for name in named)
    assert f"{VERSION}/buffers/card.js" in named, "the first view's modules are named at once"


async def test_what_the_page_names_is_kept_for_good_and_small(http: httpx.AsyncClient) -> None:
    """Compressed for who takes that; another version's names are unknown."""
    for name, asset in ASSETS.items():
        answer = await http.get(f"/console/{VERSION}/{name}")
        assert answer.content == asset.body, name
        assert answer.headers["Content-Encoding"] == "gzip", name
        assert "immutable" in answer.headers["Cache-Control"], name
        assert answer.headers["Content-Type"].startswith(asset.media_type), name
    plain = await http.get(f"/console/{VERSION}/main.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == ASSETS["main.js"].body
    for other in (f"{VERSION}/nothing.js", f"{'0' * 16}/main.js", f"{VERSION}/../assets.py"):
        assert (await http.get(f"/console/{other}")).status_code == 404, other


def test_a_module_is_named_with_all_that_it_needs() -> None:
    """Also with what that needs; types, and views that are opened later, are left out."""
    first = imported("main.js", ASSETS)
    assert {"main.js", "session.js", "api.js", "texts.js", "language.js", "times.js"} <= set(first)
    assert not {"german.js", "buffers/cards.js", "types.js"} & set(first)
    assert len(first) == len(set(first))


async def test_every_file_has_its_type_and_is_asked_for_again(http: httpx.AsyncClient) -> None:
    """So that a page never runs with another version's parts."""
    assert {path.suffix for path in FILES} <= set(TYPES)
    for path in FILES:
        url = f"/console/{path.relative_to(STATIC)}"
        answer = await http.get(url)
        assert answer.status_code == 200, url
        assert answer.content == path.read_bytes(), url
        assert answer.headers["Content-Type"] == TYPES[path.suffix], url
        assert answer.headers["Cache-Control"] == "no-cache", url
        assert answer.headers["X-Content-Type-Options"] == "nosniff", url
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), url
        same = await http.get(url, headers={"If-None-Match": answer.headers["ETag"]})
        assert same.status_code == 304, url


@pytest.mark.parametrize("path", ["/console/", "/console/../pages.py", "/console/%2e%2e/pages.py"])
async def test_nothing_else_is_served(http: httpx.AsyncClient, path: str) -> None:
    """No listing, and nothing beside the folder."""
    assert (await http.get(path)).status_code == 404


def test_every_file_that_is_named_is_there() -> None:
    """By the page, and by modules that import others."""
    for path in FILES:
        text = "" if path.suffix == ".svg" else TYPE_IMPORT.sub("", path.read_text())
        for of_page, of_module in NAMED.findall(text):
            named = (
                STATIC / of_page.removeprefix("console/") if of_page else path.parent / of_module
            )
            assert named.is_file(), f"{path.relative_to(STATIC)} names {of_page or of_module}"
