"""Which of somebody's audio tracks belongs to which of their shares. Pure.

LiveKit tells that a track is share audio and whose, not which picture it goes with. Clients publish
both within a fraction of a second, so an audio track belongs to the share that was published
nearest to it in time, whether that share still lives or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Published:
    """A track of a participant and when it was published."""

    sid: str
    at: datetime


def audio_of(video_sid: str, videos: Sequence[Published], live: Sequence[Published]) -> str | None:
    """The sid of the audio track that goes with a share; the newest, if several do.

    `videos`: all shares of the participant, ended ones too. `live`: their live audio tracks.
    """
    mine = [audio for audio in live if _nearest(audio, videos) == video_sid]
    return max(mine, key=lambda audio: audio.at).sid if mine else None


def _nearest(audio: Published, videos: Sequence[Published]) -> str | None:
    if not videos:
        return None
    return min(videos, key=lambda video: (abs(video.at - audio.at), video.at)).sid
