"""Bundles the app and serves it: `python -m deploy.examples.react`. It needs npm."""

from __future__ import annotations

import argparse
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from deploy.examples import page_server
from deploy.local.npm_packages import NpmPackages
from deploy.local.stack import ROOT

FOLDER = Path(__file__).parent
PACKAGES = NpmPackages(FOLDER, ROOT / ".run" / "react")


def bundle(app: Path = FOLDER / "app.jsx", made: Path = PACKAGES.folder / "dist") -> Path:
    """The folder with an app as .js and .css, made anew; its packages are those of the lock."""
    PACKAGES.install()
    modules = PACKAGES.folder / "node_modules"
    kit = modules / "replay-kit"  # elsewhere: npm install ./replay-kit-0.1.0.tgz, of `npm pack`
    with suppress(FileExistsError):
        kit.symlink_to(ROOT / "app" / "kit")
    options = ("--bundle", "--format=esm", "--jsx=automatic", "--minify", "--log-level=warning")
    subprocess.run(
        [PACKAGES.programs / "esbuild", app, *options, f"--outdir={made}"],
        env=os.environ | {"NODE_PATH": str(modules)},
        check=True,
    )
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m deploy.examples.react", description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    given = parser.parse_args()
    app = bundle()
    files = {
        "/": FOLDER / "index.html",
        "/app.js": app / "app.js",
        "/app.css": app / "app.css",
    }
    page_server.serve(files, given.port)
