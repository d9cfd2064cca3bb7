"""WebKitGTK, told what to do by its own WebDriver, on a display that nobody sees.

`deploy/setup --browsers` installs it. What a page gives goes through JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from app.processes.bound_process import signal_group, spawn
from app.processes.free_ports import choose_ports
from tests.e2e.browser import PageFailed
from tests.waiting import PATIENCE_SECONDS, wait_for

DRIVER = "/usr/bin/WebKitWebDriver"
PROGRAM = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
DISPLAY = "/usr/bin/Xvfb"
_IN_PAGE = """
const [given, done] = arguments;
(async () => JSON.stringify(await (%s)(JSON.parse(given)) ?? null))()
  .then((found) => done({found}), (error) => done({error: `${error}`}));
"""
_CAPABILITIES = {
    "timeouts": {"script": int(2000 * PATIENCE_SECONDS)},
    "webkitgtk:browserOptions": {
        "binary": PROGRAM,
        "args": ["--automation", "--autoplay-policy=allow"],
    },
}


class Tab:
    """A page of WebKit; it takes what Playwright's Page does, as far as tests ask for it."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._session = ""

    async def open(self) -> None:
        """Begins a session, in a page of its own."""
        made = await self._ask("/session", capabilities={"alwaysMatch": _CAPABILITIES})
        self._session = f"/session/{made['sessionId']}"

    async def close(self) -> None:
        async with self._http.delete(self._session) as answer:
            await answer.read()

    async def goto(self, url: str) -> None:
        """Returns when the page is loaded."""
        await self._ask(f"{self._session}/url", url=url)

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """What a function gives in the page, or what its promise does. Raises PageFailed."""
        told = await self._ask(
            f"{self._session}/execute/async", script=_IN_PAGE % expression, args=[json.dumps(arg)]
        )
        if "error" in told:
            raise PageFailed(told["error"])
        return json.loads(told["found"])

    async def add_script_tag(self, *, path: Path) -> None:
        """Runs a script in the page, past whatever its policy says of such."""
        await self.evaluate(f"() => {{ (0, eval)({json.dumps(path.read_text())}); }}")

    async def _ask(self, path: str, **given: Any) -> Any:
        async with self._http.post(path, json=given) as answer:
            told = (await answer.json())["value"]
            if answer.status >= 400:
                raise PageFailed(f"{path}: {told['error']}: {told['message']}")
            return told


@asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """A page of a WebKit that keeps all it has in an empty folder, and ends with the block."""
    port = choose_ports(["driver"], folder / "ports.json")["driver"]
    number = folder / "display"
    screen = [DISPLAY, "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    async with AsyncExitStack() as ending:
        await ending.enter_async_context(_running(screen, folder, number, {}))
        display = await wait_for(lambda: number.read_text().strip(), what="Xvfb says its display")
        environment = {
            "DISPLAY": f":{display}",
            "GDK_BACKEND": "x11",
            "NO_AT_BRIDGE": "1",
            "XDG_RUNTIME_DIR": str(folder),
            # Nothing leaves this machine: other hosts are asked through a port of nobody.
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
            "no_proxy": "127.0.0.1",
        }
        driver = [DRIVER, f"--port={port}"]
        await ending.enter_async_context(_running(driver, folder, folder / "log", environment))
        http = await ending.enter_async_context(
            aiohttp.ClientSession(
                f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(4 * PATIENCE_SECONDS)
            )
        )
        await wait_for(lambda: _listens(http), what="WebKitWebDriver answers")
        made = Tab(http)
        await made.open()
        yield made
        with suppress(aiohttp.ClientError):
            await made.close()


async def _listens(http: aiohttp.ClientSession) -> bool:
    with suppress(aiohttp.ClientConnectionError):
        async with http.get("/status") as answer:
            return answer.status == 200
    return False


@asynccontextmanager
async def _running(
    argv: Sequence[str], folder: Path, log: Path, environment: dict[str, str]
) -> AsyncIterator[None]:
    """A program, and whatever it starts, for as long as the block lasts."""
    with log.open("wb") as output:
        process = await spawn(
            list(argv), cwd=folder, env={"HOME": str(folder), **environment}, bare=True,
            stdout=output, stderr=folder.joinpath("errors").open("ab"),
        )  # fmt: skip
    try:
        yield
    finally:
        signal_group(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        signal_group(process, signal.SIGKILL)
