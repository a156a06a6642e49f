"""Events by name: they start workflows with an event trigger and go to executions that wait for them."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.activation import canonical_type
from linkflow.control.actor import Actor
from linkflow.control.inbox import Inbox
from linkflow.control.plans import Plans
from linkflow.domain.errors import ExecutionClosed, NotFound
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json, decode_json, derived_execution_id, encode_json
from linkflow.domain.workflow.spec import parse
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records, WorkflowQuery
from linkflow.ports.services import Frontend, SignalExecution
from linkflow.ports.triggers import Start, TriggerEvent

KEPT_S = 30.0
PAGE = 100


class Listener(msgspec.Struct, frozen=True):
    """An event trigger of an active workflow."""

    event: str
    fields: Mapping[str, Json]
    start: Start


class Published(msgspec.Struct, frozen=True):
    """What became of an event: the executions it starts and those it was sent to."""

    event: TriggerEvent
    signalled: Sequence[str]


class Events:
    """Publish events."""

    def __init__(
        self,
        records: Records,
        frontend: Frontend,
        inbox: Inbox,
        catalog: Catalog,
        prepared: Prepared,
        clock: Clock,
        ids: IdSource,
        plans: Plans,
    ) -> None:
        self._plans = plans
        self._records, self._frontend = records, frontend
        self._inbox, self._catalog, self._prepared = inbox, catalog, prepared
        self._clock, self._ids = clock, ids

    async def publish(
        self, actor: Actor, name: str, *, key: str = "", data: Json = None, dedup_key: str = ""
    ) -> Published:
        """Publish an event; return when it is durable and every waiting execution has it.

        Safe to repeat with a dedup key.

        Raises:
            LimitReached, WorkspaceLocked: The workspace has no room for what the event would start; nobody
                was told of it.
        """
        actor.require("workflow.execute")
        at_ms, event_id = int(self._clock.now() * 1000), self._ids.uuid()
        starts = [
            msgspec.structs.replace(
                each.start, execution_id=derived_execution_id(at_ms, event_id, each.start.workflow_id)
            )
            for each in await self._listeners(actor.workspace_id)
            if each.event == name and _fits(each.fields, data)
        ]
        for _ in starts:
            await self._plans.admit(actor.workspace_id)
        payload = {"event": name, "key": key, "data": data}
        event = TriggerEvent(
            id=event_id,
            workspace_id=actor.workspace_id,
            source_id=f"{actor.workspace_id}:{name}",
            at_ms=at_ms,
            kind="event",
            data=encode_json(payload),
            dedup_key=dedup_key,
            state="pending" if starts else "done",
            starts=starts,
        )
        kept = await self._records.trigger_events.keep(event, self._inbox.held_s)
        if kept.id == event.id and starts:
            self._inbox.push(event, payload)
        return Published(kept, await self._signal_waiting(actor.workspace_id, kept.id, name, key, data))

    async def _listeners(self, workspace_id: str) -> Sequence[Listener]:
        """List the event triggers of active workflows."""
        found: Sequence[Listener] | None = self._prepared.get(f"listeners:{workspace_id}")
        if found is None:
            found = await self._find_listeners(workspace_id)
            self._prepared.put(f"listeners:{workspace_id}", found, KEPT_S)
        return found

    async def _find_listeners(self, workspace_id: str) -> Sequence[Listener]:
        """Read every active workflow for its event triggers."""
        found: list[Listener] = []
        query = WorkflowQuery(workspace_id=workspace_id, is_active=True, limit=PAGE)
        while True:
            page = await self._records.workflows.list(query)
            for workflow in page[:PAGE]:
                version = await self._records.workflows.version(workspace_id, workflow.id, workflow.version)
                for node in parse(decode_json(version.spec)).every_node():
                    if node.disabled or canonical_type(self._catalog, node) != "trigger.event":
                        continue
                    config = node.config
                    name = config.get("event") or config.get("eventType") or config.get("event_type") or ""
                    fields = config.get("filter") or config.get("eventFilter") or config.get("event_filter")
                    start = Start(
                        execution_id="",
                        workflow_id=workflow.id,
                        spec_hash=version.spec_hash,
                        workflow_version=version.number,
                        trigger=node.id,
                    )
                    found.append(Listener(str(name), fields if isinstance(fields, dict) else {}, start))
            if len(page) <= PAGE:
                return found
            query = msgspec.structs.replace(query, after=page[PAGE - 1].id)

    async def _signal_waiting(
        self, workspace_id: str, event_id: str, name: str, key: str, data: Json
    ) -> Sequence[str]:
        """Send an event to every execution that waits for it."""
        signalled: list[str] = []
        after = ""
        while page := await self._frontend.awaiting(workspace_id, name, key, after):
            for execution_id in page:
                signal = SignalExecution(
                    execution_id=execution_id, id=event_id, name=name, match=key, data=data
                )
                try:
                    await self._frontend.signal(signal)
                except (ExecutionClosed, NotFound):
                    continue  # it ended meanwhile
                signalled.append(execution_id)
            after = page[-1]
        return signalled

    def forget(self, workspace_id: str) -> None:
        """Look for event triggers again."""
        self._prepared.drop(f"listeners:{workspace_id}")


def _fits(fields: Mapping[str, Json], data: Json) -> bool:
    """Say whether an event's data has the fields that a trigger asks for."""
    if not fields:
        return True
    return isinstance(data, dict) and all(data.get(name) == value for name, value in fields.items())
