"""One process of a split LinkFlow, as `linkflow serve --roles` runs it, with the bench's node types.

    python -m bench.part ROLES

It says its ports as a JSON line once it reaches everybody that it needs, and ends with its stdin.
"""

import asyncio
import json
import os
import sys

import uvloop

from bench.subject import NODES, arrivals
from linkflow.apps.serve import collect_rarely
from linkflow.apps.serve_roles import roles_of, serving_roles
from linkflow.apps.settings import load
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.telemetry import set_up

LOOK_S = 0.05


async def main(text: str) -> None:
    """Serve some roles until nobody wants them any more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    settings = load(os.environ, lambda text: None)
    set_up(settings.log_level, as_json=True, secrets=())
    nodes = NodeRegistry(BUILTIN, {"bench": NODES})
    async with serving_roles(settings, roles_of(text), nodes=nodes) as serving:
        while True:
            if not serving.process.missing():
                break
            await asyncio.sleep(LOOK_S)
        collect_rarely()
        print(json.dumps({"ports": dict(serving.ports)}), file=answers, flush=True)
        await (await arrivals()).read()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
