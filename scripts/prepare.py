"""Make the checkout ready to run: a virtual environment with the locked packages in it, the editor built.

Usage: prepare.py run|dev

It needs Python 3.11 with venv and pip, and nothing else. It says what it does while it does it, and does
nothing when nothing changed: a stamp in the environment records the hash of everything it was made from.
Safe to repeat, and safe to start twice at once.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LEVELS = {"run": ["requirements/run.txt"], "dev": ["requirements/run.txt", "requirements/dev.txt"]}


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"linkflow: {text}", flush=True)


def fingerprint(level: str) -> str:
    """Hash everything the environment is made from."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    for name in ["pyproject.toml", *LEVELS[level]]:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamp(level: str) -> Path:
    """Name the file that records what an environment of this level was made from."""
    return VENV / f".linkflow-{level}"


def is_ready(level: str) -> bool:
    """Tell whether the environment already holds this level, unchanged; `dev` includes `run`."""
    return PYTHON.exists() and any(
        stamp(held).exists() and stamp(held).read_text() == fingerprint(held) for held in {level, "dev"}
    )


def pip(*arguments: str) -> None:
    """Run the environment's pip; its own output is shown only when it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}, check=False)
    if done.returncode:
        say(f"`{' '.join(command)}` failed; what pip says stands above. Mend that and run make again.")
        raise SystemExit(done.returncode)


def install(level: str) -> None:
    """Create the environment where it is missing and install the locked packages and the checkout."""
    started = time.monotonic()
    for held in LEVELS:
        stamp(held).unlink(missing_ok=True)
    if not PYTHON.exists():
        say(f"creating the virtual environment {VENV.relative_to(ROOT)}/ ...")
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    for name in LEVELS[level]:
        packages = sum(line[:1].isalnum() for line in (ROOT / name).read_text().splitlines())
        say(f"installing {packages} packages pinned in {name}, hashes checked; this can take a minute ...")
        pip("--require-hashes", "--requirement", name)
    say("installing linkflow itself, editable ...")
    pip("--no-deps", "--no-build-isolation", "--editable", ".")
    stamp(level).write_text(fingerprint(level))
    say(f"ready after {time.monotonic() - started:.0f} s")


def main() -> None:
    """Bring the environment to the level that was asked for."""
    level = sys.argv[1] if len(sys.argv) == 2 else ""
    if level not in LEVELS:
        raise SystemExit("usage: prepare.py run|dev")
    if sys.version_info < (3, 11):  # noqa: UP036  make may find an older one
        raise SystemExit(
            f"LinkFlow needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
            "Say which one to use: make PYTHON=python3.12"
        )
    if not is_ready(level):
        prepare(level)
    subprocess.run([str(PYTHON), str(Path(__file__).with_name("ui.py")), level], check=False)


def prepare(level: str) -> None:
    """Install, unless somebody else does at this moment."""
    with (ROOT / ".prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_ready(level):
            install(level)


if __name__ == "__main__":
    main()
