"""Sprite sheets: where each picture stands, and the index that says so."""

from __future__ import annotations

import re

import pytest

from app.media.sprites import MAX_TILES, TILE, Cue, Grid, fitted, index


@pytest.mark.parametrize("tiles", [1, 2, 19, 20, 21, 300, MAX_TILES])
def test_every_tile_has_a_place_of_its_own_on_the_sheet(tiles: int) -> None:
    """No two overlap, none reaches over the edge, no row is empty."""
    grid = Grid(tiles, 160, 90)
    places = [grid.place(tile) for tile in range(tiles)]
    assert len(set(places)) == tiles
    assert all(x % 160 == 0 and y % 90 == 0 for x, y in places)
    assert max(x for x, _ in places) + 160 == grid.sheet_width
    assert max(y for _, y in places) + 90 == grid.sheet_height


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (160, 90)),
        ((1280, 720), (160, 90)),
        ((1080, 1920), (90, 160)),
        ((1366, 768), (160, 90)),
        ((100, 50), (100, 50)),
        ((1920, 16), (160, 2)),
        ((3, 3), (4, 4)),
    ],
)
def test_a_picture_is_made_to_fit_and_keeps_its_shape(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Sides are even; a small picture stays as it is, but for that."""
    assert fitted(*size) == expected


def test_a_poster_fits_into_another_box() -> None:
    assert fitted(1920, 1080, (640, 640)) == (640, 360)


def test_the_index_is_webvtt_that_names_a_place_for_each_stretch() -> None:
    grid = Grid(25, *TILE)
    text = index(grid, [Cue(0, 2, 0), Cue(2, 3661.5, 24)], "sheet.jpg?sig=1", "begins at noon")
    assert text.split("\n\n") == [
        "WEBVTT",
        "NOTE begins at noon",
        "00:00:00.000 --> 00:00:02.000\nsheet.jpg?sig=1#xywh=0,0,160,160",
        "00:00:02.000 --> 01:01:01.500\nsheet.jpg?sig=1#xywh=640,160,160,160\n",
    ]


def test_times_are_rounded_to_the_millisecond_and_carry() -> None:
    text = index(Grid(1, 2, 2), [Cue(0.0004, 59.9996, 0)], "x")
    assert re.findall(r"[\d:.]+ --> [\d:.]+", text) == ["00:00:00.000 --> 00:01:00.000"]
