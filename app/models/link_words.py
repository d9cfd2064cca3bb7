"""Closed lists of words about the links of clips, as `app.models.words` has others."""

from __future__ import annotations

from enum import StrEnum


class LinkFact(StrEnum):
    """What the page of a clip's link tells besides its title, if the owner lets it."""

    WHO = "who"
    """Whose screen it shows, and who has made the clip."""
    WHEN = "when"
    CHAPTERS = "chapters"
    """What was marked in it, in the words of whoever marked it."""
