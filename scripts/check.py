"""Run every check that needs no running program, show what each says, and fail when one fails."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
CHECKS: dict[str, list[str | Path]] = {
    "ruff": [BIN / "ruff", "check", "--quiet", "."],
    "format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "types": [BIN / "mypy", "--no-error-summary"],
    "arrows": [BIN / "lint-imports", "--no-logo"],
    "links": [sys.executable, "scripts/check_links.py"],
    "audit": [BIN / "python", "scripts/audit.py"],
    "dependencies": [BIN / "python", "-m", "pip", "--disable-pip-version-check", "check"],
}

NOT_DONE = "not looked at"
"""What a check says first when it could not do all of its work; it passes, and everybody sees it."""


def main() -> None:
    """Run the checks one after the other; all of them, so that one look shows everything."""
    failed = []
    for name, command in CHECKS.items():
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(
            f"{'failed' if done.returncode else 'ok':>6}  {name}  ({time.monotonic() - started:.1f} s)",
            flush=True,
        )
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
        elif NOT_DONE in done.stdout:
            print(f"        {done.stdout.splitlines()[0]}", flush=True)
    if failed:
        raise SystemExit(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}")
    print(f"{len(CHECKS)} checks passed")


if __name__ == "__main__":
    main()
