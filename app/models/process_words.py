"""What the processes of the service are called: commands, lines of logs, pulses."""

from __future__ import annotations

from enum import StrEnum


class ProcessRole(StrEnum):
    """What a process of the service does."""

    SUPERVISOR = "supervisor"
    """It starts the three that follow, each as a child."""
    API = "api"
    WORKER = "worker"
    INDEXER = "indexer"
    SINGLE = "single"
    """All of these three in one process."""

    @classmethod
    def of_service(cls) -> list[ProcessRole]:
        """Those that make the service, however many processes there are of each."""
        return [cls.API, cls.WORKER, cls.INDEXER]

    @classmethod
    def with_pulse(cls) -> list[ProcessRole]:
        """Those that tell in Redis that they run: no request shows it."""
        return [cls.WORKER, cls.INDEXER]

    @property
    def serves(self) -> bool:
        """Whether it answers HTTP."""
        return self in (ProcessRole.API, ProcessRole.SINGLE)
