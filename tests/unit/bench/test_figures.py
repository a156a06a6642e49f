"""The arithmetic of the bench."""

from bench.meter import Process, Reading, percentile, spent, tree
from bench.report import report
from bench.subject import NODES
from bench.suite import Sample, middle
from bench.targets import Measured, Target, targets
from bench.workloads import workloads

from linkflow.domain.workflow.check import check
from linkflow.domain.workflow.spec import parse
from linkflow.nodes.registry import BUILTIN, NodeRegistry


def sample(rate: float, foreign: float = 0.0) -> Sample:
    """Make a run up."""
    return Sample(
        rate=rate,
        p50_ms=1.0,
        p99_ms=2.0,
        count=100,
        errors={},
        drain_s=0.0,
        cpu_us={"linkflow": 100.0, "postgres": 50.0, "driver": 10.0},
        parts_us={},
        bytes={"events": 500.0, "wal": 2_000.0, "tables": 1_000.0},
        foreign=foreign,
        busy=0.5,
    )


def test_a_tree_leaves_out_trees_inside_it() -> None:
    """A process group counts its descendants, without those that belong to another group."""
    table = {
        1: Process(0, 1.0),
        2: Process(1, 1.0),
        3: Process(2, 1.0),
        4: Process(1, 1.0),
        9: Process(0, 1.0),
    }

    assert {1, 4} == tree(table, 1, but=[2])


def test_what_no_group_used_was_taken_by_strangers() -> None:
    """The foreign share is what was busy beyond the measured groups, out of the whole machine."""
    before = Reading(at=0.0, machine_s=0.0, busy_s=0.0, groups={"ours": 10.0})
    after = Reading(at=5.0, machine_s=10.0, busy_s=8.0, groups={"ours": 16.0})

    assert 0.2 == round(spent(before, after).foreign, 9)


def test_a_percentile_is_one_of_the_values() -> None:
    """The 99th percentile of a hundred values is the largest but none invented."""
    assert 100.0 == percentile([float(value) for value in range(1, 101)], 0.99)


def test_a_disturbed_run_does_not_count() -> None:
    """The run that counts is the median of those that strangers left alone."""
    chosen = middle([sample(1.0, 0.5), sample(10.0), sample(30.0), sample(20.0)])

    assert 20.0 == chosen.rate


def test_the_least_disturbed_run_counts_when_none_was_quiet() -> None:
    """On a machine that is never quiet the least disturbed run counts."""
    assert 7.0 == middle([sample(9.0, 0.6), sample(7.0, 0.3)]).rate


def test_a_target_is_missed_from_its_own_side() -> None:
    """A rate is missed from below, a time from above; what was not measured is neither missed nor reached."""
    verdicts = [
        Target("rate", "executions/s", 100.0, Measured(99.0, 0.0)).verdict,
        Target("rate", "executions/s", 100.0, Measured(100.0, 0.0)).verdict,
        Target("time", "s", 3.0, Measured(2.9, 0.0), is_least=False).verdict,
        Target("time", "s", 3.0, Measured(3.1, 0.0), is_least=False).verdict,
        Target("time", "s", 3.0, None).verdict,
    ]

    assert ["missed", "reached", "reached", "missed", ""] == verdicts


def test_strangers_excuse_a_target() -> None:
    """A target that was not reached while others used the machine is disturbed, not missed."""
    assert "disturbed" == Target("rate", "executions/s", 100.0, Measured(50.0, 0.5)).verdict


FOUND = {
    "at": "2026-11-21",
    "machine": {"cores": 2, "cpu": "some", "python": "3.11", "postgres": "18"},
    "limits": {"committed_rows": 250_000.0, "fsyncs": 10_000.0},
    "rows": [
        {
            "workload": "effects10",
            "title": "10 durable effect steps",
            "nodes": 10,
            "way": "process",
            "best": 32,
            "loads": {
                "1": {"rate": 100.0, "p50_ms": 9.0, "p99_ms": 9.0, "foreign": 0.0},
                "32": {
                    "rate": 600.0,
                    "p50_ms": 9.0,
                    "p99_ms": 9.0,
                    "count": 1_200,
                    "drain_s": 0.0,
                    "cpu_us": {"linkflow": 1_000.0, "postgres": 300.0, "driver": 0.0},
                    "bytes": {"events": 3_000.0, "wal": 9_000.0, "tables": 6_000.0},
                    "foreign": 0.0,
                },
            },
        }
    ],
    "peers": {
        "dbos async effects10": {
            "loads": {
                "1": {"rate": 20.0, "p50_ms": 1.0, "p99_ms": 1.0, "cpu_us": {"peer": 1.0}, "foreign": 0.0},
                "10": {"rate": 30.0, "p50_ms": 1.0, "p99_ms": 1.0, "cpu_us": {"peer": 1.0}, "foreign": 0.0},
            }
        }
    },
}


def test_a_peer_is_compared_at_its_best() -> None:
    """The ratio to a peer takes the best load of both sides in the same run."""
    ratio = next(goal.measured for goal in targets(FOUND) if "async steps" in goal.title)

    assert Measured(20.0, 0.0) == ratio


def test_the_report_says_the_cost_of_a_node() -> None:
    """The table divides the CPU of an execution by its nodes."""
    text = report(FOUND, targets(FOUND))

    assert "| 10 durable effect steps, in its process | 1,000 | 100 | 300 |" in text


def test_every_workload_is_a_sound_workflow() -> None:
    """The bench measures workflows that the editor would accept without a word."""
    catalog = NodeRegistry(BUILTIN, {"bench": NODES})
    problems = [
        (each.name, problem)
        for each in workloads("http://127.0.0.1:1/x")
        for problem in check(parse(each.spec), catalog)
    ]

    assert [] == problems
