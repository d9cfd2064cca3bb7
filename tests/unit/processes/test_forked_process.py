"""Processes that are forked: their steps, what they are told, and how they end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

# A program of its own: the tests' process has threads.
PROGRAM = """
import asyncio, json, os
from app.processes import forked_process

def work(next_step):
    none = next_step()
    first = os.environ["STEP"]
    handed = next_step()
    name = open("/proc/self/comm").read().strip()
    os.write(handed[0], json.dumps([none, first, os.environ["STEP"], name, os.getsid(0)]).encode())
    return 7

async def run(process, untold, left):
    reading, writing = os.pipe()
    process.go_on({"STEP": "one"})
    process.go_on({"STEP": "two"}, [writing])
    code = await process.wait()
    untold.terminate()
    process.go_on({})
    ended = await untold.wait()
    left.end()
    ends = [code, ended, left.returncode]
    print(json.dumps([json.loads(os.read(reading, 1000)), process.pid, ends]))

processes = forked_process.fork((name, work) for name in ("works", "waits", "left"))
asyncio.run(run(*processes.values()))
"""


def test_a_forked_process_takes_each_step_when_it_is_told_to() -> None:
    """In a session of its own, under its name, with what it was given; its code is known."""
    argv = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=60, text=True).stdout
    seen, pid, ends = json.loads(said)
    assert seen == [[], "one", "two", "replay-works", pid]
    assert ends == [7, -signal.SIGTERM, -signal.SIGKILL]
