"""Life of an event that starts many workflows: one durable event, one batch, each execution once."""

import dataclasses
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from linkflow.testing.coordination_suites import until
from linkflow.testing.live import Live, settings_of, started

MANY = 12
LISTENING: dict[str, Any] = {
    "trigger": {"id": "on", "type": "trigger.event", "config": {"event": "order.paid"}},
    "nodes": [{"id": "note", "type": "data.set", "config": {"values": {"sum": "{{trigger.data.sum}}"}}}],
    "edges": [{"source": "on", "target": "note"}],
}


async def ran(live: Live, times: int, before: int = 0) -> list[str]:
    """Publish events, and say the workflow of every execution that completed, sorted."""
    for number in range(times):
        answer = await live.post("/events/order.paid", {"data": {"sum": number}})
        assert answer.status == 202, answer.body
    rows = await live.listed(
        lambda found: (
            len(found) >= MANY * (before + times) and {each["status"] for each in found} == {"completed"}
        )
    )
    return sorted(each["workflow_id"] for each in rows)


async def test_many_workflows_hear_one_event(live: Live) -> None:
    """K6: an event starts every workflow that listens to it, once each."""
    workflows = [await live.active(LISTENING, f"Listener {number}") for number in range(MANY)]

    assert sorted(workflows) == await ran(live, 1)


async def is_there(connection: AbstractConnection) -> bool:
    """Say whether the queue of large events is declared."""
    try:
        async with connection.channel() as channel:
            await channel.declare_queue("linkflow.webhook_events", passive=True)
    except ChannelNotFoundEntity:
        return False
    return True


@pytest.mark.external
@pytest.mark.timeout(60)  # a broker takes a while to start
async def test_a_batch_goes_through_rabbitmq(database_dsn: str, rabbitmq_url: str, tmp_path: Path) -> None:
    """E4, E5: with a RabbitMQ the executions of an event are spread as one batch; a wipe does no harm."""
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path), rabbitmq_url=rabbitmq_url)
    async with await aio_pika.connect(rabbitmq_url) as connection, started(settings) as live:
        channel = await connection.channel()
        workflows = [await live.active(LISTENING, f"Listener {number}") for number in range(MANY)]
        await until(lambda: is_there(connection))
        once = await ran(live, 1)
        seen = await channel.declare_queue("linkflow.webhook_events", passive=True)
        await channel.queue_delete("linkflow.webhook_events")
        all_of_them = await ran(live, 2, before=1)
        events = (await live.get("/inbox")).json["data"]

    assert (sorted(workflows), sorted(workflows * 3)) == (once, all_of_them)
    assert (0, {"done"}) == (seen.declaration_result.message_count, {each["state"] for each in events})
