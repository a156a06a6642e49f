"""Private Redis, RabbitMQ and S3 servers: on free ports of 127.0.0.1, in a folder that is thrown away.

They die with the process that started them, kill -9 included. Start them from a thread that lives as long as
they should, such as the main thread.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RABBIT_FOLDERS = ("/usr/lib/rabbitmq/bin", "/usr/local/lib/rabbitmq/bin", "/opt/homebrew/sbin")
PATIENCE_S = 90.0
LOOK_S = 0.05
S3_KEY, S3_SECRET, S3_BUCKET = "linkflow", "linkflow-secret", "linkflow"
_PR_SET_PDEATHSIG = 1


class ServerMissing(Exception):
    """A server is not installed, or does not start."""


@dataclass
class Server:
    """A server that runs.

    Attributes:
        name: Which, with its path.
        url: Where it answers.
    """

    name: str
    url: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def stop(self) -> None:
        """Stop it and remove what it kept. Safe to repeat."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pause(self) -> None:
        """Stop its last process as it stands; connections stay open and nobody answers."""
        self.processes[-1].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self.processes[-1].send_signal(signal.SIGCONT)


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def find_redis() -> Path | None:
    """Find an installed Redis or Valkey server."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def find_rabbitmq() -> Path | None:
    """Find an installed RabbitMQ; the start script itself, not the wrapper that changes the account."""
    for folder in RABBIT_FOLDERS:
        if (Path(folder) / "rabbitmq-server").exists():
            return Path(folder) / "rabbitmq-server"
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


def start_redis(port: int | None = None) -> Server:
    """Start a Redis that keeps nothing on disk.

    Args:
        port: Of 127.0.0.1; by default one that is free.

    Raises:
        ServerMissing: None is installed, or it does not start.
    """
    binary = find_redis()
    if binary is None:
        raise ServerMissing("no redis-server or valkey-server is installed")
    port, folder = port or free_port(), Path(tempfile.mkdtemp(prefix="linkflow-redis-"))
    server = Server(f"redis ({binary})", f"redis://127.0.0.1:{port}/0", folder)
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server.processes.append(_spawn([*command, "--dir", str(folder)], folder, {}))
    _await_port(server, port, b"PING\r\n", b"+PONG")
    return server


def start_rabbitmq() -> Server:
    """Start a RabbitMQ node with a name, a cookie and an epmd of its own.

    Raises:
        ServerMissing: None is installed, or it does not start.
    """
    binary, epmd = find_rabbitmq(), shutil.which("epmd")
    if binary is None or epmd is None:
        raise ServerMissing("no rabbitmq-server is installed")
    port, names, links = free_port(), free_port(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="linkflow-rabbitmq-"))
    plugins, config = folder / "plugins", folder / "rabbitmq.conf"
    plugins.write_text("[].\n")
    config.write_text("log.console = true\nlog.console.level = warning\nheartbeat = 10\n")
    environment = {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "HOME": str(folder),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_DIST_PORT": str(links),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_NODENAME": f"linkflow-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none",  # spare the processor while it waits
        "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the node, so that the kernel can end it with us
    }
    server = Server(f"rabbitmq ({binary})", f"amqp://guest:guest@127.0.0.1:{port}/", folder)
    server.processes.append(_spawn([epmd, "-port", str(names), "-address", "127.0.0.1"], folder, environment))
    server.processes.append(_spawn([str(binary)], folder, environment))
    _await_port(server, port, b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00")
    return server


def start_s3(*, key: str = S3_KEY, secret: str = S3_SECRET, bucket: str = S3_BUCKET) -> Server:
    """Start an S3 server (rclone) with one bucket, which checks signatures.

    Raises:
        ServerMissing: None is installed, or it does not start.
    """
    beside = Path(sys.executable).parent / "rclone"
    binary = beside if beside.exists() else shutil.which("rclone")
    if binary is None:
        raise ServerMissing("no rclone is installed")
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="linkflow-s3-"))
    (folder / "data" / bucket).mkdir(parents=True)
    server = Server(f"s3 ({binary})", f"http://127.0.0.1:{port}", folder)
    command = [str(binary), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    environment = {"RCLONE_AUTH_KEY": f'"{key},{secret}"', "RCLONE_CONFIG": str(folder / "rclone.conf")}
    server.processes.append(_spawn([*command, str(folder / "data")], folder, environment))
    _await_port(server, port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1")
    return server


def _spawn(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a process that the kernel ends with this one."""
    parent, libc = os.getpid(), ctypes.CDLL(None, use_errno=True)

    def die_with_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with (folder / "output").open("ab") as output:
        return subprocess.Popen(  # noqa: S603  the servers found above
            command,
            cwd=folder,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us
            preexec_fn=die_with_parent,
        )


def _await_port(server: Server, port: int, asks: bytes, answers: bytes) -> None:
    """Wait until the server speaks its protocol."""
    until = time.monotonic() + PATIENCE_S
    while not _speaks(port, asks, answers):
        if server.processes[-1].poll() is not None or time.monotonic() > until:
            said = (server.folder / "output").read_text(errors="replace")[-500:]
            server.stop()
            raise ServerMissing(f"{server.name} did not start: {said}")
        time.sleep(LOOK_S)


def _speaks(port: int, asks: bytes, answers: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(asks)
            return connection.recv(len(answers)) == answers
    except OSError:
        return False
