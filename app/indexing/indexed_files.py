"""The files of egress that are indexed: they go, at once or when their place lets them."""

from __future__ import annotations

from collections.abc import Callable

from app import metrics
from app.models.metric_words import ErrorKind
from app.storage.egress_store import EgressFolder, PlaceAway

MOST_LEFT = 1_000
"""Names that are tried again; others, if there are more, go with the strays."""


class IndexedFiles:
    """Of one session. `tell`: says what is wrong, each kind once."""

    def __init__(self, written: EgressFolder, tell: Callable[..., None]) -> None:
        self._written = written
        self._tell = tell
        self.left: set[str] = set()
        """Those whose place was away when they were to go."""

    def remove(self, name: str) -> None:
        """Removes a file, if it is there and lets us. Blocks."""
        try:
            self._written.unlink(name)
        except FileNotFoundError:
            pass  # never written, or gone since an interrupted pass
        except IsADirectoryError:
            # Nobody knows how much is in it: it goes with the strays, not in a segment's turn.
            self._tell("segment_is_a_folder", file=name)
        except PlaceAway as error:
            self._tell("segment_not_removed_yet", file=name, error=str(error))
            if len(self.left) < MOST_LEFT:
                self.left.add(name)
        except OSError as error:
            metrics.ERRORS.labels(ErrorKind.FILE_NOT_DELETABLE).inc()
            self._tell("file_not_deletable", file=name, error=str(error))

    def remove_left(self) -> None:
        """Tries those again. Blocks."""
        left, self.left = self.left, set()
        for name in left:
            self.remove(name)
