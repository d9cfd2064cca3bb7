"""Makes single pictures, and reads the indexes of movies, in a process of its own.

Run by `app.viewing.stills`: see `app.processes.bound_service`. A request is a JSON object, with the
open file that is to be read. The answer is a letter: `p` and the size of a JPEG in the output, `i`
and the size of a KeyFrameIndex there, as JSON, or `n` and why there is no picture.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from av import VideoFrame

from app.media import keyframes, pictures
from app.media.picture_sources import NoPicture
from app.media.pictures import Sheet
from app.media.sprites import POSTER, Grid, fitted
from app.processes.bound_service import MESSAGE_BYTES, serve


def answer(packed: bytes, given: int, made: int) -> bytes:
    """Does what a request asks for."""
    request = json.loads(packed)
    try:
        kind, data = _made(request, given)
    except NoPicture as error:
        return f"n{error}".encode(errors="replace")[: MESSAGE_BYTES // 2]
    os.pwrite(made, data, 0)
    return f"{kind}{len(data)}".encode()


def _made(request: dict[str, Any], given: int) -> tuple[str, bytes]:
    # The file that was opened, whatever has its name now.
    path = Path(f"/proc/self/fd/{given}")
    match request["what"]:
        case "index":
            movie = keyframes.read_index(path)
            keys = [[key.seconds, key.offset, key.size_bytes] for key in movie.keys]
            told = [movie.seconds, movie.width, movie.height, movie.avcc.hex(), keys]
            return "i", json.dumps(told).encode()
        case "movie":
            return "p", _poster(keyframes.first_picture(path, keyframes.read_index(path)))
        case "single":
            drawn = Sheet(Grid(*request["grid"]))
            drawn.put(0, keyframes.first_picture(path, keyframes.read_index(path)))
            return "p", drawn.jpeg()
        case "key":
            sample = os.pread(given, request["size_bytes"], request["offset"])
            return "p", _poster(pictures.key_frame(bytes.fromhex(request["avcc"]), sample))
    raise ValueError(f"nobody knows how to make {request['what']!r}")


def _poster(frame: VideoFrame) -> bytes:
    return pictures.jpeg(pictures.small(frame, *fitted(frame.width, frame.height, POSTER)))


if __name__ == "__main__":
    serve(answer)
