"""Start a private Redis and a private RabbitMQ on free ports, and keep them until Ctrl-C.

Usage: services.py [--install-only]

What is installed is used. What is missing is installed from the Debian packages when this runs as root on a
Debian; else it says what to install. The servers keep nothing and die with this process. With them come the
tools that tests of deploy/ use (deploy_tools.py), and the browser of the tests in tests/e2e.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from linkflow.testing.browsing import find_chromium
from linkflow.testing.deploying import find_compose
from linkflow.testing.servers import (
    Server,
    ServerMissing,
    find_rabbitmq,
    find_redis,
    start_rabbitmq,
    start_redis,
)

PACKAGES: dict[str, Callable[[], object]] = {
    "redis-server": find_redis,
    "rabbitmq-server": find_rabbitmq,
    "docker-compose": find_compose,
    "chromium": find_chromium,
}
DENIAL = Path("/usr/sbin/policy-rc.d")
"""Debian asks this script whether an installed service may start."""


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"linkflow: {text}", flush=True)


@contextlib.contextmanager
def started_by_nobody() -> Iterator[None]:
    """Keep packages from starting their services with the system's own ports."""
    if DENIAL.exists():
        yield
        return
    DENIAL.write_text("#!/bin/sh\nexit 101\n")
    DENIAL.chmod(0o755)
    try:
        yield
    finally:
        DENIAL.unlink()


def install(missing: list[str]) -> None:
    """Install Debian packages, or say what to install."""
    if os.geteuid() or not shutil.which("apt-get"):
        raise SystemExit(f"linkflow: install {' and '.join(missing)} (this installs Debian packages as root)")
    say(f"installing the Debian packages {' and '.join(missing)} ...")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
    with started_by_nobody():
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            subprocess.run(["apt-get", "update", "--quiet=2"], env=environment, check=True)
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    """Install what is missing, start both servers and wait."""
    subprocess.run([sys.executable, Path(__file__).with_name("deploy_tools.py")], check=True)
    if missing := [package for package, find in PACKAGES.items() if find() is None]:
        install(missing)
    for find in PACKAGES.values():
        say(f"there is {find()}")
    if sys.argv[1:] == ["--install-only"]:
        return
    servers: list[Server] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for start, name in ((start_redis, "LINKFLOW_REDIS_URL"), (start_rabbitmq, "LINKFLOW_RABBITMQ_URL")):
            servers.append(start())
            print(f"export {name}={servers[-1].url}", flush=True)
        say("both run until Ctrl-C; choose one with LINKFLOW_QUEUE=redis or LINKFLOW_QUEUE=rabbitmq")
        signal.pause()
    except ServerMissing as error:
        raise SystemExit(f"linkflow: {error}") from error
    except KeyboardInterrupt:
        say("stopped")
    finally:
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()
