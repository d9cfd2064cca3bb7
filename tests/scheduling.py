"""Which worker runs which tests: `pytest -p tests.scheduling`, as `deploy/test` asks.

Two end-to-end tests at a time leave the processor idle for a third of the time, three of them crowd
it. So the third worker begins with the last file instead: it has the tests that wait for nothing.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FROM_THE_FRONT = 2


class FromBothEnds(LoadFileScheduling):
    """A file's tests on one worker and in order, which is what `--dist loadfile` says."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.nodes.index(node) >= FROM_THE_FRONT:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FromBothEnds:
    return FromBothEnds(config, log)
