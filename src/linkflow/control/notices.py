"""Notices: letters to those who run a workspace, when something there waits for them."""

import msgspec

from linkflow.control.post import TOPIC
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.identity import OutgoingMail
from linkflow.ports.outbound import Mail
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox

TOLD = ("owner", "admin")
"""Roles that are told."""


class Notices:
    """Writes notices into the outbox; `control.post` sees that they arrive."""

    def __init__(self, box: SecretBox, bus: EventBus, clock: Clock, ids: IdSource) -> None:
        self._box, self._bus, self._clock, self._ids = box, bus, clock, ids

    async def write(self, records: Records, workspace_id: str, subject: str, text: str) -> None:
        """Write a notice, within a transaction; call `nudge` once it is durable."""
        now = self._clock.now()
        workspace = await records.tenancy.workspace(workspace_id)
        for member in await records.tenancy.members(workspace_id):
            if member.role not in TOLD:
                continue
            mail_id = self._ids.uuid()
            letter = Mail(
                id=mail_id, to=member.email, subject=f"[{workspace.name}] {subject}", text=f"{text}\n"
            )
            sealed = self._box.seal(msgspec.msgpack.encode(letter), f"mail:{mail_id}")
            await records.mails.add(OutgoingMail(id=mail_id, sealed=sealed, due_at=now, created_at=now))

    def nudge(self) -> None:
        """Let notices leave now."""
        self._bus.publish(TOPIC)
