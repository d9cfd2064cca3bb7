"""Which worker runs which tests: `pytest -p tests.scheduling`, as `deploy/test` asks.

Two end-to-end tests at a time leave the processor idle for a third of the time, more of them crowd
it. So two workers take files in their order, which begins with those; all others take what waits
for less, the file with most tests first, so that small files are left for the end and no worker
waits long for another.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

IN_ORDER = 2
WAITING = "tests/e2e/"


class LargestFirst(LoadFileScheduling):
    """A file's tests on one worker and in order, which is what `--dist loadfile` says."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.nodes.index(node) >= IN_ORDER:
            others = (file for file in self.workqueue if not file.startswith(WAITING))
            largest = max(others, key=lambda file: len(self.workqueue[file]), default=None)
            if largest is not None:
                self.workqueue.move_to_end(largest, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LargestFirst:
    return LargestFirst(config, log)
