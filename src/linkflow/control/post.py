"""The post: letters leave through an outbox, so that no request waits for a mail server and none is lost.

Several are under way at once, few of them to one address: what is slow holds nothing else.

transaction ──▶ control.mails (sealed) ──▶ Mailer; not delivered: again after 30 s, 1 min … for three days
"""

from hashlib import sha256

import msgspec

from linkflow.control.sending import Limits, Sending
from linkflow.domain.errors import LinkFlowError
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.identity import OutgoingMail
from linkflow.ports.outbound import Mail, Mailer
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import logger

LOG = logger("post")
TOPIC = "mails"
LIMITS = Limits(most=16, of_workspace=16, of_place=2)
CLAIM_S = 120.0
FIRST_RETRY_S = 30.0
LONGEST_RETRY_S = 3600.0
GIVE_UP_S = 3 * 24 * 3600.0


class Post:
    """Takes letters and sees that they arrive."""

    def __init__(
        self, records: Records, mailer: Mailer, box: SecretBox, bus: EventBus, clock: Clock, ids: IdSource
    ) -> None:
        self._records, self._mailer, self._box = records, mailer, box
        self._bus, self._clock, self._ids = bus, clock, ids
        self._sending = Sending(records.mails.claim, self._send, clock, LIMITS, claim_s=CLAIM_S)

    async def write(self, records: Records, to: str, subject: str, text: str) -> None:
        """Put a letter into the outbox, within a transaction; call `nudge` once it is durable.

        A letter to nobody is written and thrown away, so that asking for one takes as long as for another.
        """
        now, mail_id = self._clock.now(), self._ids.uuid()
        letter = Mail(id=mail_id, to=to, subject=subject, text=text)
        sealed = self._box.seal(msgspec.msgpack.encode(letter), f"mail:{mail_id}")
        place = sha256(to.lower().encode()).hexdigest()[:16]
        await records.mails.add(
            OutgoingMail(id=mail_id, sealed=sealed, due_at=now, created_at=now, place=place)
        )

    def nudge(self) -> None:
        """Let letters leave now."""
        self._bus.publish(TOPIC)

    async def run(self) -> None:
        """Send whatever is due until cancelled."""
        with self._bus.subscribe(TOPIC) as nudges:
            await self._sending.run(nudges)

    async def send_due(self) -> int:
        """Send letters that are due and have room, and wait for them; how many were."""
        return await self._sending.once()

    async def _send(self, mail: OutgoingMail) -> None:
        """Send one letter, or put it off."""
        try:
            letter = msgspec.msgpack.decode(self._box.open(mail.sealed, f"mail:{mail.id}"), type=Mail)
            if letter.to:
                await self._mailer.send(letter)
        except Exception as error:
            if not isinstance(error, LinkFlowError):
                LOG.exception("not sent", mail_id=mail.id)
            now = self._clock.now()
            if now - mail.created_at > GIVE_UP_S:
                LOG.error("given_up", mail_id=mail.id, reason=str(error))
            else:
                wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(mail.attempts - 1, 10))
                await self._records.mails.put_off(mail.id, now + wait_s, str(error)[:500])
                LOG.warning("put_off", mail_id=mail.id, again_in_s=wait_s, reason=str(error))
                return
        await self._records.mails.sent(mail.id)
