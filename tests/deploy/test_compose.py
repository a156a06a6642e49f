"""The Compose file: complete, limited, and without a secret in it."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linkflow.apps.secret_files import SUFFIX
from linkflow.apps.serve_roles import PORTS
from linkflow.apps.settings import SETTINGS
from linkflow.ports.cluster import ROLES
from linkflow.testing.deploying import find_compose

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "compose"


def compose() -> Any:
    """Read the file."""
    return msgspec.yaml.decode((FOLDER / "compose.yaml").read_bytes())


def ours() -> dict[str, Any]:
    """Pick the services that are LinkFlow."""
    return {name: each for name, each in compose()["services"].items() if "linkflow" in each["image"]}


def script() -> Any:
    """Load scripts/compose.py."""
    spec = importlib.util.spec_from_file_location("compose_script", ROOT / "scripts" / "compose.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_role_is_a_service() -> None:
    """C20: each of the roles runs in a container of its own, beside one that migrates."""
    roles = {each["command"][2] for each in ours().values() if each["command"][0] == "serve"}

    assert set(ROLES) == roles


def test_probes_ask_where_the_process_answers() -> None:
    """Each container is probed on the port of its role."""
    serving = [each for each in ours().values() if each["command"][0] == "serve"]

    assert [f"http://127.0.0.1:{PORTS[each['command'][2]]}/ready" for each in serving] == [
        each["healthcheck"]["test"][-1] for each in serving
    ]


def test_containers_are_limited_and_looked_at() -> None:
    """Every container has limits; those that stay are restarted and, where they answer, probed."""
    services = compose()["services"]
    unlimited = [
        name
        for name, each in services.items()
        if name != "bucket" and "memory" not in each["deploy"]["resources"]["limits"]
    ]
    unseen = {name for name, each in services.items() if "healthcheck" not in each}

    assert ([], {"bucket", "migrate"}) == (unlimited, unseen)


def test_the_api_believes_the_edges_of_its_network() -> None:
    """The network that LINKFLOW_TRUSTED_PROXIES names is the one that the containers are in."""
    (inside,) = compose()["networks"]["inside"]["ipam"]["config"]

    assert {inside["subnet"]} == {each["environment"]["LINKFLOW_TRUSTED_PROXIES"] for each in ours().values()}


def test_settings_exist_and_secrets_are_files() -> None:
    """Each variable is a setting of LinkFlow, and each secret one is given as a file."""
    for each in ours().values():
        for name, value in each["environment"].items():
            setting = SETTINGS[name.removesuffix(SUFFIX) if value.startswith("/run/secrets/") else name]
            assert setting.metadata["secret"] == value.startswith("/run/secrets/"), name


def test_every_secret_is_made(tmp_path: Path) -> None:
    """The script makes exactly the secrets that the file names, once, for their owner only."""
    module = script()
    made = module.keep_secrets(tmp_path / "secrets")
    first = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    again = module.keep_secrets(tmp_path / "secrets")
    named = {Path(each["file"]).name for each in compose()["secrets"].values()}

    assert (True, False, named) == (made, again, set(first))
    assert 0o700 == (tmp_path / "secrets").stat().st_mode & 0o777
    assert first == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}


@pytest.mark.external
@pytest.mark.timeout(60)
def test_compose_takes_the_file(tmp_path: Path) -> None:
    """`docker compose config` reads the file without a complaint."""
    shutil.copytree(FOLDER, tmp_path / "deploy" / "compose", ignore=shutil.ignore_patterns("secrets"))
    script().keep_secrets(tmp_path / "deploy" / "compose" / "secrets")
    command = find_compose()
    if command is None:
        pytest.skip("Docker Compose is missing; `make services` installs it")
    done = subprocess.run(
        [*command, "config"],
        cwd=tmp_path / "deploy" / "compose",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
