"""Meters: CPU time and memory of process trees, the share that strangers take, percentiles."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
HZ = os.sysconf("SC_CLK_TCK")
QUIET = 0.15
"""Share of the machine that strangers may take in a run that counts."""

LOOK_S = 0.2


@dataclass(frozen=True)
class Process:
    """One line of the process table: its parent, and its CPU seconds with those of children it has reaped."""

    parent: int
    cpu_s: float


@dataclass(frozen=True)
class Reading:
    """All meters at one instant.

    Attributes:
        at: Monotonic seconds.
        machine_s: CPU seconds that this machine's cores had to give since it started.
        busy_s: Those of them that somebody used; not what niced processes got, who step aside.
        groups: CPU seconds by the name of a group of processes.
    """

    at: float
    machine_s: float
    busy_s: float
    groups: Mapping[str, float]


@dataclass(frozen=True)
class Spent:
    """What was used between two readings.

    Attributes:
        seconds: Time that went by.
        cpu_s: CPU seconds by group.
        foreign: Share of the whole machine that processes of no group took, 0 to 1.
        busy: Share of the whole machine that anybody took, 0 to 1.
    """

    seconds: float
    cpu_s: Mapping[str, float]
    foreign: float
    busy: float


def processes() -> dict[int, Process]:
    """Read the process table."""
    found = {}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        found[int(folder.name)] = Process(int(fields[1]), sum(map(int, fields[11:15])) / HZ)
    return found


def tree(table: Mapping[int, Process], root: int, but: Iterable[int] = ()) -> set[int]:
    """List a process and its descendants, without the trees of some."""
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
    left, found, excluded = [root], set[int](), set(but)
    while left:
        pid = left.pop()
        if pid in table and pid not in excluded and pid not in found:
            found.add(pid)
            left += children.get(pid, [])
    return found


class Meter:
    """Reads groups of processes; a process that belongs to two groups counts in the inner one."""

    def __init__(self, roots: Mapping[str, Sequence[int]]) -> None:
        self._roots = roots

    def read(self) -> Reading:
        """Read all meters now."""
        table = processes()
        known = {pid for pids in self._roots.values() for pid in pids}
        groups = {
            name: sum(table[pid].cpu_s for root in roots for pid in tree(table, root, known - {root}))
            for name, roots in self._roots.items()
        }
        times = list(map(int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]))
        return Reading(
            at=time.monotonic(),
            machine_s=sum(times) / HZ,
            busy_s=(sum(times) - times[1] - times[3] - times[4]) / HZ,
            groups=groups,
        )


def spent(before: Reading, after: Reading) -> Spent:
    """Say what was used between two readings of one meter."""
    machine_s = after.machine_s - before.machine_s or 1 / HZ
    busy_s = after.busy_s - before.busy_s
    cpu_s = {name: max(0.0, after.groups[name] - before.groups[name]) for name in after.groups}
    return Spent(
        seconds=after.at - before.at,
        cpu_s=cpu_s,
        foreign=min(1.0, max(0.0, (busy_s - sum(cpu_s.values())) / machine_s)),
        busy=min(1.0, busy_s / machine_s),
    )


class Patience:
    """Waits until strangers leave the machine to us, but not for long in all."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    @property
    def is_over(self) -> bool:
        """Whether it has waited enough."""
        return self._left_s <= 0

    def wait(self, meter: Meter) -> None:
        """Wait for a quiet moment."""
        while not self.is_over:
            before = meter.read()
            time.sleep(LOOK_S)
            if spent(before, meter.read()).foreign < QUIET:
                return
            self._left_s -= LOOK_S


def memory_mb(pid: int) -> float:
    """Say how much memory one process holds (RSS), in MB of 1,000,000 bytes."""
    pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """Find the value below which a share of the values lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
