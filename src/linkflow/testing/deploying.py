"""Where the tools are that read what is in deploy/: helm, schemas of Kubernetes, Docker Compose."""

import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(sys.prefix) / "share" / "deploy"
"""Made by scripts/deploy_tools.py."""


def find_helm() -> Path | None:
    """Find helm."""
    helm = TOOLS / "helm"
    return helm if helm.exists() else None


def find_compose() -> list[str] | None:
    """Find Docker Compose of either generation, as the command that runs it."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    docker = shutil.which("docker")
    if docker is None:
        return None
    asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)  # noqa: S603  as found
    return None if asked.returncode else [docker, "compose"]
