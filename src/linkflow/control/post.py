"""The post: letters leave through an outbox, so that no request waits for a mail server and none is lost.

transaction ──▶ control.mails (sealed) ──▶ Mailer; not delivered: again after 30 s, 1 min … for three days
"""

import msgspec

from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.identity import OutgoingMail
from linkflow.ports.outbound import Mail, Mailer
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import logger

LOG = logger("post")
TOPIC = "mails"
BATCH = 20
CLAIM_S = 120.0
IDLE_S = 30.0
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

    async def write(self, records: Records, to: str, subject: str, text: str) -> None:
        """Put a letter into the outbox, within a transaction; call `nudge` once it is durable.

        A letter to nobody is written and thrown away, so that asking for one takes as long as for another.
        """
        now, mail_id = self._clock.now(), self._ids.uuid()
        letter = Mail(id=mail_id, to=to, subject=subject, text=text)
        sealed = self._box.seal(msgspec.msgpack.encode(letter), f"mail:{mail_id}")
        await records.mails.add(OutgoingMail(id=mail_id, sealed=sealed, due_at=now, created_at=now))

    def nudge(self) -> None:
        """Let letters leave now."""
        self._bus.publish(TOPIC)

    async def run(self) -> None:
        """Send whatever is due, then rest until the next is; until cancelled."""
        with self._bus.subscribe(TOPIC) as nudges:
            while True:
                try:
                    sent = await self.send_due()
                    rest_s = 0.0 if sent == BATCH else await self._rest_s()
                except Unavailable:
                    rest_s = 1.0
                if rest_s > 0:
                    await nudges.nudged(rest_s)

    async def send_due(self) -> int:
        """Send letters that are due, at most a batch; how many were."""
        now = self._clock.now()
        due = await self._records.mails.claim(now, now + CLAIM_S, BATCH)
        for sent, mail in enumerate(due):
            if self._clock.now() > now + CLAIM_S / 2:  # a slow server: others may soon claim what is left
                return sent
            await self._send(mail)
        return len(due)

    async def _send(self, mail: OutgoingMail) -> None:
        """Send one letter, or put it off; a bug with one must not keep the others back."""
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

    async def _rest_s(self) -> float:
        """Say how long nothing is due."""
        next_at = await self._records.mails.next_due_at()
        if next_at is None:
            return IDLE_S
        return min(IDLE_S, max(0.01, next_at - self._clock.now()))
