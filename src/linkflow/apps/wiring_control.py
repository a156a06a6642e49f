"""The control plane put together: records, secrets, use cases, the application."""

from dataclasses import dataclass

from linkflow.adapters.memory import MemoryCache, MemoryEventBus
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.records import SqlRecords
from linkflow.adapters.vault import AesSecretBox, BcryptHasher, JwtSigner, keep_key
from linkflow.apps.settings import Settings
from linkflow.control.accounts import Accounts
from linkflow.control.activation import Activation
from linkflow.control.actor import Audit
from linkflow.control.credentials import Broker, Credentials
from linkflow.control.executables import Executables
from linkflow.control.executions import Executions
from linkflow.control.plane import ControlPlane
from linkflow.control.variables import Variables
from linkflow.control.workflows import Workflows
from linkflow.domain.node import Catalog
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.outbound import BlobStore
from linkflow.ports.services import Frontend, Visibility
from linkflow.ports.stores import SpecStore

SEALING_KEY = "sealing.key"
SIGNING_SECRET = "linkflow.secret"  # noqa: S105  the name of a file
OWNER_EMAIL = "owner@localhost"


@dataclass(frozen=True, kw_only=True)
class EngineSide:
    """What the control plane needs of the engine."""

    frontend: Frontend
    visibility: Visibility
    specs: SpecStore
    blobs: BlobStore
    catalog: Catalog


@dataclass(frozen=True, kw_only=True)
class ControlSide:
    """What the engine needs of the control plane; made before the engine is.

    Attributes:
        secret: Signs callbacks and tokens (LINKFLOW_SECRET).
        broker: Opens credentials for workers.
    """

    settings: Settings
    records: SqlRecords
    box: AesSecretBox
    broker: Broker
    bus: MemoryEventBus
    cache: MemoryCache
    secret: str
    clock: Clock
    ids: IdSource


def open_control(settings: Settings, database: Database, clock: Clock, ids: IdSource) -> ControlSide:
    """Open records and keys; keys are made at the first start."""
    keys = settings.home / "keys"
    box = AesSecretBox({"k1": bytes.fromhex(keep_key(keys, SEALING_KEY))}, "k1")
    records = SqlRecords(database)
    return ControlSide(
        settings=settings,
        records=records,
        box=box,
        broker=Broker(records, box),
        bus=MemoryEventBus(),
        cache=MemoryCache(),
        secret=keep_key(keys, SIGNING_SECRET, given=settings.secret),
        clock=clock,
        ids=ids,
    )


def build_control(side: ControlSide, engine: EngineSide) -> ControlPlane:
    """Put the use cases together."""
    records, cache, bus, clock, ids = side.records, side.cache, side.bus, side.clock, side.ids
    audit = Audit(clock, ids)
    variables = Variables(records, cache)
    executables = Executables(records, engine.specs, engine.catalog, cache)
    activation = Activation(engine.catalog, side.box, cache, bus, clock, ids)
    return ControlPlane(
        accounts=Accounts(records, BcryptHasher(), JwtSigner(side.secret), cache, clock, ids),
        workflows=Workflows(records, executables, activation, audit, bus, clock, ids),
        executions=Executions(
            engine.frontend,
            engine.visibility,
            engine.specs,
            records,
            executables,
            variables,
            engine.blobs,
            ids,
        ),
        credentials=Credentials(records, side.box, audit, clock, ids),
        variables=variables,
        catalog=engine.catalog,
        records=records,
        bus=bus,
        cache=cache,
        clock=clock,
    )
