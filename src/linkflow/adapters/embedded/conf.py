"""The three configuration files of the embedded server."""

from collections.abc import Mapping
from pathlib import Path

SETTINGS: Mapping[str, str] = {
    # Reached through one socket, by this user, and in no other way.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # A laptop shares its memory with other things.
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # Appends, many and small, each durable before it is answered.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_buffers": "16MB",
    "wal_compression": "on",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",  # more would make recovery after a power cut slower than a restart may be
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    # Say what matters, in one language and one time zone.
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

NEWER: Mapping[int, Mapping[str, str]] = {18: {"io_method": "sync"}}
"""Settings that exist from this major version on; `sync` saves three processes that appends do not need."""


def quoted(value: str) -> str:
    """Quote a value for postgresql.conf."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def files(
    *, major: int, folder: Path, socket: Path, user: str, extra: Mapping[str, str]
) -> Mapping[str, str]:
    """Write out the configuration files.

    Args:
        major: Major version of the server.
        folder: Where the files will lie.
        socket: Folder of the socket.
        user: Name under which the server's kernel call sees the one who may connect.
        extra: Settings that differ from ours.

    Returns:
        `{"<file name>": "<text>"}`
    """
    settings = dict(SETTINGS)
    for since, newer in NEWER.items():
        settings |= newer if major >= since else {}
    settings |= extra
    settings |= {
        "unix_socket_directories": '"' + str(socket).replace('"', '""') + '"',
        "hba_file": str(folder / "hba.conf"),
        "ident_file": str(folder / "ident.conf"),
    }
    lines = [f"{name} = {quoted(value)}" for name, value in settings.items()]
    return {
        "postgresql.conf": "# Written by LinkFlow at every start; ALTER SYSTEM is the place for changes.\n"
        + "\n".join(lines)
        + "\n",
        "hba.conf": "local all linkflow peer map=linkflow\nlocal all all reject\nhost all all all reject\n",
        "ident.conf": f'linkflow "{user}" linkflow\n',
    }
