"""How the embedded stores are asked whether they are there."""

from __future__ import annotations

import pytest

from app.processes.free_ports import unused_port
from app.processes.store_programs import STORES


async def test_a_database_that_does_not_listen_yet_is_not_waited_for() -> None:
    """PyMongo itself would look for it twice in a second, and give up after that."""
    with pytest.raises(ConnectionRefusedError):
        await STORES["MONGO_URL"].ping(f"mongodb://127.0.0.1:{unused_port()}/")
