"""Chromium, and what is asked of a browser's video element. `hls_js` comes from npm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from playwright.async_api import Page, async_playwright

from tests import npm
from tests.waiting import PATIENCE_SECONDS

CHROMIUM = "/usr/bin/chromium"

# The number in the picture that a numbered film shows.
NUMBER = """
(video) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < 10; bit++) {
    const x = Math.floor((bit + 0.5) * canvas.width / 10);
    number |= (context.getImageData(x, canvas.height / 4, 1, 1).data[0] > 127) << bit;
  }
  return number;
}
"""
# Resolves with the number in the picture that stands at `at` seconds.
SEEK = f"""
(at) => new Promise((resolve, reject) => {{
  const video = window.video;
  const look = () => resolve(({NUMBER})(video));
  video.onerror = () => reject(new Error(video.error.message));
  // Others than Chromium call back for the picture of before, too.
  if (navigator.userAgent.includes('Chrome')) video.requestVideoFrameCallback(look);
  else video.onseeked = look;
  video.currentTime = at;
}})
"""
LOAD = """
(url) => new Promise((resolve, reject) => {
  const video = document.createElement('video');
  document.body.append(video);
  window.video = video;
  video.onerror = () => reject(new Error(video.error.message));
  video.oncanplaythrough = () => resolve([video.duration, video.videoWidth, video.videoHeight]);
  video.preload = 'auto';
  video.src = url;
})
"""
# `sound`: how many bytes of it were decoded, or, in others, whether there is any. `numbers`: those
# of the pictures that were seen to be shown.
PLAY = f"""
() => new Promise((resolve, reject) => {{
  const video = window.video;
  const numbers = [];
  const look = () => {{
    numbers.push(({NUMBER})(video));
    video.requestVideoFrameCallback(look);
  }};
  video.onerror = () => reject(new Error(video.error.message));
  video.onended = () => resolve({{
    at: video.currentTime,
    sound: video.webkitAudioDecodedByteCount
      ?? Number(video.mozHasAudio ?? video.audioTracks.length),
    pictures: video.getVideoPlaybackQuality().totalVideoFrames,
    numbers,
  }});
  video.requestVideoFrameCallback(look);
  video.playbackRate = 4;
  video.play().catch(reject);
}})
"""
# Plays an HLS URL to its end at its own speed, by hls.js. `began`: the time that was first seen to
# be shown. `stall`: for how many seconds at most it stood still afterwards, as far as the page was
# given the processor to see it. `jumps`: how often it leapt ahead.
PLAY_HLS = """
(url) => new Promise((resolve) => {
  const video = document.createElement('video');
  document.body.append(video);
  window.video = video;
  const found = {errors: [], stall: 0, jumps: 0, began: null};
  const hls = new Hls();
  const end = () => {
    clearInterval(timer);
    resolve({
      ...found,
      at: video.currentTime,
      duration: video.duration,
      sound: video.webkitAudioDecodedByteCount
      ?? Number(video.mozHasAudio ?? video.audioTracks.length),
      pictures: video.getVideoPlaybackQuality().totalVideoFrames,
    });
  };
  hls.on(Hls.Events.ERROR, (_, error) => {
    found.errors.push(`${error.details}${error.fatal ? ', fatal' : ''}: ${error.error}`);
    if (error.fatal) end();
  });
  let [last, at, still] = [performance.now(), 0, 0];
  const timer = setInterval(() => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    if (video.currentTime > at) {
      if (found.began === null) found.began = video.currentTime;
      else if (video.currentTime - at > passed / 1000 + 0.5) found.jumps += 1;
      [at, still] = [video.currentTime, 0];
    } else if (found.began !== null && passed < 200) {
      still += passed / 1000;
      found.stall = Math.max(found.stall, still);
    }
  }, 50);
  video.onended = end;
  video.autoplay = true;
  hls.loadSource(url);
  hls.attachMedia(video);
})
"""


class PageFailed(Exception):
    """A function that ran in a page has thrown, or the browser refused a command."""


class AnyPage(Protocol):
    """A page of any browser: one of Playwright's, of `tests.e2e.firefox`, of `tests.e2e.webkit`."""

    async def goto(self, url: str) -> object: ...

    async def evaluate(self, expression: str, arg: Any = None) -> Any: ...

    async def add_script_tag(self, *, path: Path) -> object: ...


@asynccontextmanager
async def page(*arguments: str) -> AsyncIterator[Page]:
    """A page of a real browser that may play without being clicked at.

    `arguments`: further ones of the browser.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required", *arguments],
        )
        # Pages of the API forbid everything; players live in pages of others.
        made = await browser.new_page(bypass_csp=True)
        made.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield made
        await browser.close()


async def load(page: AnyPage, url: str) -> list[float]:
    """Loads a film into a page of the same origin; its duration, width and height."""
    await page.goto(f"{'/'.join(url.split('/')[:3])}/")
    found: list[float] = await page.evaluate(LOAD, url)
    return found


async def number_at(page: AnyPage, seconds: float) -> int:
    """The number in the picture of the loaded film at a time."""
    found: int = await page.evaluate(SEEK, seconds)
    return found


async def number_shown(page: AnyPage) -> int:
    """The number in the picture that the loaded film shows."""
    found: int = await page.evaluate(f"() => ({NUMBER})(window.video)")
    return found


async def play(page: AnyPage) -> dict[str, Any]:
    """Plays the loaded film to its end, four times as fast."""
    found: dict[str, Any] = await page.evaluate(PLAY)
    return found


async def play_hls(page: AnyPage, url: str) -> dict[str, Any]:
    """Plays a playlist by hls.js, in a page of the same origin, to its end."""
    await page.goto(f"{'/'.join(url.split('/')[:3])}/")
    await page.add_script_tag(path=hls_js())
    found: dict[str, Any] = await page.evaluate(PLAY_HLS, url)
    return found


def hls_js() -> Path:
    """hls.js as the lock in tests/node pins it."""
    npm.NODE.install()
    return npm.NODE.folder / "node_modules" / "hls.js" / "dist" / "hls.min.js"
