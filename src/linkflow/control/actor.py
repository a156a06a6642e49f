"""Who is asking, whether they may, and the line it leaves in the audit log."""

import msgspec

from linkflow.domain.access import EVERYTHING, may
from linkflow.domain.audit import AuditLine, redacted_object
from linkflow.domain.errors import Denied
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.records import Ledger


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in.

    Attributes:
        workspace_id: The tenant; nothing outside it is ever seen.
        role: In this workspace.
        scopes: What the key or token in use was given out for.
        sign_in_id: Which sign-in the token belongs to; empty for an API key.
        key_id: Which API key; empty for a sign-in.
        client_id: The API client that acts for the user; empty for the user in person.
        is_operator: May ban users of this installation.
        expires_at: When the token in use ends, seconds since 1970; None for a key without an end.
        address: Where the request comes from; empty for LinkFlow itself.
    """

    user_id: str
    workspace_id: str
    email: str
    role: str
    name: str = ""
    scopes: tuple[str, ...] = EVERYTHING
    sign_in_id: str = ""
    key_id: str = ""
    client_id: str = ""
    is_operator: bool = False
    expires_at: float | None = None
    address: str = ""

    @property
    def is_person(self) -> bool:
        """Whether the user acts in person, and not a key or an API client."""
        return bool(self.sign_in_id) and not self.client_id

    @property
    def via(self) -> str:
        """What the actor showed, as the audit log says it; empty for LinkFlow itself."""
        for kind, shown in (("client", self.client_id), ("key", self.key_id), ("sign-in", self.sign_in_id)):
            if shown:
                return f"{kind}:{shown}"
        return ""

    def may(self, permission: str) -> bool:
        """Say whether the role and the scopes hold a permission."""
        return may(self.role, permission, self.scopes)

    def require_person(self) -> None:
        """Go on only when the user acts in person: keys and API clients may not change the account.

        Raises:
            Denied: It is a key or an API client.
        """
        if not self.is_person:
            raise Denied("An API key or an API client may not do this; sign in.", permission="account")

    def require_operator(self) -> None:
        """Go on only when it is the user who runs this installation, in person.

        Raises:
            Denied: It is somebody else.
        """
        if not (self.is_operator and self.is_person):
            raise Denied("Only whoever runs this LinkFlow may do this.", permission="operator")

    def require(self, permission: str) -> None:
        """Go on only with a permission, such as `workflow.execute`.

        Raises:
            Denied: The role does not hold it, or the key or token was given out for less.
        """
        if self.may(permission):
            return
        if may(self.role, permission):
            raise Denied(f"This key or token was not given out for {permission}.", permission=permission)
        raise Denied(f"Your role {self.role!r} does not include {permission}.", permission=permission)


class Audit:
    """Writes who did what, in the transaction that does it."""

    def __init__(self, clock: Clock, ids: IdSource) -> None:
        self._clock, self._ids = clock, ids

    async def note(self, ledger: Ledger, actor: Actor, action: str, resource: str, **details: Json) -> None:
        """Write one line, such as `workflow.publish` on `workflow:<id>`, without what is named like a secret.

        Write it last in a transaction: whoever writes another line of this workspace waits for the end.
        """
        line = AuditLine(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            actor_id=actor.user_id,
            action=action,
            resource=resource,
            at=self._clock.now(),
            details=redacted_object(details),
            via=actor.via,
            address=actor.address,
        )
        await ledger.audit(line)
