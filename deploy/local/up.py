"""`deploy/up`: a local LiveKit, the service and a demo share, in one command."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from app.errors import ConfigurationError
from app.processes.signals import run_until_signalled
from deploy.local import run_record
from deploy.local.demo import DemoFailed
from deploy.local.local_run import LocalRun, UpFailed
from deploy.local.stack import PartFailed


def main() -> int:
    arguments = _parser().parse_args()
    folder: Path = arguments.folder.absolute()
    os.umask(0o077)  # tokens and keys are in the files that are written here
    if arguments.detach:
        return _detached(folder)
    claimed = run_record.claim(folder)
    if claimed is None:
        return _tell_running(folder)
    left = run_record.Record.read(folder)
    if left and (names := run_record.end(left)):
        print(f"deploy/up: ended what a killed deploy/up had left: {', '.join(names)}")
    (folder / "log").mkdir(exist_ok=True)
    run = LocalRun(folder)
    try:
        return run_until_signalled(
            run.service_only()
            if arguments.service_only
            else run.everything(with_demo=arguments.demo, with_s3=arguments.s3)
        )
    except (UpFailed, PartFailed, ConfigurationError, DemoFailed, FileNotFoundError) as error:
        print(f"deploy/up: {error}", file=sys.stderr)
        return 1
    finally:
        (folder / "up.json").unlink(missing_ok=True)
        os.close(claimed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/up", description=__doc__, allow_abbrev=False)
    parser.add_argument("-d", "--detach", action="store_true", help="until deploy/down")
    parser.add_argument(
        "--no-demo", dest="demo", action="store_false", help="without the demo share"
    )
    parser.add_argument(
        "--s3", action="store_true", help="with egress and clips in a bucket, of a SeaweedFS here"
    )
    parser.add_argument(
        "--service-only",
        action="store_true",
        help="just the service, with the LIVEKIT_* of the environment",
    )
    parser.add_argument(
        "--folder", type=Path, default=run_record.FOLDER, help="for data and logs; default: .run"
    )
    return parser


def _tell_running(folder: Path) -> int:
    record = run_record.Record.read(folder)
    if record is None or not record.summary:
        print("deploy/up: another deploy/up is just starting here")
    else:
        print(f"deploy/up: already running; deploy/down ends it.\n{record.summary}")
    return 0


def _detached(folder: Path) -> int:
    """Runs this command in the background; shows what it says until it is ready or has failed."""
    folder.mkdir(parents=True, exist_ok=True)
    log_path = folder / "up.log"
    command = [argument for argument in sys.argv[1:] if argument not in ("-d", "--detach")]
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "deploy.local.up", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=run_record.ROOT,
            start_new_session=True,
        )
    with log_path.open() as log:
        while True:
            ended = process.poll() is not None
            record = run_record.Record.read(folder)
            print(log.read(), end="", flush=True)
            if ended:
                return process.returncode
            if record and record.summary and record.processes["up"].pid == process.pid:
                print(f"deploy/up: runs in the background; deploy/down ends it. Log: {log_path}")
                return 0
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
