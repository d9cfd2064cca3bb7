"""What egress is asked to encode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.egress import EncodingOptions
from livekit.protocol.models import AudioCodec, VideoCodec

from app.recording.encoding import asked, is_upright, named, pixels_a_second, source_size, turned


@pytest.mark.edge("odd and tiny sizes")
@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_a_share_of_any_size_has_a_valid_encoding(width: int, height: int) -> None:
    """Window shares have odd and tiny sizes; egress takes even ones of at least 16."""
    options = asked(named("source", width, height))
    assert isinstance(options, EncodingOptions)
    for side, most in ((options.width, 1920), (options.height, 1080)):
        assert side % 2 == 0
        assert 16 <= side <= most
    assert 0 < options.video_bitrate <= 6000


@pytest.mark.parametrize(
    ("published", "recorded"),
    [
        ((0, 0), (1280, 720)),
        ((1281, 721), (1280, 720)),
        ((3840, 2160), (1920, 1080)),
        ((3840, 1080), (1920, 540)),
        ((7, 5), (16, 16)),
        ((1920, 1200), (1728, 1080)),
    ],
)
def test_the_size_is_the_shares_own(published: tuple[int, int], recorded: tuple[int, int]) -> None:
    """Made even, kept in shape, within 1920 x 1080; 1280 x 720 where nobody knows it."""
    assert source_size(*published) == recorded


def test_a_preset_goes_by_its_name() -> None:
    assert asked(named("H264_1080P_60", 1280, 720)) == "H264_1080P_60"


def test_a_size_of_ones_own_is_h264_main_with_aac() -> None:
    """`WxH@FPS:KBPS`, bit rates in kbit/s as LiveKit takes them."""
    options = asked(named("640x360@15:600", 1280, 720))
    assert isinstance(options, EncodingOptions)
    assert (options.width, options.height, options.framerate) == (640, 360, 15)
    assert (options.video_bitrate, options.audio_bitrate) == (600, 128)
    assert options.video_codec == VideoCodec.H264_MAIN
    assert options.audio_codec == AudioCodec.AAC


@pytest.mark.parametrize(
    ("name", "other", "pixels"),
    [
        ("H264_1080P_30", "PORTRAIT_H264_1080P_30", 1920 * 1080 * 30),
        ("1280x720@15:1500", "720x1280@15:1500", 1280 * 720 * 15),
    ],
)
def test_an_encoding_for_upright_pictures_is_the_same_turned(
    name: str, other: str, pixels: int
) -> None:
    assert (turned(name), turned(other)) == (other, name)
    assert (is_upright(name), is_upright(other)) == (False, True)
    assert pixels_a_second(name) == pixels_a_second(other) == pixels
