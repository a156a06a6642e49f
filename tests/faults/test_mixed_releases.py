"""An older release beside this one on one database: upgraded and rolled back under load.

The workflows are such as the older one knows; it has neither a rate nor a debounce.
"""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.testing.load import PLAIN, Load, starting
from linkflow.testing.processes import Deployment
from linkflow.testing.storm import Outside

OLDER = "50f152e8a1493c81bdb241722bd60991ed0a1dff"
"""The first release that runs as processes of roles; whoever has to break with it names a newer one here."""

UNITS = ("rest,frontend,history,visibility,control-plane", "matching,timer,scheduler", "worker")
PER_S = 40.0
AMONG = 60
"""Starts between two steps."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def older(tmp_path: Path) -> str:
    """Unpack the older release; its folder, as PYTHONPATH has it. Without git's history, it is this one."""
    root = Path(__file__).parents[2]
    asked = ["git", "-C", str(root), "archive", OLDER, "src/linkflow"]
    found = subprocess.run(asked, capture_output=True, check=False)
    if found.returncode:
        return str(root / "src")
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(tmp_path / "older", filter="data")
    return str(tmp_path / "older" / "src")


async def replace(split: Deployment, load: Load, before: str, after: str, **environment: str) -> None:
    """Start one release beside the other and stop the other, process by process."""
    for unit in UNITS:
        split.start(unit, called=f"{after} {unit}", **environment)
        await split.ready(f"{after} {unit}")
        await load.reached(load.acknowledged + AMONG)
        assert await split.stop(f"{before} {unit}") == 0, split.said(f"{before} {unit}")
        await load.reached(load.acknowledged + AMONG)


async def test_an_upgrade_and_a_roll_back_under_load(
    database: Database, tmp_path: Path, older: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A10: both releases work side by side, and none of what either of them took in fails."""
    async with (
        Outside.serving() as outside,
        Deployment.running(database.dsn, tmp_path / "split", []) as split,
    ):
        for unit in UNITS:
            split.start(unit, called=f"older {unit}", PYTHONPATH=older)
        await split.ready()
        async with starting(database, outside, PER_S, PLAIN) as load:
            await load.reached(AMONG)
            await replace(split, load, "older", "this")
            await replace(split, load, "this", "older again", PYTHONPATH=older)
        found, silences = await load.judged()
    said = (
        f"mixed releases ({older}): {load.acknowledged} executions, {load.refused} starts asked again, "
        f"failed {found.errors}, longest silence p99 {silences.p99_s:.1f} max {silences.most_s:.1f} s"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert ([], {}) == (load.broken(found), found.errors), said
