"""The process that is killed while it counts: `usage_child.py HOME URL load|judge`.

`load` starts executions until it is killed, and says a line when it is ready; `judge` waits until all are
over, has two schedulers roll usage up twice each at once, and says what histories and ledger hold, as JSON.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.sql.usage import SqlUsage
from linkflow.adapters.system import SystemClock
from linkflow.apps.installation import Installation, installation
from linkflow.apps.settings import Settings
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.workflow.spec import WorkflowSpec, canonical_spec, content_hash
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.ports.services import StartExecution
from linkflow.ports.upkeep import Fenced
from linkflow.telemetry import set_up
from linkflow.testing.builders import node, spec
from linkflow.testing.ledger import Judgement, Reporting, folded, months, plain, told
from linkflow.testing.storm import left

WORKSPACE = "11111111-1111-4111-8111-111111111111"
STARTERS = 4
PAUSE_S = 0.02
LOOK_S = 0.2
NODES = NodeRegistry((*BUILTIN, Reporting()))


def workflow(url: str) -> WorkflowSpec:
    """Say a workflow whose nodes report amounts: in a chain, in a loop, beside each other."""
    look = f"{url}/look"
    return spec(
        "t -> ask -> each",
        "t -> text",
        "each.body -> item",
        ask=node("test.report", url=look, used={"ai_tokens": 812.5, "ms": 3}),
        text=node("test.report", url=look, used={"sms_parts": 2, "airtime_cents": 100}),
        each=node("logic.loop", items=[1, 2, 3], parallelism=2),
        item=node("test.report", url=look, used={"ai_tokens": 7}),
    )


async def start_for_ever(running: Installation, spec_hash: str) -> None:
    """Start executions."""
    while True:
        try:
            await running.engine.frontend.start(
                StartExecution(
                    workspace_id=WORKSPACE,
                    workflow_id="counted",
                    spec_hash=spec_hash,
                    metered=("attempts", "node_ms"),
                )
            )
        except LinkFlowError:
            continue
        await SystemClock().sleep(PAUSE_S)


async def roll_up(usage: SqlUsage, token: int) -> None:
    """Roll up twice, as one scheduler; an older one is refused."""
    for _ in range(2):
        try:
            await usage.roll_up(token)
        except Fenced:
            return


async def judge(running: Installation) -> Judgement:
    """Wait until all are over, then say what there is."""
    database, clock = running.database, SystemClock()
    while await left(database):
        await clock.sleep(LOOK_S)
    found = await folded(database, WORKSPACE, NODES)
    by_day = await told(database, WORKSPACE)
    usage = SqlUsage(database)
    await asyncio.gather(roll_up(usage, 1_000_001), roll_up(usage, 1_000_002))
    return Judgement(
        folded=plain(found),
        told=plain(by_day),
        months=plain(months(found)),
        told_months=plain(await told(database, WORKSPACE, by_month=True)),
    )


async def main(home: Path, url: str, task: str) -> None:
    """Live."""
    settings = Settings(home=home, outbound_allow=("127.0.0.1",), owner_password="a storm is coming")
    async with installation(settings, lambda text: None, nodes=NODES) as running:
        counted = workflow(url)
        spec_hash = content_hash(counted)
        await SqlSpecStore(running.database).put(WORKSPACE, spec_hash, canonical_spec(counted))
        await running.engine.recovery.recovered.wait()
        if task == "judge":
            sys.stdout.write(msgspec.json.encode(await judge(running)).decode() + "\n")
            return
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.gather(*(start_for_ever(running, spec_hash) for _ in range(STARTERS)))


if __name__ == "__main__":
    set_up("error", as_json=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
