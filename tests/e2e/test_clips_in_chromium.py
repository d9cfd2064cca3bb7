"""Clips in a real browser: the right picture at the start, after seeks and at the end, with sound.

The browser gets its bytes as it gets `replay.mp4`: by ranges, from fragments, without a file.
"""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from app.media.movie import Movie, plan
from app.media.movie_bytes import read
from tests.e2e import browser
from tests.media_factory import MediaFactory, Shape
from tests.packet_checker import TICKS
from tests.unit.media.fragments import Fragments, clip_of, prepare_all

pytestmark = pytest.mark.heavy

ONE = Shape(numbered=True, size=(320, 180), frames=90)
HOLE = Shape(numbered=True, size=(320, 180), hole=(2.4, 3.6), frames=90)
OTHER = Shape(numbered=True, size=(320, 180), fps=30, frames=93, b_frames=0, variant=2)
SILENT = Shape(numbered=True, size=(320, 180), frames=61, audio=False, variant=1)

Serve = Callable[[Movie], str]


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Shape], Fragments]:
    folder = tmp_path_factory.mktemp("chromium")
    factory = MediaFactory(folder)
    made: dict[Shape, Fragments] = {}

    def of(shape: Shape) -> Fragments:
        if shape not in made:
            made[shape] = prepare_all(factory.record(shape), folder / f"fragments-{len(made)}")
        return made[shape]

    return of


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Movies under URLs on loopback, with byte ranges."""
    movies: dict[str, Movie] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            movie = movies.get(self.path)
            if movie is None:
                self.send_response(200 if self.path == "/" else 404)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            end = int(asked[2]) + 1 if asked and asked[2] else movie.size_bytes
            self.send_response(206 if asked else 200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(end - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{movie.size_bytes}")
            self.end_headers()
            try:
                for block in read(movie, start, end):
                    self.wfile.write(block)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the browser has what it wanted

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"

    def add(movie: Movie) -> str:
        path = f"/{len(movies)}.mp4"
        movies[path] = movie
        return base + path

    yield add
    server.shutdown()
    thread.join()
    server.server_close()


@pytest_asyncio.fixture(scope="module")
async def browser_page() -> AsyncIterator[Page]:
    async with browser.page() as page:
        yield page


@pytest.mark.edge("a seek that leaves sound without picture")
@pytest.mark.parametrize("cut", ["precise", "segment"])
@pytest.mark.parametrize("start", [0, 77_000, 181_000])
async def test_shows_the_right_picture_at_any_time(
    start: int,
    cut: str,
    fragments: Callable[[Shape], Fragments],
    serve: Serve,
    browser_page: Page,
) -> None:
    """From the first instant on, after seeks in any order."""
    one = fragments(ONE)
    movie = plan([one.run(start, 500_000)], cut)  # type: ignore[arg-type]
    duration, width, height = await browser.load(browser_page, serve(movie))
    assert duration == pytest.approx(movie.duration_seconds, abs=0.03)
    assert (width, height) == (320, 180)
    first = round(movie.spans[0].start_ticks / TICKS * 15)
    for offset in (0, 40, 3, 25, 1):
        assert await browser.number_at(browser_page, (offset + 0.5) / 15) == first + offset


async def test_plays_to_the_end_with_sound(
    fragments: Callable[[Shape], Fragments], serve: Serve, browser_page: Page
) -> None:
    """Every shown picture and the sound are decoded, without an error."""
    one = fragments(ONE)
    movie = plan([one.run(77_000, 500_000)])
    await browser.load(browser_page, serve(movie))
    played = await browser.play(browser_page)
    assert played["at"] == pytest.approx(movie.duration_seconds, abs=0.03)
    assert played["sound"] > 0
    assert played["pictures"] >= 0.9 * movie.duration_seconds * 15


async def test_holds_the_picture_over_a_hole(
    fragments: Callable[[Shape], Fragments], serve: Serve, browser_page: Page
) -> None:
    """The last picture before it, then the first after it at its own time."""
    one = fragments(HOLE)
    movie = plan([one.run()])
    await browser.load(browser_page, serve(movie))
    assert await browser.number_at(browser_page, 3.0) == 35
    assert await browser.number_at(browser_page, 3.5 / 15) == 3
    assert await browser.number_at(browser_page, 3.6 + 0.5 / 15) == 54


@pytest.mark.parametrize("gaps", ["skip", "keep"])
@pytest.mark.parametrize("first", [ONE, SILENT], ids=["with sound", "without sound"])
async def test_goes_over_the_joint_of_two_sessions(
    first: Shape,
    gaps: str,
    fragments: Callable[[Shape], Fragments],
    serve: Serve,
    browser_page: Page,
) -> None:
    """Sessions with other parameter sets under one sample entry: right on both sides."""
    one, two = fragments(first), fragments(OTHER)
    runs = [one.run(), two.run(session="two", after_seconds=8)]
    movie = plan(runs, gaps=gaps)  # type: ignore[arg-type]
    await browser.load(browser_page, serve(movie))
    joint = movie.spans[1].movie_seconds
    base = 100 * first.variant
    assert await browser.number_at(browser_page, joint + 40.5 / 30) == 200 + 40
    assert await browser.number_at(browser_page, 0.5 / 15) == base
    assert await browser.number_at(browser_page, joint + 0.5 / 30) == 200
    assert await browser.number_at(browser_page, joint - 0.02) == base + first.frames - 1
    await browser_page.evaluate("() => { window.video.currentTime = 0 }")
    played = await browser.play(browser_page)
    assert played["sound"] > 0


async def test_a_written_clip_plays_from_disk(
    fragments: Callable[[Shape], Fragments],
    browser_page: Page,
    tmp_path: Path,
) -> None:
    """The file by itself, opened without a server."""
    movie, path = clip_of([fragments(ONE).run(77_000, 300_000)], tmp_path)
    page_path = tmp_path / "page.html"
    page_path.write_text("<body></body>")
    await browser_page.goto(page_path.as_uri())
    duration, *_ = await browser_page.evaluate(browser.LOAD, path.as_uri())
    assert duration == pytest.approx(movie.duration_seconds, abs=0.03)
