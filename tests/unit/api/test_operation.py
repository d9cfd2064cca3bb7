"""What an endpoint declares is what is read, and in which order; what it gives is what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urljoin

import httpx
import pytest
from livekit.api import AccessToken, VideoGrants
from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from app.access.generations import Generations
from app.api import answer_watch, problems, versions, wire
from app.api.answer_watch import WatchedAnswer
from app.api.call import Call
from app.api.in_flight import LINK_AT_ONCE, NAMELESS_AT_ONCE, WAITING, InFlight
from app.api.media_under_way import OF_ONE, OF_SHARED, MediaUnderWay
from app.api.openapi import describe
from app.api.operation import Answer, OperationRoute, endpoint, gate
from app.api.token_buckets import Cost, Rates
from app.api.web_state import WebState
from app.context import Context
from app.errors import NotPermitted, TooManyRequests
from app.settings import load
from tests.serving import Running
from tests.waiting import PATIENCE_SECONDS, wait_for

KEY, SECRET = "key-of-tests", "a-secret-of-at-least-32-characters"
OK = {HTTPStatus.OK: Answer("It is so.")}


class Page(wire.Input):
    """Which page."""

    limit: int = 5


class Label(wire.Input):
    """A label."""

    text: str


class Echo(wire.View):
    """What came."""

    said: str
    Location: str = "/here"


@endpoint("GET /pages", "A page", answers=OK, access="anybody")
async def get_page(call: Call[Page]) -> Echo:
    return Echo(said=str(call.input.limit))


@endpoint(
    "POST /labels",
    "A label",
    answers={HTTPStatus.CREATED: Answer("Made.", headers={"Location": "Where it is."})},
    access="anybody",
    body_may_be_empty=True,
)
async def post_label(call: Call[Label]) -> Echo:
    return Echo(said=call.input.text)


@endpoint("DELETE /labels", "None", answers={HTTPStatus.NO_CONTENT: Answer("Gone.")},
          access="anybody")  # fmt: skip
async def delete_label(call: Call[None]) -> None:
    return None


@endpoint("GET /own", "An answer of its own", answers=OK, access="anybody")
async def get_own(call: Call[None]) -> PlainTextResponse:
    return PlainTextResponse("own", HTTPStatus.ACCEPTED)


@gate(NotPermitted)
async def nobody_but_ann(call: Call[None]) -> None:
    if call.caller.identity != "ann":
        raise NotPermitted("only ann may")


@endpoint(
    "PUT /users/{identity}/labels",
    "Somebody's label",
    answers=OK,
    may=nobody_but_ann,
    headers={wire.IDEMPOTENCY_KEY: "A key."},
)
async def put_label(call: Call[Label]) -> Echo:
    return Echo(said=f"{call.caller.identity} {call.name('identity')} {call.idempotency_key}")


@endpoint("GET /films", "A film", answers=OK, access="token or signature")
async def get_film(call: Call[Page]) -> Echo:
    return Echo(said=call.reader.url("/films", limit=str(call.input.limit)))


class Wanted(wire.Input):
    """Whose."""

    sharer: str = Field(alias="identity")


class Thing(wire.View):
    """What is shown."""

    sharer: str = Field(serialization_alias="identity")
    thing_url: str = Field(serialization_alias="Location")


@endpoint(
    "PUT /things/{name}",
    "A thing",
    answers={HTTPStatus.CREATED: Answer("Made.", headers={"Location": "Where it is."})},
    former="/thing/{name}",
)
async def put_thing(call: Call[Wanted]) -> Thing:
    if call.path["name"] == "lost":
        raise NotPermitted("nobody may")
    return Thing(sharer=call.input.sharer, thing_url="/v1/things/1")


class Vault:
    """What is opened from outside: until then whoever is let in waits there."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.open = asyncio.Event()


VAULT = Vault()


@endpoint("GET /vault", "Waits", answers=OK, access="token or signature", cost=Cost.WINDOW)
async def get_vault(call: Call[None]) -> None:
    VAULT.inside.append(call.reader.caller.identity if call.reader.caller else "a URL")
    await VAULT.open.wait()


@endpoint("GET /vault/url", "A URL of it", answers=OK, access="token or signature")
async def get_vault_url(call: Call[None]) -> Echo:
    return Echo(said=call.reader.url("/vault"))


@endpoint("GET /picture", "A picture", answers=OK, cost=Cost.PICTURE)
async def get_picture(call: Call[None]) -> None:
    return None


class Reel:
    """A film that is sent until it is let end."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.end = asyncio.Event()
        self.watches = 0
        """Tasks that look whether films may go on, when the last one began."""

    async def blocks(self) -> AsyncIterator[bytes]:
        names = [str(task.get_coro()) for task in asyncio.all_tasks()]
        self.watches = sum(WatchedAnswer.__name__ in name for name in names)
        self.begun.release()
        await self.end.wait()
        yield b"film"


REEL = Reel()


@endpoint("GET /reel", "Is sent", answers=OK, access="token, signature or link", cost=Cost.MEDIA)
async def get_reel(call: Call[None]) -> Response:
    async def shown() -> bool:
        return True

    return answer_watch.watched(StreamingResponse(REEL.blocks()), shown)


@endpoint("GET /reel/url", "A URL of it", answers=OK)
async def get_reel_url(call: Call[None]) -> Echo:
    return Echo(said=call.reader.url("/reel"))


ROUTES = [
    get_reel,
    get_reel_url,
    get_vault,
    get_vault_url,
    get_picture,
    get_page,
    post_label,
    delete_label,
    get_own,
    put_label,
    put_thing,
    get_film,
]


@pytest.fixture
def app() -> Running:
    settings = load(_env_file=None, livekit_api_key=KEY, livekit_api_secret=SECRET)
    nothing = cast(Any, None)
    ctx = Context(settings, nothing, nothing, "instance", nothing, nothing, nothing)
    others: dict[str, Any] = dict.fromkeys(each.name for each in fields(WebState))
    held = {"rates": Rates(0), "in_flight": InFlight(2), "generations": NothingEnded()}
    web = WebState(**others | {"ctx": ctx, "media": MediaUnderWay()} | held)
    return Running(Starlette(routes=ROUTES, exception_handlers=problems.HANDLERS), {"web": web})


def client_in(app: Running, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 123))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
def http(app: Running) -> httpx.AsyncClient:
    return client_in(app)


class NothingEnded:
    """Of somebody whose rights have never been ended."""

    async def of(self, identity: str) -> Generations:
        return Generations()

    async def of_holder(self, holder: str) -> Generations:
        return Generations()


def bearer(identity: str) -> dict[str, str]:
    token = AccessToken(KEY, SECRET).with_identity(identity).with_ttl(timedelta(minutes=1))
    return {"Authorization": f"Bearer {token.with_grants(VideoGrants(room='room')).to_jwt()}"}


async def test_a_get_reads_its_query(http: httpx.AsyncClient) -> None:
    assert (await http.get("/pages")).json()["said"] == "5"
    assert (await http.get("/pages?limit=7")).json()["said"] == "7"
    for query in ("limit=x", "limit=1&limit=2", "other=1"):
        assert (await http.get(f"/pages?{query}")).json()["type"] == "invalid"


async def test_any_other_method_reads_its_body(http: httpx.AsyncClient) -> None:
    made = await http.post("/labels", json={"text": "goal"})
    assert (made.status_code, made.json()["said"]) == (201, "goal")
    assert made.headers["Location"] == made.json()["Location"] == "/here"
    assert (await http.post("/labels?limit=2", json={"text": "goal"})).status_code == 201
    assert (await http.post("/labels", content=b"{")).json()["type"] == "malformed"
    assert (await http.post("/labels")).json()["errors"][0]["field"] == "text"


async def test_what_is_told_of_a_request_is_bounded(http: httpx.AsyncClient) -> None:
    """Thousands of unknown names are not looked at one by one, nor answered so."""
    body = {f"n{number}": number for number in range(6000)}
    answer = await http.post("/labels", json=body)
    assert answer.json()["type"] == "invalid"
    assert "6000" in answer.json()["detail"]
    assert len(answer.content) < 1000
    some = {f"n{number}": number for number in range(wire.MOST_MEMBERS)}
    answer = await http.post("/labels", json=some)
    assert len(answer.json()["errors"]) == wire.MOST_PROBLEMS


@pytest.mark.parametrize("depth", [wire.DEEPEST + 1, 330, 965, 5000, 30_000])
@pytest.mark.parametrize("text", ["goal", "\\u0041"])
async def test_a_body_that_is_nested_deep_is_refused(
    http: httpx.AsyncClient, text: str, depth: int
) -> None:
    """However deep: nothing that goes through it has an end of its own."""
    nested = "[" * (depth - 1) + "]" * (depth - 1)
    body = f'{{"text": "{text}", "x": {nested}}}'.encode()
    answer = await http.post("/labels", content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "malformed")
    assert f"{depth} deep" in answer.json()["detail"]


async def test_nothing_and_an_answer_of_its_own_are_sent_as_they_are(
    http: httpx.AsyncClient,
) -> None:
    gone = await http.delete("/labels")
    assert (gone.status_code, gone.content) == (204, b"")
    own = await http.get("/own")
    assert (own.status_code, own.text) == (202, "own")


async def test_who_may_not_call_is_not_told_what_is_wrong_with_the_rest(
    http: httpx.AsyncClient,
) -> None:
    """First who calls, then whether they may, then the path, the header, the body."""
    place, key = "/users/~!/labels", {wire.IDEMPOTENCY_KEY: "two words"}
    wrong: dict[str, Any] = {"content": b"{"}
    assert (await http.put(place, headers=key, **wrong)).status_code == 401
    assert (await http.put(place, headers=bearer("bob") | key, **wrong)).status_code == 403
    ann = bearer("ann")
    assert (await http.put(place, headers=ann | key, **wrong)).status_code == 404
    place = "/users/bob/labels"
    assert (await http.put(place, headers=ann | key, **wrong)).status_code == 422
    key = {wire.IDEMPOTENCY_KEY: "word"}
    assert (await http.put(place, headers=ann | key, **wrong)).status_code == 400
    right = await http.put(place, headers=ann | key, json={"text": "goal"})
    assert right.json()["said"] == "ann bob word"


async def test_names_of_members_are_those_of_the_path(http: httpx.AsyncClient) -> None:
    """Under the version the present ones, elsewhere those of before; the header is one."""
    ann = bearer("ann")
    now = await http.put("/v1/things/a", headers=ann, json={"sharer": "bob"})
    before = await http.put("/thing/a", headers=ann, json={"identity": "bob"})
    assert now.json() == {"sharer": "bob", "thing_url": "/v1/things/1"}
    assert before.json() == {"identity": "bob", "Location": "/v1/things/1"}
    assert now.headers["Location"] == before.headers["Location"] == "/v1/things/1"
    for path, body, missing in (
        ("/v1/things/a", {"identity": "bob"}, "sharer"),
        ("/thing/a", {"sharer": "bob"}, "identity"),
    ):
        wrong = (await http.put(path, headers=ann, json=body)).json()
        assert {each["field"] for each in wrong["errors"]} == {missing, *body}


async def test_an_answer_under_a_path_of_before_says_what_follows(http: httpx.AsyncClient) -> None:
    """Errors do, too; nothing that is written into a path gets out of the header."""
    ann, body = bearer("ann"), {"identity": "bob"}
    for name, link in (
        ("a", "../v1/things/a"),
        ("lost", "../v1/things/lost"),
        ("%3E%0D%0AX-Evil: 1", "../v1/things/%3E%0D%0AX-Evil%3A%201"),
        ("%F0%9F%8E%AC", "../v1/things/%F0%9F%8E%AC"),
    ):
        answer = await http.put(f"/thing/{name}", headers=ann, json=body)
        assert answer.headers["Deprecation"] == "@1795910400"
        assert answer.headers["Link"] == f'<{link}>; rel="successor-version"'
        assert "X-Evil" not in answer.headers
    now = await http.put("/v1/things/a", headers=ann, json={"sharer": "bob"})
    refused = await http.put("/thing/a", json=body)
    assert (refused.status_code, "Deprecation" in refused.headers) == (401, True)
    assert not {"deprecation", "link"} & now.headers.keys()


async def test_urls_that_are_handed_out_lead_to_the_version(http: httpx.AsyncClient) -> None:
    """Whoever asks where; a signature is good where it was made for."""
    for path in ("/films", "/v1/films"):
        said = (await http.get(f"{path}?limit=3", headers=bearer("ann"))).json()["said"]
        assert said.startswith("/v1/films?")
        assert (await http.get(said)).status_code == 200
        assert (await http.get(said.removeprefix("/v1"))).status_code == 401


@pytest.mark.parametrize(
    ("path", "target", "found"),
    [
        ("/v1/buffers/b/playlist.m3u8", "/v1/segments/s.m4s?a=b", "../../../v1/segments/s.m4s?a=b"),
        ("/buffers/b/playlist.m3u8", "/v1/segments/s.m4s", "../../v1/segments/s.m4s"),
        ("/clips", "/v1/clips", "v1/clips"),
    ],
)
def test_a_relative_path_leads_there_behind_any_prefix(path: str, target: str, found: str) -> None:
    assert versions.relative(path, target) == found
    for prefix in ("", "/deep/er"):
        assert urljoin(f"https://host{prefix}{path}", found) == f"https://host{prefix}{target}"


async def test_a_signature_is_as_good_as_a_token_for_its_url(http: httpx.AsyncClient) -> None:
    signed = (await http.get("/films?limit=3", headers=bearer("ann"))).json()["said"]
    assert (await http.get(signed)).json()["said"] == signed
    assert (await http.get(signed.replace("limit=3", "limit=4"))).status_code == 401
    assert (await http.get("/films")).status_code == 401


async def test_of_one_users_requests_so_many_are_worked_on_at_once(
    http: httpx.AsyncClient,
) -> None:
    """Their others wait, also one whose client has gone; requests for pictures do not."""
    asked = [asyncio.create_task(http.get("/vault", headers=bearer("ann"))) for _ in range(5)]
    await wait_for(lambda: VAULT.inside == ["ann"] * 2)
    assert (await http.get("/picture", headers=bearer("ann"))).status_code == 200
    asked[-1].cancel()
    asked.append(asyncio.create_task(http.get("/vault", headers=bearer("bob"))))
    await wait_for(lambda: VAULT.inside == ["ann", "ann", "bob"])
    VAULT.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    codes = [each.status_code for each in answers if isinstance(each, httpx.Response)]
    assert codes == [200] * 5
    assert VAULT.inside.count("ann") == 4


async def test_who_follows_somebodys_url_takes_no_place_of_theirs(
    app: Running, http: httpx.AsyncClient
) -> None:
    """And all who follow any have as many as one user, from however many addresses they come."""
    VAULT.inside.clear()
    VAULT.open.clear()
    url = (await http.get("/vault/url", headers=bearer("ann"))).json()["said"]
    followed = [
        asyncio.create_task(client_in(app, f"192.0.2.{number % 6}").get(url))
        for number in range(12)
    ]
    await wait_for(lambda: len(VAULT.inside) >= 2)
    asked = asyncio.create_task(http.get("/vault", headers=bearer("ann")))
    await wait_for(lambda: "ann" in VAULT.inside)
    assert VAULT.inside.count("a URL") == 2
    VAULT.open.set()
    assert [each.status_code for each in await asyncio.gather(asked, *followed)] == [200] * 13


async def test_of_those_who_follow_somebodys_urls_each_address_has_its_turn() -> None:
    begun, go_on = list[str](), asyncio.Event()
    in_flight = InFlight(2)

    async def work(address: str) -> None:
        async with in_flight.place(Cost.MEDIA, "signed ann", address):
            begun.append(address)
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(work("many"))
        group.create_task(work("one"))
        await wait_for(lambda: len(begun) == 2)
        go_on.set()
    assert begun.index("one") <= 3
    assert len(begun) == 31


async def test_a_body_that_does_not_come_takes_no_place(http: httpx.AsyncClient) -> None:
    """However many of their requests one user sends a part of, the next one is answered."""
    begun, goes_on = list[None](), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.append(None)
        yield b"{"
        await goes_on.wait()
        yield b'"text": "x"}'

    path, ann = "/users/ann/labels", bearer("ann")
    asked = [asyncio.create_task(http.put(path, content=slow(), headers=ann)) for _ in range(3)]
    await wait_for(lambda: len(begun) >= 2)  # as many as there are places
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await http.put(path, json={"text": "x"}, headers=ann)).status_code == 200
    goes_on.set()
    assert {each.status_code for each in await asyncio.gather(*asked)} == {200}


@pytest.mark.parametrize("shows_name", [True, False])
async def test_no_more_than_so_many_of_theirs_wait(shows_name: bool) -> None:
    """What comes on top is refused at once, and others are not."""
    in_flight, go_on = InFlight(2), asyncio.Event()
    place = in_flight.place if shows_name else in_flight.nameless_place
    at_once = 2 if shows_name else NAMELESS_AT_ONCE

    async def work() -> None:
        async with place(Cost.READ, "ann"):
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        begun = [group.create_task(work()) for _ in range(at_once + WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests, match="32 requests of yours wait already"):
            place(Cost.READ, "ann")
        place(Cost.READ, "bob")
        begun[-1].cancel()
        await asyncio.sleep(0)
        begun.append(group.create_task(work()))
        go_on.set()
    assert sum(each.cancelled() for each in begun) == 1


async def test_of_those_who_show_no_name_each_address_has_its_turn() -> None:
    """However many requests the one sends, the other's is begun after one of these."""
    begun, go_on = list[str](), asyncio.Event()
    in_flight = InFlight()

    async def work(address: str) -> None:
        async with in_flight.nameless_place(Cost.MEDIA, address):
            begun.append(address)
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(work("many"))
        group.create_task(work("one"))
        await wait_for(lambda: len(begun) == NAMELESS_AT_ONCE)
        go_on.set()
    assert begun.index("one") <= NAMELESS_AT_ONCE + 1
    assert len(begun) == 31


@pytest.mark.parametrize("kind", [Cost.POSTER, Cost.MEDIA])
async def test_pages_wait_for_no_pictures_and_for_no_files(kind: Cost) -> None:
    """Whoever has as many of these worked on as may be, by name or without."""
    in_flight, go_on = InFlight(2), asyncio.Event()

    async def work(named: bool, address: str) -> None:
        place = in_flight.place if named else in_flight.nameless_place
        async with place(kind, address):
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(work(False, f"address{number}"))
            group.create_task(work(True, "ann"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with in_flight.nameless_place(Cost.READ, "address0"):
                pass
            async with in_flight.place(Cost.READ, "ann"):
                pass
        go_on.set()


class Watching:
    """Whoever has films sent, one after another, none of which ends."""

    def __init__(self, app: Running, group: asyncio.TaskGroup) -> None:
        self._app, self._group = app, group
        self.answers: list[asyncio.Task[httpx.Response]] = []

    async def begin(self, count: int, url: str, address: str, **given: Any) -> None:
        http = client_in(self._app, address)
        for _ in range(count):
            self.answers.append(self._group.create_task(http.get(url, **given)))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await REEL.begun.acquire()

    async def refused(self, url: str, address: str, **given: Any) -> int:
        """How many there may be. Fails if it is not refused."""
        answer = await client_in(self._app, address).get(url, **given)
        assert (answer.status_code, answer.json()["type"]) == (429, "too-many-requests")
        assert int(answer.headers["Retry-After"]) > 0
        return int(answer.json()["limit"])


@pytest.mark.parametrize("by", ["a token", "a URL", "a link"])
async def test_so_much_media_and_no_more_is_sent_at_once(
    app: Running, http: httpx.AsyncClient, by: str
) -> None:
    """To one user, to one address, and of what is one thing for all who have it."""
    REEL.end.clear()
    REEL.begun = asyncio.Semaphore(0)
    signed = (await http.get("/reel/url", headers=bearer("ann"))).json()["said"]
    url = {"a token": "/reel", "a URL": signed, "a link": "/reel?link=secret"}[by]
    given: dict[str, Any] = {"headers": bearer("ann")} if by == "a token" else {}
    async with asyncio.TaskGroup() as group:
        watching = Watching(app, group)
        await watching.begin(OF_ONE, url, "192.0.2.1", **given)
        assert REEL.watches == OF_ONE, "each answer has one"
        assert await watching.refused(url, "192.0.2.1", **given) == OF_ONE
        if by == "a token":
            assert await watching.refused(url, "192.0.2.2", **given) == OF_ONE
        else:
            for number in range(2, OF_SHARED // OF_ONE + 1):
                await watching.begin(OF_ONE, url, f"192.0.2.{number}")
            assert await watching.refused(url, "192.0.2.99") == OF_SHARED
            await watching.begin(1, "/reel?link=other", "192.0.2.99")
            if by == "a link":
                await watching.begin(1, "/reel?link=other", "192.0.2.1")
            await watching.begin(1, "/reel", "192.0.2.1", headers=bearer("ann"))
        await watching.begin(1, "/reel", "192.0.2.1", headers=bearer("bob"))
        REEL.end.set()
    assert {each.result().status_code for each in watching.answers} == {200}
    assert (await client_in(app, "192.0.2.1").get(url, **given)).status_code == 200


async def test_what_one_link_opens_takes_half_of_the_places_at_most() -> None:
    """However many addresses ask for it; of another link the next is begun at once."""
    begun, go_on = list[str](), asyncio.Event()
    in_flight = InFlight()

    async def work(link: str, address: str) -> None:
        async with in_flight.nameless_place(Cost.POSTER, address, link):
            begun.append(link)
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(work("slow", f"address{number}"))
        group.create_task(work("other", "one"))
        await wait_for(lambda: "other" in begun)
        assert begun == ["slow"] * LINK_AT_ONCE + ["other"]
        go_on.set()
    assert len(begun) == 21


def test_what_is_described_is_what_the_signatures_say() -> None:
    document = describe(ROUTES)
    post = document["paths"]["/labels"]["post"]
    schema = {"$ref": "#/components/schemas/Label"}
    assert post["requestBody"]["content"] == {"application/json": {"schema": schema}}
    assert post["responses"]["201"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Echo"}}
    }
    assert [each["name"] for each in document["paths"]["/pages"]["get"]["parameters"]] == ["limit"]
    assert "content" not in document["paths"]["/labels"]["delete"]["responses"]["204"]
    assert all(isinstance(route, OperationRoute) for route in ROUTES)
    assert "403" in document["paths"]["/v1/users/{identity}/labels"]["put"]["responses"]
