"""How a cluster is, in one answer."""

from linkflow.adapters.system import SystemClock
from linkflow.api.cluster import Alone, status
from linkflow.ports.views import QueueView


async def test_tasks_that_nobody_takes_are_a_problem() -> None:
    """A queue with tasks and no worker makes the cluster unwell and says what to start; others do not."""
    alone = Alone(SystemClock())
    queues = [
        QueueView(name="default", depth=3, oldest_s=0.5, in_flight=2, credits=8, workers=1),
        QueueView(name="video", depth=7, oldest_s=61.2, in_flight=0, credits=0, workers=0),
        QueueView(name="idle", depth=0, oldest_s=0.0, in_flight=0, credits=0, workers=0),
    ]

    found = status(await alone.status(), alone, queues)
    well = status(await alone.status(), alone, queues[:1])
    unknown = status(await alone.status(), alone, None)

    assert {"tasks": 10, "oldest_s": 61.2, "in_flight": 2, "workers": 1, "unserved": ["video"]} == found[
        "waiting"
    ]
    assert (False, True, True) == (found["ok"], well["ok"], unknown["ok"])
    assert [
        "7 task(s) wait in the queue 'video', the first for 61 s, and no worker takes from it: "
        "start one (linkflow serve --roles worker)."
    ] == found["problems"]
    assert unknown["waiting"] is None
