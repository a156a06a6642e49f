"""Where the peers are, when they are installed."""

import platform
from pathlib import Path

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "env"
DBOS = ENVIRONMENTS / "dbos" / "bin" / "python"
RESTATE = ENVIRONMENTS / "restate" / "bin" / "python"
CPU = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
RESTATE_SERVER = (
    ENVIRONMENTS / f"restate-server/node_modules/@restatedev/restate-server-linux-{CPU}/bin/restate-server"
)
