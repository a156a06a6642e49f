"""Everything the control plane offers, in one value: what REST, WebSocket and the scheduler are given."""

from dataclasses import dataclass

from linkflow.control.accounts import Accounts
from linkflow.control.credentials import Credentials
from linkflow.control.executions import Executions
from linkflow.control.variables import Variables
from linkflow.control.workflows import Workflows
from linkflow.domain.node import Catalog
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Cache, EventBus
from linkflow.ports.records import Records


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The use cases, by resource."""

    accounts: Accounts
    workflows: Workflows
    executions: Executions
    credentials: Credentials
    variables: Variables
    catalog: Catalog
    records: Records
    bus: EventBus
    cache: Cache
    clock: Clock
