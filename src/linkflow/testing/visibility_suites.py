"""Contract suite of the read model that is made from histories."""

from collections.abc import Sequence
from typing import Any

import pytest

from linkflow.domain.errors import Invalid, Kind, NodeError
from linkflow.ports.services import ExecutionQuery, ExecutionRow, LogLine, Projected
from linkflow.ports.stores import HistoryStore, VisibilityStore
from linkflow.ports.views import AttributeMatch
from linkflow.testing.fakes import NOW
from linkflow.testing.history_suites import STARTED, WORKSPACE, message, new_id, record

EVERYTHING = ExecutionQuery(workspace_id=WORKSPACE)


def row(execution: str, **fields: Any) -> ExecutionRow:
    """Say a row of the list."""
    return ExecutionRow(
        **{
            "execution_id": execution,
            "workspace_id": WORKSPACE,
            "workflow_id": "w1",
            "started_at": NOW,
            "version": 1,
            **fields,
        }
    )


class VisibilityStoreSuite:
    """What every VisibilityStore must do; provide the fixtures `store` and its `history`."""

    async def test_rows_come_back(self, store: VisibilityStore) -> None:
        """A row comes back as it was written."""
        failed = row(
            new_id(),
            status="failed",
            closed_at=NOW + 2.5,
            error=NodeError("http.status", Kind.TRANSIENT, "503", {"status": 503}),
            error_key="a#2",
            origin=new_id(),
            parent_id=new_id(),
            mode="test",
            trigger_kind="webhook",
            workflow_version=3,
        )
        await store.write([Projected(row=failed)], [])

        assert [failed] == list((await store.list(ExecutionQuery(workspace_id=WORKSPACE))).rows)

    async def test_old_news_changes_nothing(self, store: VisibilityStore) -> None:
        """Invariant 8: an older version of a row never replaces a newer one, in any order of arrival."""
        one = new_id()
        newer = row(one, version=7, status="completed", closed_at=NOW + 1)
        await store.write([Projected(row=row(one, version=2))], [])
        await store.write([Projected(row=newer)], [])
        await store.write([Projected(row=row(one, version=5))], [])

        assert [newer] == list((await store.list(ExecutionQuery(workspace_id=WORKSPACE))).rows)

    async def test_rows_and_messages_together(self, store: VisibilityStore, history: HistoryStore) -> None:
        """Writing rows forgets the messages they came from, and no others."""
        one = new_id()
        sent = [message(one, 1, "project"), message(one, 1, "callback", "http://x/")]
        await history.append(record(one, 0, STARTED, outbox=sent))
        await store.write([Projected(row=row(one))], [sent[0]])

        assert [sent[1]] == await history.messages(10, NOW + 100, callbacks=True)

    async def test_log_lines_twice(self, store: VisibilityStore) -> None:
        """Nodes and log lines may be written twice, whatever text is in them."""
        one = new_id()
        lines = [LogLine(at=NOW, event=2, key="a", level="info", message="h\0i", data={"n": 1})]
        nodes = [{"key": "a", "status": "success", "output": "a\0b"}]
        closed = Projected(row=row(one, version=3), nodes=nodes, logs=lines)
        await store.write([closed], [])
        await store.write([closed], [])

        assert (await store.count(ExecutionQuery(workspace_id=WORKSPACE)))["running"] == 1

    async def test_pages(self, store: VisibilityStore) -> None:
        """Pages follow one another, newest first, without a gap or a double."""
        ids = [new_id() for _ in range(7)]
        await store.write([Projected(row=row(one)) for one in ids], [])
        found: list[str] = []
        after = ""
        for _ in range(3):
            page = await store.list(ExecutionQuery(workspace_id=WORKSPACE, after=after, limit=3))
            found += [each.execution_id for each in page.rows]
            after = page.next

        assert (ids[::-1], "") == (found, after)

    async def test_a_foreign_cursor(self, store: VisibilityStore) -> None:
        """A cursor that is none is refused in words."""
        with pytest.raises(Invalid):
            await store.list(ExecutionQuery(workspace_id=WORKSPACE, after="page 2"))

    async def test_filters(self, store: VisibilityStore) -> None:
        """Every filter keeps what fits it, and no row of another workspace is ever shown."""
        parent = new_id()
        rows = [
            row(new_id()),
            row(new_id(), workflow_id="w2", status="failed"),
            row(new_id(), trigger_kind="webhook", mode="test", started_at=NOW + 50),
            row(new_id(), parent_id=parent),
            row(new_id(), workspace_id="22222222-2222-4222-8222-222222222222", workflow_id="w2"),
        ]
        await store.write([Projected(row=each) for each in rows], [])
        asked: Sequence[tuple[dict[str, Any], list[int]]] = (
            ({}, [3, 2, 1, 0]),
            ({"workflow_id": "w2"}, [1]),
            ({"status": ["failed", "completed"]}, [1]),
            ({"trigger_kind": "webhook"}, [2]),
            ({"mode": "test"}, [2]),
            ({"parent_id": parent}, [3]),
            ({"started_from": NOW + 50}, [2]),
            ({"started_to": NOW + 50}, [3, 1, 0]),
        )
        for fields, wanted in asked:
            query = ExecutionQuery(workspace_id=WORKSPACE, **fields)
            found = [each.execution_id for each in (await store.list(query)).rows]

            assert [rows[index].execution_id for index in wanted] == found, fields

        counted = await store.count(ExecutionQuery(workspace_id=WORKSPACE))

        assert counted == {"running": 3, "failed": 1}

    async def test_search(self, store: VisibilityStore) -> None:
        """C6r: every condition of a search keeps what fits; words of an error may be begun, in any order."""
        lost = NodeError("net.lost", Kind.TRANSIENT, "Connection to api.example lost after 30 s")
        rows = [
            row(
                new_id(),
                status="completed",
                closed_at=NOW + 0.25,
                attributes={"customer": "A-17", "amount": 12},
            ),
            row(new_id(), status="failed", closed_at=NOW + 90, error=lost, error_key="fetch_orders"),
            row(new_id(), status="waiting", attributes={"customer": "B-1", "amount": 7.5, "is_vip": True}),
            row(new_id(), workflow_id="w2", attributes={"amount": "12", "at": NOW}),
        ]
        await store.write([Projected(row=each) for each in rows], [])
        asked: Sequence[tuple[dict[str, Any], list[int]]] = (
            ({"error_code": "net.lost"}, [1]),
            ({"text": "connection LOST"}, [1]),
            ({"text": "fetch_ord"}, [1]),
            ({"text": "exam"}, [1]),
            ({"text": "onnection"}, []),
            ({"text": "':* | !"}, []),
            ({"text": rows[2].execution_id}, [2]),
            ({"text": "orders of today", "text_workflows": ["w2"]}, [3]),
            ({"closed_from": NOW + 1}, [1]),
            ({"closed_to": NOW + 1}, [0]),
            ({"min_duration_s": 0.25, "max_duration_s": 90}, [0]),
            ({"min_duration_s": 90}, [1]),
            ({"attributes": [AttributeMatch("customer", "=", "A-17")]}, [0]),
            ({"attributes": [AttributeMatch("is_vip", "=", True)]}, [2]),
            ({"attributes": [AttributeMatch("amount", "=", 12)]}, [0]),
            ({"attributes": [AttributeMatch("amount", ">=", 7.5)]}, [2, 0]),
            ({"attributes": [AttributeMatch("amount", ">=", 8), AttributeMatch("amount", "<=", 12)]}, [0]),
            ({"status": ["failed", "timed_out"]}, [1]),
            ({"status": ["waiting", "running"]}, [3, 2]),
        )
        for fields, wanted in asked:
            query = ExecutionQuery(workspace_id=WORKSPACE, **fields)
            found = [each.execution_id for each in (await store.list(query)).rows]

            assert [rows[index].execution_id for index in wanted] == found, fields

    async def test_attributes_come_back(self, store: VisibilityStore) -> None:
        """Attributes come back as they were written, and a newer row replaces them."""
        one, before, after = new_id(), {"a": "x\0y", "n": 1.5}, {"b": True}
        await store.write([Projected(row=row(one, attributes=before))], [])
        first = (await store.list(ExecutionQuery(workspace_id=WORKSPACE))).rows[0].attributes
        await store.write([Projected(row=row(one, version=2, attributes=after))], [])
        second = (await store.list(ExecutionQuery(workspace_id=WORKSPACE))).rows[0].attributes

        assert (1.5, after) == (first["n"], second)

    async def test_counts(self, store: VisibilityStore) -> None:
        """Rows are counted by status, workflow, trigger, error, hour, day, duration, largest first."""
        broken = NodeError("net.lost", Kind.TRANSIENT, "lost")
        rows = [
            row(new_id(), status="completed", closed_at=NOW + 0.05),
            row(new_id(), status="completed", closed_at=NOW + 4, workflow_id="w2", trigger_kind="webhook"),
            row(new_id(), status="failed", closed_at=NOW + 9e5, error=broken),
            row(new_id(), started_at=NOW + 7200),
        ]
        await store.write([Projected(row=each) for each in rows], [])
        found = {}
        for group in ("status", "workflow", "trigger", "error", "duration", "hour", "day"):
            query = ExecutionQuery(workspace_id=WORKSPACE, group_by=group)
            found[group] = dict(await store.count(query))

        assert found["status"] == {"completed": 2, "failed": 1, "running": 1}
        assert (list(found["workflow"]), found["trigger"]) == (["w1", "w2"], {"manual": 3, "webhook": 1})
        assert (found["error"], found["duration"]) == ({"net.lost": 1}, {"0.1": 1, "5": 1, "inf": 1})
        assert (list(found["hour"].values()), sum(found["day"].values())) == ([3, 1], 4)
        with pytest.raises(Invalid):
            await store.count(ExecutionQuery(workspace_id=WORKSPACE, group_by="weather"))

    async def test_the_newest_of_each_workflow(self, store: VisibilityStore) -> None:
        """A quiet workflow shows its few rows beside a busy one's newest; no other workspace shows."""
        busy = [row(new_id()) for _ in range(9)]
        quiet = [row(new_id(), workflow_id="w2") for _ in range(2)]
        strange = row(new_id(), workspace_id="22222222-2222-4222-8222-222222222222", workflow_id="w2")
        await store.write([Projected(row=each) for each in (*quiet, *busy, strange)], [])
        found = await store.latest(WORKSPACE, ["w2", "w3", "w1"], 4)
        ids = {
            name: [each.execution_id for each in found if each.workflow_id == name] for name in ("w1", "w2")
        }

        assert ids == {
            "w1": [each.execution_id for each in reversed(busy[-4:])],
            "w2": [each.execution_id for each in reversed(quiet)],
        }
        assert len(found) == 6

    async def test_rows_made_again(self, store: VisibilityStore, history: HistoryStore) -> None:
        """A row that is gone or stale is written again; a newer one stays; every history is listed once."""
        one, other = sorted((new_id(), new_id()))
        for each in (one, other):
            await history.append(record(each, 0, STARTED))
        await store.write([Projected(row=row(other, version=3, status="completed", closed_at=NOW + 1))], [])
        await store.rewrite([Projected(row=row(one)), Projected(row=row(other, version=2))])
        found = {each.execution_id: each.status for each in (await store.list(EVERYTHING)).rows}

        assert ({one: "running", other: "completed"}, [one], [other]) == (
            found,
            list(await store.executions("", 1)),
            list(await store.executions(one, 5)),
        )
