"""`python -m bench.peers`: install the peers from their package registries into bench/env; safe to repeat."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peers.found import DBOS, ENVIRONMENTS, RESTATE, RESTATE_SERVER

DBOS_PACKAGES = ("dbos==3.4.0", "psycopg[binary]", "uvloop")
RESTATE_PACKAGES = ("restate-sdk==1.3.0", "hypercorn")
RESTATE_RELEASE = "@restatedev/restate-server@1.7.12"


def environment(python: Path, packages: Sequence[str]) -> None:
    """Make a virtual environment with some packages."""
    if python.exists():
        return
    subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)


def main() -> None:
    """Install what is missing."""
    environment(DBOS, DBOS_PACKAGES)
    environment(RESTATE, RESTATE_PACKAGES)
    if not RESTATE_SERVER.exists():
        folder = ENVIRONMENTS / "restate-server"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps({"name": "restate-server", "private": True}))
        subprocess.run(["npm", "install", "--silent", RESTATE_RELEASE], cwd=folder, check=True)


if __name__ == "__main__":
    main()
