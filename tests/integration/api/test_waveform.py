"""How loud a share's sound was, as its segments' rows tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.integration.api.conftest import OWNER, MakeShare


async def test_a_window_tells_how_loud_it_was_and_nothing_of_what_was_deleted(
    http: httpx.AsyncClient, share: MakeShare
) -> None:
    """For each quarter of a second, on the wall clock."""
    made = await share()
    path = f"/v1/buffers/{made.buffer_id}"

    async def told(first: float, last: float) -> list[dict[str, Any]]:
        times = [made.start + timedelta(seconds=seconds) for seconds in (first, last)]
        names = ("start", "end")
        window = {name: at.isoformat() for name, at in zip(names, times, strict=True)}
        found = await http.get(f"{path}/waveform", params=window, headers=OWNER)
        assert found.status_code == 200, found.text
        found_stretches: list[dict[str, Any]] = found.json()["stretches"]
        return found_stretches

    stretches = await told(3, 9)
    levels = [level for each in stretches for level in each["levels"]]
    assert set(levels) <= {86, 87}, "the tone is of one loudness"
    assert 21 <= len(levels) <= 25
    begin, end = (
        datetime.fromisoformat(stretches[n][key]) for n, key in ((0, "start"), (-1, "end"))
    )
    assert timedelta(seconds=3) <= begin - made.start < timedelta(seconds=3.3)
    assert timedelta(seconds=8.7) < end - made.start <= timedelta(seconds=9)

    since_its_fifth = datetime.now(UTC) - made.start - timedelta(seconds=5)
    last = {"last": since_its_fifth.total_seconds()}
    deleted = await http.delete(path, params=last, headers=OWNER)
    assert deleted.status_code == 204
    whole = (await http.get(f"{path}/waveform", headers=OWNER)).json()["stretches"]
    left = [datetime.fromisoformat(each["end"]) for each in whole]
    assert left[-1] - made.start <= timedelta(seconds=4.001)
