"""The name of a folder of ours that somebody else was at first: what has it is put aside."""

from __future__ import annotations

import os
import secrets
import stat

ASIDE = ".aside-"
"""Begins the names of what somebody else had put where a folder of ours goes."""


def may_be_ours(there: os.stat_result, outer: os.stat_result) -> bool:
    """Whether it is a folder that we have made in the other one, as far as owners tell.

    On a mount that squashes them all have one.
    """
    return stat.S_ISDIR(there.st_mode) and there.st_uid in (os.getuid(), outer.st_uid)


def put_aside(outer: int, name: str) -> str | None:
    """Renames what has a name within an open folder, and is no folder of ours. Its name then."""
    try:
        there = os.stat(name, dir_fd=outer, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if may_be_ours(there, os.fstat(outer)):
        return None
    to = f"{ASIDE}{secrets.token_hex(8)}"
    try:
        os.rename(name, to, src_dir_fd=outer, dst_dir_fd=outer)
    except OSError:  # whoever goes on to make it says why it can't be
        return None
    return to
