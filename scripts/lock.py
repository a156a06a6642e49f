"""Pin every dependency again, with hashes, for every platform, and without naming an index.

Usage: lock.py [--upgrade]

Run it after changing dependencies in pyproject.toml. It puts `uv` into a throw-away environment, because
only this script needs it. The files it writes are what `make up` and `make test` install.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = [
    "pip", "compile", "pyproject.toml", "--quiet", "--generate-hashes",
    "--no-emit-index-url", "--no-emit-find-links", "--universal", "--python-version", "3.11", "--no-header",
]  # fmt: skip


def main() -> None:
    """Write requirements/run.txt and requirements/dev.txt."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        subprocess.run([f"{folder}/bin/pip", "install", "--quiet", "uv"], check=True)
        uv = [f"{folder}/bin/uv", *COMPILE, *sys.argv[1:]]
        run, dev = "requirements/run.txt", "requirements/dev.txt"
        subprocess.run([*uv, "--extra", "checkout", "--output-file", run], cwd=ROOT, check=True)
        subprocess.run(
            [*uv, "--extra", "dev", "--constraints", run, "--output-file", dev], cwd=ROOT, check=True
        )


if __name__ == "__main__":
    main()
