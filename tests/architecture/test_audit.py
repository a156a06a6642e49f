"""The audit of dependencies finds what is wrong, and says when it could not look."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HASHED = "msgspec==0.22.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\n"
LOCK = {"node_modules/react": {"version": "19.3.1", "integrity": "sha512-a", "license": "MIT"}}
NOWHERE = "http://127.0.0.1:9"


class Advisories(BaseHTTPRequestHandler):
    """Answers as OSV does: one result for each question, in their order."""

    def do_POST(self) -> None:
        """Say that msgspec is weak."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        names = [(each["package"]["ecosystem"], each["package"]["name"]) for each in asked]
        results = [{"vulns": [{"id": "GHSA-x"}]} if name == ("PyPI", "msgspec") else {} for name in names]
        answer = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def advisories() -> Iterator[str]:
    """Serve advisories."""
    with HTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def audit(root: Path, run: str = HASHED, lock: object = LOCK, advisories: str = NOWHERE) -> tuple[int, str]:
    """Audit a checkout with these dependencies; gives the exit code and what was said."""
    (root / "requirements").mkdir()
    (root / "ui").mkdir()
    for name in ("run", "dev", "deploy", "ui"):
        (root / "requirements" / f"{name}.txt").write_text(run if name == "run" else "")
    (root / "ui" / "package-lock.json").write_text(json.dumps({"packages": lock}))
    command = [
        sys.executable,
        str(ROOT / "scripts" / "audit.py"),
        "--root",
        str(root),
        "--advisories",
        advisories,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_is_pinned_and_unknown_to_be_weak_passes(tmp_path: Path) -> None:
    """Without the network the audit passes, and says that it did not look."""
    code, said = audit(tmp_path)

    assert (0, True, True) == (code, "not looked at" in said, "2 pinned releases" in said)


def test_a_known_weakness_fails(tmp_path: Path, advisories: str) -> None:
    """A release with a known weakness is named with where to read about it."""
    code, said = audit(tmp_path, advisories=advisories)

    assert (1, True) == (code, "msgspec 0.22.0 has a known weakness: https://osv.dev/GHSA-x" in said)


def test_a_release_without_a_hash_fails(tmp_path: Path) -> None:
    """A dependency whose content is not pinned is refused, of Python and of the editor."""
    lock = {"node_modules/react": {"version": "19.3.1"}}
    code, said = audit(tmp_path, "msgspec==0.22.0\n", lock)

    assert (1, 2) == (code, said.count("has no hash"))


def test_a_licence_that_asks_for_more_fails(tmp_path: Path) -> None:
    """A dependency under the GPL is refused where it is needed at run time."""
    lock = {
        "node_modules/a": {"version": "1", "integrity": "x", "license": "GPL-3.0-only"},
        "node_modules/b": {"version": "1", "integrity": "x", "license": "GPL-3.0-only", "dev": True},
    }
    code, said = audit(tmp_path, lock=lock)

    assert (1, True, False) == (code, "a stands under GPL-3.0-only" in said, "b stands" in said)
