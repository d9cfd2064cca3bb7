"""A screen share with a clock in its picture: `python -m deploy.local.publisher --help`.

Publishes SCREEN_SHARE, and SCREEN_SHARE_AUDIO unless --no-audio: a tone with a beep at the start
of each second. Commands are JSON lines on stdin: {"do": "mute"}, unmute, publish_audio,
unpublish_audio, publish_video, unpublish_video, leave, {"do": "resize", "width": W, "height": H}.
What happened is told in JSON lines on stdout: {"t": Unix seconds, "event": …, "sid": …}.
When stdin is a pipe and its other end goes, the share leaves. SHARE_TOKEN is the access token to
join with: on the command line everybody on the machine could read it.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import signal
import stat
import sys
import time
from typing import Any

import numpy as np
from livekit import rtc
from PIL import Image, ImageDraw, ImageFont

from deploy.local import picture_clock

SAMPLE_RATE = 48_000
AUDIO_STEP_SECONDS = 0.05
"""Each step costs a call into the SDK and back: 20 a second take half of what 50 would."""


def tell(event: str, **more: Any) -> None:
    """One line on stdout."""
    print(json.dumps({"t": round(time.time(), 3), "event": event, **more}), flush=True)


class Picture:
    """A moving test picture in I420."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height = width, height
        self._title = title
        chroma_width, chroma_height = (width + 1) // 2, (height + 1) // 2
        self._pixels = np.full(width * height + 2 * chroma_width * chroma_height, 128, np.uint8)
        self._luma = self._pixels[: width * height].reshape(height, width)
        self._luma[:] = 40 + np.arange(width) * 120 // width
        self._background = self._luma.copy()
        self._pixels[width * height :] = 96 + np.arange(2 * chroma_width * chroma_height) % 64
        self._font = ImageFont.load_default(max(10, height // 10))

    def at(self, t: float) -> rtc.VideoFrame:
        """The picture of this moment (Unix seconds)."""
        self._luma[:] = self._background
        bar = int(t * self.width / 4) % self.width
        self._luma[self.height // 2 :, bar : bar + self.width // 16] = 220
        moment = datetime.datetime.fromtimestamp(t, datetime.UTC)
        text = Image.new("L", (self.width, self.height // 3), 60)
        draw = ImageDraw.Draw(text)
        line = f"{self._title}\n{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
        draw.multiline_text((8, 0), line, fill=230, font=self._font)
        top = self.height // picture_clock.BAND + 2
        rows = min(text.height, self.height - top)
        self._luma[top : top + rows] = np.asarray(text)[:rows]
        picture_clock.burn(self._luma, t)
        data = self._pixels.tobytes()
        return rtc.VideoFrame(self.width, self.height, rtc.VideoBufferType.I420, data)


def sound(start: float) -> rtc.AudioFrame:
    """A step of stereo from `start` (Unix seconds): a tone, and beeps of 0.1 s at full seconds."""
    count = round(AUDIO_STEP_SECONDS * SAMPLE_RATE)
    # Modulo a day, for the sake of the sine's precision.
    t = start % 86_400 + np.arange(count) / SAMPLE_RATE
    tone, beep = np.sin(2 * np.pi * 330 * t), np.sin(2 * np.pi * 1000 * t) * (t % 1 < 0.1)
    samples = np.repeat((1_000 * tone + 12_000 * beep).astype(np.int16), 2)
    return rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 2, count)


class Share:
    """One participant with a screen share."""

    def __init__(self, width: int, height: int, fps: int, identity: str) -> None:
        self.left = asyncio.Event()
        self._fps = fps
        self._identity = identity
        self._picture = Picture(width, height, identity)
        self._room = rtc.Room()
        self._room.on("disconnected", lambda reason: self._disconnected(reason))
        self._room.on("reconnected", self._reconnected)
        self._publications: dict[str, rtc.LocalTrackPublication] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._muted = False

    def _disconnected(self, reason: Any) -> None:
        tell("disconnected", reason=int(reason))
        self.left.set()

    def _reconnected(self) -> None:
        tell("reconnected", sids={k: p.sid for k, p in self._publications.items()})

    async def join(self, url: str, token: str) -> None:
        await self._room.connect(url, token)
        tell("joined", sid=self._room.local_participant.sid)

    async def leave(self) -> None:
        for pump in self._pumps.values():
            pump.cancel()
        await self._room.disconnect()
        tell("left")
        self.left.set()

    async def do(self, command: dict[str, Any]) -> None:
        """Carry out one command.

        :raises ValueError: an unknown one.
        """
        match command:
            case {"do": "publish_video"}:
                await self._publish_video()
            case {"do": "publish_audio"}:
                await self._publish_audio()
            case {"do": "unpublish_video" | "unpublish_audio" as do}:
                await self._unpublish(do.removeprefix("unpublish_"))
            case {"do": "mute" | "unmute" as do}:
                self._mute(do == "mute")
            case {"do": "resize", "width": int(width), "height": int(height)}:
                self._picture = Picture(width, height, self._identity)
                tell("resized", width=width, height=height)
            case {"do": "leave"}:
                await self.leave()
            case _:
                raise ValueError(f"unknown command {command}")

    async def _publish_video(self) -> None:
        picture = self._picture
        source = rtc.VideoSource(picture.width, picture.height, is_screencast=True)
        track = rtc.LocalVideoTrack.create_video_track("screen", source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_SCREENSHARE,
            simulcast=False,
            video_codec=rtc.VideoCodec.VP8,
            video_encoding=rtc.VideoEncoding(max_framerate=self._fps, max_bitrate=2_500_000),
        )
        self._pumps["video"] = asyncio.create_task(self._pump_video(source))
        publication = await self._room.local_participant.publish_track(track, options)
        self._publications["video"] = publication
        tell("video_published", sid=publication.sid)

    async def _publish_audio(self) -> None:
        source = rtc.AudioSource(SAMPLE_RATE, 2, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("screen_audio", source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO, dtx=False
        )
        self._pumps["audio"] = asyncio.create_task(self._pump_audio(source))
        publication = await self._room.local_participant.publish_track(track, options)
        self._publications["audio"] = publication
        tell("audio_published", sid=publication.sid)

    async def _unpublish(self, kind: str) -> None:
        publication = self._publications.pop(kind)
        self._pumps.pop(kind).cancel()
        await self._room.local_participant.unpublish_track(publication.sid)
        tell(f"{kind}_unpublished", sid=publication.sid)

    def _mute(self, muted: bool) -> None:
        track: Any = self._publications["video"].track
        if muted:
            track.mute()
        else:
            track.unmute()
        self._muted = muted
        tell("muted" if muted else "unmuted")

    async def _pump_video(self, source: rtc.VideoSource) -> None:
        slot = int(time.time() * self._fps)
        while True:
            # A machine that is too slow drops pictures, it does not fall behind.
            slot = max(slot + 1, int(time.time() * self._fps))
            await asyncio.sleep(max(0.0, slot / self._fps - time.time()))
            if not self._muted:
                now = time.time()
                source.capture_frame(self._picture.at(now), timestamp_us=int(now * 1e6))

    async def _pump_audio(self, source: rtc.AudioSource) -> None:
        start = time.time()
        while True:
            await asyncio.sleep(max(0.0, start - time.time()))
            await source.capture_frame(sound(start))
            start += AUDIO_STEP_SECONDS


async def _obey(share: Share) -> None:
    """Carry out the commands on stdin, if it is a pipe; its end is a command to leave."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        await share.left.wait()
        return
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await share.do(json.loads(line))


async def _main(arguments: argparse.Namespace) -> None:
    width, height = (int(side) for side in arguments.size.split("x"))
    share = Share(width, height, arguments.fps, arguments.identity)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, share.left.set)
    await share.join(arguments.url, os.environ["SHARE_TOKEN"])
    await share.do({"do": "publish_video"})
    if not arguments.no_audio:
        await share.do({"do": "publish_audio"})
    obeying = asyncio.create_task(_obey(share))
    leaving = asyncio.create_task(share.left.wait())
    await asyncio.wait({obeying, leaving}, timeout=arguments.seconds, return_when="FIRST_COMPLETED")
    await share.leave()
    if obeying.done():
        obeying.result()  # a wrong command ends the share, loudly


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.publisher", description=__doc__)
    parser.add_argument("--url", required=True, help="ws://…")
    parser.add_argument("--room", required=True)
    parser.add_argument("--identity", required=True)
    parser.add_argument("--no-audio", action="store_true")
    parser.add_argument("--size", default="1280x720", metavar="WxH")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--seconds", type=float, help="leave after so long")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_main(_arguments()))
