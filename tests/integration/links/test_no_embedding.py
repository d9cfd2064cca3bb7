"""Where no page of others may embed the player, nobody is told that it can be."""

from __future__ import annotations

import httpx

from tests.integration.links.conftest import Link
from tests.unfurling import Head


async def test_by_default_nobody_may_embed_the_player(http: httpx.AsyncClient, link: Link) -> None:
    secret = await link()
    player = await http.get(f"/c/{secret}/embed")
    assert player.headers["content-security-policy"].endswith("frame-ancestors 'none'")
    page = await http.get(f"/c/{secret}")
    assert Head(page.text).meta("twitter:player") is None
    url = Head(page.text).meta("og:url") or ""
    told = (await http.get("/oembed", params={"url": url})).json()
    assert told["type"] == "link"
    assert "html" not in told
