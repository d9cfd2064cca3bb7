"""How many answers of media are sent at once: to one user, to one address, of one link.

Each takes about 0.7 MB of the process until its peer has all of it, however slowly that takes it:
without a bound one user could hold as many as there are connections.

A browser has six connections, so OF_ONE are ten browsers that read as much as they can; a player
that plays needs one or two. A link, and URLs that were made for one user, may be followed by many
from many addresses: these have OF_SHARED.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from app.errors import TooManyRequests

OF_ONE = 64
"""To one user who shows a token; to one address, by the URLs of one user, or of one link."""
OF_SHARED = 256
"""Of one link, and by all URLs that were made for one user, to whatever addresses; to one address,
of all links."""
_RETRY_SECONDS = 5

MediaBounds = Mapping[str, int]
"""By whom or what an answer is counted with: how many of these there may be."""


def of_user(user: str) -> MediaBounds:
    """The bounds of what is sent to a user who has shown a token."""
    return {f"user {user}": OF_ONE}


def of_url(holder: str, address: str) -> MediaBounds:
    """The bounds of what is sent to an address, by a URL that was made for `holder`."""
    return {f"by {holder} to {address}": OF_ONE, f"by {holder}": OF_SHARED}


def of_link(secret: str | None, address: str) -> MediaBounds:
    """The bounds of what is sent to an address, of a link if it follows one.

    Many may follow links from one address: all those of a company, or behind a proxy.
    """
    if secret is None:
        return {f"to {address}": OF_ONE}
    of_it = {f"of {secret} to {address}": OF_ONE, f"of {secret}": OF_SHARED}
    return of_it | {f"by links to {address}": OF_SHARED}


class MediaUnderWay:
    """The answers of media that a process sends."""

    def __init__(self) -> None:
        self._counts = Counter[str]()

    def check(self, bounds: MediaBounds) -> None:
        """Raises TooManyRequests if as many are sent as may be; others may be about to be."""
        for name, most in bounds.items():
            if self._counts[name] >= most:
                raise TooManyRequests(
                    f"{most} answers of media are on their way already: take these first, or end "
                    "some of them",
                    retry_after=_RETRY_SECONDS,
                    limit=most,
                )

    @asynccontextmanager
    async def one(self, bounds: MediaBounds) -> AsyncIterator[None]:
        """Counts an answer that is sent within the block."""
        self._counts.update(bounds.keys())
        try:
            yield
        finally:
            self._counts.subtract(bounds.keys())
            for name in bounds:
                if not self._counts[name]:
                    del self._counts[name]
