"""Roles: what `--roles` may say, and what a process refuses before it starts."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from linkflow.adapters.grpc.trust import InsecureRefused
from linkflow.apps.serve_roles import PORTS, roles_of, serving_roles
from linkflow.apps.settings import SettingInvalid, Settings, load
from linkflow.ports.cluster import ROLES


def test_presets_and_roles() -> None:
    """C9: a preset stands for its roles, roles stand for themselves, and both may be mixed."""
    assert frozenset(ROLES) == roles_of("all")
    assert frozenset({"worker"}) == roles_of("worker")
    assert frozenset({"scheduler", "timer"}) == roles_of("scheduler")
    assert frozenset({"scheduler", "timer", "history"}) == roles_of(" scheduler, history ")
    assert {"rest", "frontend", "history", "matching", "visibility", "edge"} <= roles_of("api")


@pytest.mark.parametrize("text", ["", ",", "workers", "all,cook"])
def test_what_is_no_role(text: str) -> None:
    """A name that is no role is refused, and the roles there are are named."""
    with pytest.raises(SettingInvalid, match="role"):
        roles_of(text)


def test_every_role_has_a_port() -> None:
    """C1r, C8r, C9r: the seeds' ports are theirs, every role has one, and no two share it."""
    assert (8080, 8081, 8000) == (PORTS["frontend"], PORTS["edge"], PORTS["rest"])
    assert (set(ROLES), len(ROLES)) == (set(PORTS), len(set(PORTS.values())))


async def test_nobody_talks_in_the_clear_by_accident(tmp_path: Path) -> None:
    """Beyond one machine a process needs TLS or --insecure, and says so before it starts."""
    settings = replace(Settings(home=tmp_path), host="0.0.0.0")
    with pytest.raises(InsecureRefused, match="--insecure"):
        async with serving_roles(settings, {"history"}):
            pass


async def test_a_database_is_needed(tmp_path: Path) -> None:
    """A process beside others needs to know the database that they share."""
    settings = replace(Settings(home=tmp_path), ports=(("history", 0),))
    with pytest.raises(SettingInvalid, match="LINKFLOW_DATABASE_URL"):
        async with serving_roles(settings, {"history"}):
            pass


def test_ports_are_said_by_role() -> None:
    """LINKFLOW_PORTS gives roles other ports; a word that is no role is refused."""
    said = load({"LINKFLOW_PORTS": "history=7001, timer=0"}, lambda text: None)
    with pytest.raises(SettingInvalid, match="cook=1"):
        load({"LINKFLOW_PORTS": "cook=1"}, lambda text: None)

    assert (("history", 7001), ("timer", 0)) == said.ports


def test_a_process_without_the_api_starts_without_it() -> None:
    """What serves roles of the engine loads neither the framework of the REST API nor the control plane."""
    code = (
        "import sys, linkflow.apps.serve_roles;"
        "print([name for name in sys.modules if name == 'fastapi' or name.startswith('linkflow.control')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
