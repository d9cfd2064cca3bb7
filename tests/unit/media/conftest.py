"""Media for these tests, made once per run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.media_factory import MediaFactory, Shape
from tests.unit.media.fragments import Fragments, prepare_all


@pytest.fixture(scope="session")
def factory(tmp_path_factory: pytest.TempPathFactory) -> MediaFactory:
    return MediaFactory(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="session")
def fragments(
    factory: MediaFactory, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Shape], Fragments]:
    """The fragments of a shape of recording."""
    folder = tmp_path_factory.mktemp("fragments")
    made: dict[Shape, Fragments] = {}

    def of(shape: Shape) -> Fragments:
        if shape not in made:
            made[shape] = prepare_all(factory.record(shape), folder / str(len(made)))
        return made[shape]

    return of
