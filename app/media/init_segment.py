"""The init segment of a session: its codecs and picture size, as players need them first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Init:
    """What all fragments of one session share.

    - `id`: 16 hex digits, a hash of the fields below; two sessions may share it.
    - `data`: the init segment's bytes (`ftyp moov`), for EXT-X-MAP. `Init.parse` reads it.
    - `width`, `height`: the shown picture in pixels.
    - `audio`: whether the session announced sound; if not, its audio track is silence.
    - `avcc`: AVCDecoderConfigurationRecord. `asc`: AudioSpecificConfig.
    """

    id: str
    data: bytes
    width: int
    height: int
    audio: bool
    avcc: bytes
    asc: bytes
    sample_rate: int
    channels: int

    @classmethod
    def parse(cls, data: bytes) -> Init:
        """The Init whose `data` this is. ValueError if it isn't one of ours."""
        raise NotImplementedError
