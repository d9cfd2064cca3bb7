"""How loud a segment's sound is, measured as anybody's tool measures it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from app.media.aac import EGRESS_AUDIO, AudioFormat, parse_adts
from app.media.fragment import prepare
from app.media.loudness import MOST_FRAMES, levels, levels_of
from app.media.prepared_fragment import LOUDEST, MOST_LEVELS
from deploy.local.stack import ROOT
from tests.media_factory import Shape
from tests.unit.media.fragments import Fragments

REAL = ROOT / "tests" / "data" / "real_egress"
SILENT = EGRESS_AUDIO.silent_frame


def of_real(name: str, seconds: float = 2.0) -> list[int]:
    return list(levels_of(prepare(str(REAL / name), seconds)))


def test_a_tone_is_as_loud_as_it_is(fragments: Callable[[Shape], Fragments]) -> None:
    """Its root mean square, of an amplitude of 0.3, is -13.5 dBFS: for each quarter of a second."""
    for one in fragments(Shape()).prepared[:-1]:
        found = levels_of(one)
        assert 8 <= len(found) <= 9
        assert set(found[1:]) <= {86, 87}, list(found)


def test_what_a_real_egress_wrote_is_heard_where_there_is_sound() -> None:
    """A tone with a beep each second, and then silence, which it writes in frames as large."""
    loud = of_real("share_2s/out/seg_20261122204822199.ts")
    assert set(loud) <= set(range(63, 90))
    assert max(loud) > 80
    assert not any(of_real("share_muted_for_6s/out/seg_20261122210356839.ts", 0.133))


def test_without_a_sound_track_there_is_no_level() -> None:
    assert of_real("share_without_audio/out/seg_20261122205304821.ts", 1.333) == []
    assert levels([], EGRESS_AUDIO) == b""


@pytest.mark.parametrize("audio_format", [EGRESS_AUDIO, AudioFormat(48_000, 1)])
def test_silence_is_nothing(audio_format: AudioFormat) -> None:
    assert not any(levels([audio_format.silent_frame] * 43, audio_format))


def test_a_frame_that_can_not_be_decoded_is_silent(
    fragments: Callable[[Shape], Fragments],
) -> None:
    """And costs no other frame its level."""
    one = fragments(Shape()).prepared[1]
    frames = list(one.sound)
    frames[20:30] = [b"\xff" * 40, b"", b"\x00", *[bytes(range(200))] * 7]
    found = levels(frames, one.init.audio_format)
    assert set(found[1:2] + found[3:]) <= {86, 87}, list(found)
    assert max(found) <= LOUDEST


@pytest.mark.parametrize("frames", [1, 2, 43, 4_000])
def test_there_are_some_tens_of_levels_at_most(frames: int) -> None:
    assert 1 <= len(levels([SILENT] * frames, EGRESS_AUDIO)) <= min(frames, MOST_LEVELS)


def test_what_is_too_long_is_not_decoded() -> None:
    assert levels([SILENT] * (MOST_FRAMES + 1), EGRESS_AUDIO) == b""


def test_what_takes_a_decoder_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError, match="of 43 frames took more than"):
        levels([SILENT] * 43, EGRESS_AUDIO, most_seconds=-1)


@pytest.mark.heavy
def test_levels_are_what_ffmpeg_measures() -> None:
    """Within a decibel, of a quiet, a loud and a silent stretch; of two channels the louder one."""
    left = "0.01*sin(2*PI*440*t)*lt(t,3)+0.5*sin(2*PI*440*t)*between(t,3,6)"
    right = "0.005*(random(0)-0.5)*lt(t,3)+0.8*(random(1)-0.5)*between(t,3,6)"
    made = ["-f", "lavfi", "-i", f"aevalsrc='{left}|{right}':s=44100:d=9"]
    adts = ffmpeg(*made, "-c:a", "aac", "-b:a", "128k", "-f", "adts", "-").stdout
    found = levels(frames_of(adts), EGRESS_AUDIO)
    assert len(found) == 36
    for start, end in ((0.5, 2.5), (3.5, 5.5), (6.5, 8.5)):
        measure = f"atrim={start}:{end},astats=measure_perchannel=RMS_level:measure_overall=none"
        said = ffmpeg("-f", "aac", "-i", "-", "-af", measure, "-f", "null", "-", given=adts).stderr
        louder = max(map(float, re.findall(r"RMS level dB: (\S+)", said.decode())))
        expected = max(0.0, louder + LOUDEST)
        for level in found[int(start * 4) : int(end * 4)]:
            assert level == pytest.approx(expected, abs=1), (start, list(found))


def ffmpeg(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["ffmpeg", "-hide_banner", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True)


def frames_of(adts: bytes) -> list[bytes]:
    frames: list[bytes] = []
    while adts:
        length = (adts[3] & 3) << 11 | adts[4] << 3 | adts[5] >> 5
        frames.append(parse_adts(adts[:length])[1])
        adts = adts[length:]
    return frames
