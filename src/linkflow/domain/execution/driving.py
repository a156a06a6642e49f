"""What moves an execution on, as people are told it; `drivers.py` finds it."""

from collections.abc import Sequence

import msgspec

from linkflow.domain.values import Json


class Driver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What moves an open execution on: the answer to "what does it wait for".

    Attributes:
        kind: task (no worker has it yet), worker, retry, look_up, timer, event, approval, child, person,
            ticket, rate, debounce, ready (the next turn follows at once), grace, quarantine, budget.
        message: One sentence.
        since: Seconds since 1970.
        until: When it ends by itself, if it does.
        can: What a person may do: signal, resolve, skip, retry, cancel, grant, release, raise, stop.
        token: Resume token, for those who may see it.
    """

    kind: str
    message: str
    key: str = ""
    node_id: str = ""
    label: str = ""
    attempt: int = 0
    since: float | None = None
    until: float | None = None
    name: str = ""
    match: str = ""
    child_id: str = ""
    token: str = ""
    can: Sequence[str] = ()
    data: Json = None
