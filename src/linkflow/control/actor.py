"""Who is asking, whether they may, and the line it leaves in the audit log."""

import msgspec

from linkflow.domain.access import may
from linkflow.domain.errors import Denied
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.records import AuditLine, Ledger


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in.

    Attributes:
        workspace_id: The tenant; nothing outside it is ever seen.
        sign_in_id: Which sign-in the token belongs to.
    """

    user_id: str
    workspace_id: str
    email: str
    role: str
    sign_in_id: str = ""

    def require(self, permission: str) -> None:
        """Go on only with a permission, such as `workflow.execute`.

        Raises:
            Denied: The role does not hold it.
        """
        if not may(self.role, permission):
            raise Denied(f"Your role {self.role!r} does not include {permission}.", permission=permission)


class Audit:
    """Writes who did what, in the transaction that does it."""

    def __init__(self, clock: Clock, ids: IdSource) -> None:
        self._clock, self._ids = clock, ids

    async def note(self, ledger: Ledger, actor: Actor, action: str, resource: str, **details: Json) -> None:
        """Write one line, such as `workflow.publish` on `workflow:<id>`."""
        line = AuditLine(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            actor_id=actor.user_id,
            action=action,
            resource=resource,
            at=self._clock.now(),
            details=details,
        )
        await ledger.audit(line)
