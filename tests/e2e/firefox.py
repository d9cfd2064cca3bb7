"""Firefox, told what to do by WebDriver BiDi over a WebSocket of its own: no driver in between.

`deploy/setup --browsers` installs it. What a page gives goes through JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from app.processes.bound_process import signal_group, spawn
from tests.e2e.browser import PageFailed
from tests.waiting import PATIENCE_SECONDS, wait_for

PROGRAM = "/usr/bin/firefox-esr"
PREFERENCES: dict[str, str | int | bool] = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    # Nothing leaves this machine: all other hosts are asked through a port where nobody listens.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
}
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Tab:
    """A page of Firefox; it takes what Playwright's Page does, as far as tests ask for it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._context = ""
        self.logged: list[str] = []
        """Errors and warnings of the page's console."""

    async def open(self) -> None:
        """Begins a session, in the page that there is."""
        await self._ask("session.new", capabilities={})
        await self._ask("session.subscribe", events=["log.entryAdded"])
        tree = await self._ask("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        """Returns when the page is loaded."""
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """What a function gives in the page, or what its promise does. Raises PageFailed."""
        told = await self._ask(
            "script.callFunction",
            functionDeclaration="async (given) => JSON.stringify("
            f"await ({expression})(JSON.parse(given)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arg)}],
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if told["type"] != "success":
            raise PageFailed(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    async def add_script_tag(self, *, path: Path) -> None:
        """Runs a script in the page, past whatever its policy says of such."""
        await self.evaluate(f"() => {{ (0, eval)({json.dumps(path.read_text())}); }}")

    async def listen(self) -> None:
        """Takes what Firefox says, until it says no more."""
        async for message in self._socket:
            told = json.loads(message.data)
            if told.get("method") == "log.entryAdded":
                if told["params"]["level"] in ("error", "warn"):
                    self.logged.append(told["params"]["text"])
            elif (answer := self._answers.pop(told.get("id"), None)) is not None:
                answer.set_result(told)

    async def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        told = await asyncio.wait_for(answer, 2 * PATIENCE_SECONDS)
        if told["type"] != "success":
            raise PageFailed(f"{method}: {told['message']}")
        found: dict[str, Any] = told["result"]
        return found


@asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """A page of a Firefox that keeps all it has in an empty folder, and ends with the block."""
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in PREFERENCES.items()
    ]
    (folder / "user.js").write_text("".join(lines))
    log = folder / "log"
    with log.open("wb") as output:
        firefox = await spawn(
            [PROGRAM, "--headless", "--no-remote", "--profile", str(folder),
             "--remote-debugging-port", "0", "about:blank"],
            cwd=folder, env={"HOME": str(folder)}, bare=True, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        told = await wait_for(lambda: _LISTENS.search(log.read_text()), what=f"{log} says where")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{told[1]}/session", max_msg_size=0) as socket,
        ):
            made = Tab(socket)
            listening = asyncio.create_task(made.listen())
            await made.open()
            yield made
            listening.cancel()
    finally:
        signal_group(firefox, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(firefox.wait(), PATIENCE_SECONDS)
        signal_group(firefox, signal.SIGKILL)
