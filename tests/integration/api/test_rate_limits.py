"""Who sends more than his share waits, and nobody else does."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest
from structlog.testing import capture_logs

from app.api.token_buckets import OF_URLS
from app.settings import Settings
from tests import webhooks
from tests.integration.api.conftest import (
    OWNER,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    client_in,
    token,
)
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET, MakeSettings
from tests.serving import Running


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    keys = f"{TENANT}:{TENANT_SECRET}"
    return make_settings(requests_per_minute=PER_MINUTE, livekit_keys=keys, tenant_keys=TENANT)


PER_MINUTE = 40
CROWD = 800
TENANT, TENANT_SECRET = "tenant", "t" * 32


async def until_refused(
    send: Callable[[], Awaitable[httpx.Response]], per_minute: float = PER_MINUTE
) -> httpx.Response:
    """The first 429, after as many answers as the bucket held and what flowed in meanwhile."""
    began, served = time.monotonic(), 0
    while (answer := await send()).status_code != 429:
        served += 1
        flowed_in = (time.monotonic() - began) * per_minute / 60
        assert served <= per_minute + flowed_in
    assert served >= per_minute - 1
    return answer


async def somebody_left(
    http: httpx.AsyncClient, sid: str, key: str = LIVEKIT_API_KEY, secret: str = LIVEKIT_API_SECRET
) -> httpx.Response:
    """The answer to a webhook of LiveKit's, or of whoever has signed it."""
    who = webhooks.participant(sid=sid)
    body = webhooks.body_of(
        webhooks.event("participant_left", room=webhooks.room(), participant=who)
    )
    headers = {"Authorization": webhooks.sign(body, key, secret)}
    return await http.post("/webhooks/livekit", content=body, headers=headers)


async def test_who_sends_too_much_waits_and_others_do_not(http: httpx.AsyncClient) -> None:
    refused = await until_refused(lambda: http.get("/session", headers=OWNER))
    assert refused.json()["type"] == "too-many-requests"
    assert 0 < refused.json()["retry_after"] <= 1.5
    assert refused.headers["Retry-After"] in ("1", "2")
    assert (await http.get("/session", headers=STRANGER)).status_code == 200
    assert (await http.post("/session", headers=OWNER)).status_code == 200  # another kind


async def test_another_token_of_the_same_user_is_no_other_user(http: httpx.AsyncClient) -> None:
    await until_refused(lambda: http.get("/session", headers=OWNER))
    other = bearer(token(room="elsewhere"))
    codes = [(await http.get("/session", headers=other)).status_code for _ in range(3)]
    assert 429 in codes


async def test_of_what_is_kept_a_user_may_send_less(http: httpx.AsyncClient) -> None:
    """Messages for chats by the hour, however slowly they come; others have theirs."""

    async def shared(who: dict[str, str]) -> httpx.Response:
        return await http.post("/clips/none/share", json={"channel_id": "x"}, headers=who)

    assert [(await shared(OWNER)).status_code for _ in range(2)] == [404, 404]
    refused = await shared(OWNER)
    assert refused.status_code == 429
    assert 1700 < refused.json()["retry_after"] <= 1800
    assert (await http.delete("/clips/none", headers=OWNER)).status_code == 404  # another kind
    assert (await shared(STRANGER)).status_code == 404


async def test_who_has_somebodys_url_uses_up_nothing_of_theirs(
    http: httpx.AsyncClient, app: Running, share: MakeShare
) -> None:
    """Nor of others who have it: it may stand in a page, a chat, a proxy's log."""
    made = await share()
    url = (await http.get(f"/buffers/{made.buffer_id}", headers=ROOM_ADMIN)).json()["thumbnails"]
    await until_refused(lambda: http.get(url), PER_MINUTE / 2)
    index = f"/buffers/{made.buffer_id}/thumbnails.vtt"
    codes = [(await http.get(index, headers=ROOM_ADMIN)).status_code for _ in range(3)]
    assert codes == [200] * 3
    async with client_in(app, "192.0.2.7") as another:
        assert (await another.get(url)).status_code == 200
        assert (await another.get(url)).status_code == 200


async def test_from_however_many_addresses_somebodys_url_is_asked_for_so_much_in_all(
    http: httpx.AsyncClient, app: Running, share: MakeShare
) -> None:
    """Four times as much as from one of them; who made it has as much as ever."""
    made = await share()
    url = (await http.get(f"/buffers/{made.buffer_id}", headers=ROOM_ADMIN)).json()["thumbnails"]
    addresses = itertools.cycle(client_in(app, f"192.0.2.{number}") for number in range(8))
    await until_refused(lambda: next(addresses).get(url), PER_MINUTE / 2 * OF_URLS)
    index = f"/buffers/{made.buffer_id}/thumbnails.vtt"
    assert (await http.get(index, headers=ROOM_ADMIN)).status_code == 200


async def test_a_flood_of_bad_credentials_is_logged_a_few_times(http: httpx.AsyncClient) -> None:
    """With reason and address; who shows good ones from the same address is served."""
    forged = bearer(token("mallory", secret="x" * 32))
    with capture_logs() as lines:
        codes = [(await http.get("/session", headers=forged)).status_code for _ in range(50)]
    told = [line for line in lines if line["event"] == "credentials_refused"]
    assert codes[0] == 401
    assert codes[-1] == 429
    assert len(told) == codes.count(401) <= 6
    assert told[0]["peer"] == "127.0.0.1"
    assert "signature" in told[0]["reason"].lower()
    assert (await http.get("/session", headers=OWNER)).status_code == 200


async def test_webhooks_without_a_signature_are_bad_credentials_too(
    http: httpx.AsyncClient,
) -> None:
    codes = [(await http.post("/webhooks/livekit")).status_code for _ in range(10)]
    assert codes[0] == 401
    assert codes[-1] == 429


async def test_webhooks_that_are_signed_are_never_too_many(http: httpx.AsyncClient) -> None:
    """Whatever else comes from their address: they count against nothing."""
    for _ in range(2 * PER_MINUTE):
        await http.post("/webhooks/livekit")
    codes = []
    for number in range(2 * PER_MINUTE):
        codes.append((await somebody_left(http, f"PA_{number}")).status_code)
    assert set(codes) == {200}


async def test_no_webhook_is_taken_that_a_tenants_key_has_signed(http: httpx.AsyncClient) -> None:
    """LiveKit signs with none of these; those who hold one may not say who is in which room."""
    with capture_logs() as lines:
        refused = await somebody_left(http, "PA_1", TENANT, TENANT_SECRET)
    assert refused.status_code == 401
    assert f"{TENANT} is one of TENANT_KEYS" in refused.json()["detail"]
    (line,) = [each for each in lines if each["event"] == "webhook_not_verified"]
    assert TENANT not in line["known_keys"]
    assert (await somebody_left(http, "PA_2")).status_code == 200


async def test_webhooks_wait_for_no_crowd(http: httpx.AsyncClient) -> None:
    """It is answered before most of those are that were there first, from the same address.

    It takes the time of a few of the stores' answers, also where these have little of a processor.
    """
    order: list[str] = []

    async def note(who: str, answer: Awaitable[httpx.Response]) -> None:
        await answer
        order.append(who)

    forged = {"Authorization": webhooks.sign(b"", secret="x" * 32)}
    await asyncio.gather(
        *(note("stranger", http.get("/nothing")) for _ in range(CROWD)),
        *(note("forger", http.post("/webhooks/livekit", headers=forged)) for _ in range(CROWD)),
        note("livekit", somebody_left(http, "PA_1")),
    )
    assert order.index("livekit") < CROWD


async def test_what_needs_no_token_is_counted_by_address(http: httpx.AsyncClient) -> None:
    """But health, of which a prober asks from wherever it is."""
    refused = await until_refused(lambda: http.get("/openapi.json"))
    assert refused.json()["type"] == "too-many-requests"
    assert (await http.get("/healthz")).status_code == 200
    assert (await http.get("/session", headers=OWNER)).status_code == 200


async def test_the_description_is_sent_packed_and_only_to_those_who_lack_it(
    http: httpx.AsyncClient,
) -> None:
    plain = await http.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = await http.get("/openapi.json", headers={"Accept-Encoding": "br, gzip"})
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 5
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for answer, encoding in ((plain, "identity"), (packed, "gzip")):
        headers = {"Accept-Encoding": encoding, "If-None-Match": answer.headers["ETag"]}
        again = await http.get("/openapi.json", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
