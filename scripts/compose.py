"""Start every service in containers: make the secrets once, build the image, wait until all are healthy.

Usage: compose.py [--secrets-only]

Secrets are made up when they are missing and kept in deploy/compose/secrets, readable to their owner only.
"""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "compose"


def made_up() -> Mapping[str, str]:
    """Make up every secret, and the addresses and configuration files that hold them."""
    database, queue, broker, bucket = (secrets.token_urlsafe(24) for _ in range(4))
    return {
        "postgres_password": secrets.token_urlsafe(24),
        "postgres_linkflow_password": database,
        "database_url": f"postgresql://linkflow:{database}@postgres/linkflow_control",
        "engine_database_url": f"postgresql://linkflow:{database}@postgres/linkflow_engine",
        "redis_url": f"redis://:{queue}@valkey:6379/0",
        "valkey_conf": f"requirepass {queue}\nappendonly yes\nappendfsync everysec\ndir /data\n"
        "maxmemory 384mb\nmaxmemory-policy noeviction\n",
        "rabbitmq_url": f"amqp://linkflow:{broker}@rabbitmq:5672/linkflow",
        "rabbitmq_conf": f"default_user = linkflow\ndefault_pass = {broker}\ndefault_vhost = linkflow\n",
        "s3_secret": bucket,
        "linkflow_secret": secrets.token_hex(32),
        "owner_password": secrets.token_urlsafe(12),
    }


def keep_secrets(folder: Path) -> bool:
    """Write the secrets, all or none; whether they were made now."""
    if folder.exists():
        return False
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    for name, value in made_up().items():
        (half / name).write_text(value + ("" if value.endswith("\n") else "\n"))
        (half / name).chmod(0o444)  # each is mounted by itself, for users of other numbers
    half.rename(folder)
    return True


def main() -> None:
    """Make the secrets and start."""
    folder = FOLDER / "secrets"
    if keep_secrets(folder):
        print(f"linkflow: made the secrets in {folder}; back them up", flush=True)
    if sys.argv[1:] == ["--secrets-only"]:
        return
    command = ["docker", "compose", "up", "--build", "--detach", "--wait"]
    if subprocess.run(command, cwd=FOLDER, check=False).returncode:
        raise SystemExit(f"linkflow: `{' '.join(command)}` in {FOLDER} failed; what it says stands above.")
    print(f"linkflow: the API is on http://127.0.0.1:8000, its owner's password in {folder}/owner_password")


if __name__ == "__main__":
    main()
