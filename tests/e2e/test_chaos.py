"""A short piece of the chaos suite: what `deploy/chaos` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import rounds
from tests.chaos.plan import chosen, plan


async def test_all_is_well_again_after_everything_and_after_a_worker_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody shares and captures; `deploy/chaos --only …` has these rounds at length."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))  # where leftovers are looked for
    harms = plan(2, 2, chosen(["kill:supervisor", "kill:worker"]), scale=0.2)
    said: list[str] = []
    outcomes = await rounds.run(tmp_path, harms, 2, said.append, people=1)
    assert [outcome.faults for outcome in outcomes] == [()] * 3, "\n".join(said)
