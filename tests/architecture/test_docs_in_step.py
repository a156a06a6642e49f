"""The documentation cannot drift from the code."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("script", [["scripts/docs.py", "--check"], ["scripts/check_links.py"]], ids=" ".join)
def test_docs_are_in_step(script: list[str]) -> None:
    """Generated pages are what their code says now, and every link leads somewhere."""
    done = subprocess.run([sys.executable, *script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stdout.strip() + done.stderr.strip())
