"""Packages of npm that tests and checks need. `python -m tests.npm` installs them."""

from __future__ import annotations

from deploy.examples.react.__main__ import PACKAGES as REACT
from deploy.local.npm_packages import NpmPackages
from deploy.local.stack import ROOT

NODE = NpmPackages(ROOT / "tests" / "node", ROOT / ".run" / "node")
"""What runs in node or in a browser, and what reads the console's modules."""
CLIENTS = NpmPackages(ROOT / "tests" / "clients", ROOT / ".run" / "clients")
"""What reads the description of the API as others do: a linter, a generator of clients."""

if __name__ == "__main__":
    NODE.install()
    CLIENTS.install()
    REACT.install()
