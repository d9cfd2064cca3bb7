"""Keeps what is read and written inside its root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath


def inside(root: Path, relative: str | PurePosixPath) -> Path:
    """`root / relative`, checked to lie inside root once links and `..` are resolved.

    Raises ValueError with the path if it does not.
    """
    root = root.resolve()
    path = (root / relative).resolve()
    if path != root and root not in path.parents:
        raise ValueError(f"{relative} leads out of {root}")
    return path
