"""`deploy/down`: ends exactly what `deploy/up` started."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.local import run_record


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/down", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=run_record.FOLDER, help="the one given to deploy/up"
    )
    folder: Path = parser.parse_args().folder
    record = run_record.Record.read(folder)
    ended: list[str] = []
    if record:
        try:
            ended = run_record.end(record)
        except TimeoutError as error:
            print(f"deploy/down: {error}", file=sys.stderr)
            return 1
        (folder / "up.json").unlink(missing_ok=True)
    print(f"deploy/down: ended {', '.join(ended)}" if ended else "deploy/down: nothing was running")
    return 0


if __name__ == "__main__":
    sys.exit(main())
