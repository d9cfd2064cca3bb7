"""A place in a store, as a URL names it: a bucket and a prefix, or a folder. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_SCHEMES = ("file", "s3", "gs", "az")


@dataclass(frozen=True)
class StorePlace:
    """A bucket, and the prefix in it below which all keys of ours lie.

    `scheme`: s3, gs or az; with `file` there is no bucket, and `prefix` is a folder's path.
    `setting`: the name of the setting that says so, for messages.
    """

    scheme: str
    bucket: str
    prefix: str
    setting: str = field(default="CLIPS_URL", compare=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix.removeprefix('/')}"


def store_place(url: str, setting: str) -> StorePlace:
    """What a setting's URL names. Raises ValueError with what is allowed."""
    try:
        split = urlsplit(url)
        strange = bool(split.query or split.fragment or split.port or "@" in split.netloc)
    except ValueError:
        strange = True
    if strange:
        raise ValueError("must be no more than scheme, bucket and prefix: keys have settings")
    if split.scheme not in _SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{each}://' for each in _SCHEMES)}")
    if split.scheme == "file":
        return StorePlace("file", "", _folder(split.netloc, split.path), setting)
    if not _BUCKET.fullmatch(split.netloc) or ".." in split.netloc:
        raise ValueError(
            "must name a bucket: 3 to 63 of a-z, 0-9, '-', '.', '_', a letter or digit at both "
            "ends, no '..'"
        )
    prefix = split.path.strip("/")
    if not prefix:
        example = setting.partition("_")[0].lower()
        raise ValueError(
            f"must have a prefix that is this installation's alone, such as "
            f"{url.rstrip('/')}/{example}"
        )
    if not all(map(_is_name, prefix.split("/"))):
        raise ValueError("must have a prefix of names out of A-Z, a-z, 0-9, '_', '.', '-'")
    return StorePlace(split.scheme, split.netloc, prefix, setting)


def _folder(host: str, path: str) -> str:
    if host or not path.startswith("/") or path == "/" or ".." in path.split("/"):
        raise ValueError("must be file:/// and the absolute path of a folder, not that of the root")
    return str(Path(path))


def _is_name(part: str) -> bool:
    return bool(_NAME.fullmatch(part)) and part not in (".", "..")
