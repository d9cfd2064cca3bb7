"""Whose program listens on a port."""

from __future__ import annotations

import os
import socket

from app.processes.listeners import owners_in, owners_of

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
REST = "00000000:00000000 00:00000000 00000000"
TCP = f"""{HEAD}
   0: 0100007F:1F90 00000000:0000 0A {REST} 65534        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 {REST}  1000        0 2 1 0 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A {REST}     0        0 3 1 0 100 0 0 10 0
"""
TCP6 = f"""{HEAD}
   0: 00000000000000000000000000000000:1F90 {"0" * 32}:0000 0A {REST}  1001        0 4 1 0 100 0
"""


def test_listeners_of_all_addresses_count_and_connections_do_not() -> None:
    assert owners_in([TCP, TCP6], 8080) == {65534, 1001}
    assert owners_in([TCP, TCP6], 22) == {0}
    assert owners_in([TCP, TCP6], 23) == set()


def test_our_own_listener_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert owners_of(port) == {os.getuid()}
    assert owners_of(port) == set()
