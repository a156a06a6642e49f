"""Contract suites of what the scheduler's duties need."""

from typing import Any

import msgspec
import pytest

from linkflow.domain.errors import NotFound
from linkflow.ports.upkeep import DutyRun, DutyRuns, Fenced
from linkflow.testing.fakes import NOW


def run(number: int, **fields: Any) -> DutyRun:
    """Say a run that is asked for; higher numbers are later."""
    return DutyRun(**{"id": f"run-{number}", "duty": "vacuum", "asked_at": NOW + number, **fields})


def begun(asked: DutyRun, token: int = 1, **fields: Any) -> DutyRun:
    """Say the same run as the leader begins it."""
    began_at = asked.asked_at + 0.5
    return msgspec.structs.replace(
        asked, **{"outcome": "running", "token": token, "began_at": began_at, "holder": "me", **fields}
    )


class DutyRunsSuite:
    """What every DutyRuns must do; provide the fixture `store`."""

    async def test_runs_are_asked_for(self, store: DutyRuns) -> None:
        """Runs that are asked for are listed oldest first until they begin."""
        for number in (2, 1, 3):
            await store.ask(run(number, is_dry=number == 1, asked_by="ada"))
        assert await store.begin(begun(run(2)))

        assert [run(1, is_dry=True, asked_by="ada"), run(3, asked_by="ada")] == list(await store.asked())

    async def test_a_run_begins_once(self, store: DutyRuns) -> None:
        """Of two leaders that begin the same run one hears that it was first."""
        await store.ask(run(1))

        assert [await store.begin(begun(run(1))) for _ in range(2)] == [True, False]

    async def test_results_come_back(self, store: DutyRuns) -> None:
        """A run is read as it was written last, with its result."""
        await store.begin(begun(run(1)))
        ended = begun(run(1), outcome="done", ended_at=NOW + 9, result={"made": 3, "names": ["a", None]})
        await store.end(ended)
        with pytest.raises(NotFound):
            await store.get("run-2")

        assert ended == await store.get("run-1")

    async def test_the_newest_of_each(self, store: DutyRuns) -> None:
        """The newest run is the one begun last; dry runs and those only asked for do not count."""
        for each in (begun(run(2)), begun(run(1)), begun(run(3), is_dry=True), begun(run(4, duty="cron"))):
            await store.begin(each)
        await store.ask(run(5))

        assert {duty: found.id for duty, found in (await store.last()).items()} == {
            "vacuum": "run-2",
            "cron": "run-4",
        }

    async def test_yesterdays_leader_is_refused(self, store: DutyRuns) -> None:
        """C13r: once a newer token was seen, whoever holds an older one neither begins nor ends a run."""
        await store.begin(begun(run(1), token=1))
        await store.raise_fence(2)
        for late in (
            store.end(begun(run(1), token=1, outcome="done")),
            store.begin(begun(run(2), token=1)),
            store.raise_fence(1),
        ):
            with pytest.raises(Fenced):
                await late
        await store.end(begun(run(1), token=2, outcome="failed"))

        assert ((await store.get("run-1")).outcome, (await store.get("run-1")).token) == ("failed", 2)
