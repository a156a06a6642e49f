"""Notifications: messages by e-mail, to Slack and to webhooks leave through one outbox.

transaction ──▶ control.notifications (sealed) ──▶ Mailer, Slack, receiver; not taken: again after 1 min … 2 h

What breaks: the receiver (five tries in two and a half hours, a letter for three days), this process (what it
claimed is due again after CLAIM_S, under the same id), the database (tried again). So a message leaves once,
or a second time under the same id when a process ends between sending it and writing that down.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import msgspec

from linkflow.control.broker import Broker
from linkflow.control.post import FIRST_RETRY_S, GIVE_UP_S, LONGEST_RETRY_S
from linkflow.control.sending import Limits, Sending, quietly
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.notification import Refused, masked, slack_message, slack_refusal
from linkflow.domain.subscription import GONE, instant, message_headers, message_id, next_try_s
from linkflow.domain.values import Json, encode_json
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus
from linkflow.ports.notifications import Notification
from linkflow.ports.outbound import HttpClient, HttpRequest, HttpResponse, Mail, Mailer
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import logger

LOG = logger("notifications")
TOPIC = "notifications"
CLAIM_S = 60.0
LOOK_S = 1.0
BUSY_S = 0.01
TIMEOUT_S = 15.0
ANSWER_BYTES = 64 * 1024
LONGEST_ERROR = 500
SLACK_API = "https://slack.com/api"
MAILS = Limits(most=16, of_workspace=8, of_place=2)
CALLS = Limits(most=64, of_workspace=16, of_place=8)
"""To Slack and webhooks, apart from e-mail, so that a slow mail server holds none of them."""
MOST_TRIES = 50
"""Tries of a message whose receiver says each time when to come again."""

Gather = Callable[[], Awaitable[int]]
"""Makes notifications of what happened since; how many."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, and where.

    Attributes:
        kind: email, slack or webhook.
        to: Address of an e-mail, or channel in Slack.
        url: Of a webhook, or Slack's incoming webhook.
        secret: Signs a webhook's message.
        credential: Slack credential of the workspace; instead of `url`.
        link: Where a person goes on; empty for nowhere.
        event: What a webhook's message calls it.
        data: What a webhook's message says.
    """

    kind: str
    title: str
    text: str
    to: str = ""
    url: str = ""
    secret: str = ""
    credential: str = ""
    link: str = ""
    event: str = ""
    data: Json = None

    @property
    def receiver(self) -> str:
        """Whom it goes to, as people may see it."""
        return self.to if self.kind == "email" or not self.url else masked(self.url)


class Notifications:
    """Takes messages and sees that they arrive."""

    def __init__(
        self,
        records: Records,
        mailer: Mailer,
        http: HttpClient,
        broker: Broker,
        box: SecretBox,
        bus: EventBus,
        clock: Clock,
        *,
        slack_api: str = SLACK_API,
    ) -> None:
        self._records, self._mailer, self._http, self._broker = records, mailer, http, broker
        self._box, self._bus, self._clock, self._slack_api = box, bus, clock, slack_api
        self._sendings = [
            Sending(
                partial(records.notifications.claim, is_mail=is_mail),
                self._send,
                clock,
                limits,
                claim_s=CLAIM_S,
            )
            for is_mail, limits in ((True, MAILS), (False, CALLS))
        ]

    async def write(
        self,
        records: Records,
        workspace_id: str,
        letter: Letter,
        *,
        source: str,
        subject: str,
        happening: str,
        is_test: bool = False,
    ) -> Notification:
        """Put a message into the outbox, within a transaction; call `nudge` once it is durable.

        Args:
            records: Of the transaction.
            workspace_id: Whose.
            letter: What is sent.
            source: What it comes from, `alert:<id>` or `approval:<id>`.
            subject: What it is about.
            happening: What happened; the same one is told the same receiver once.
            is_test: Whether somebody tried the channel.
        """
        now = self._clock.now()
        where = f"{source} {letter.kind} {letter.to} {letter.url} {letter.credential}"
        found_id = message_id(where, happening)
        found = Notification(
            id=found_id,
            workspace_id=workspace_id,
            source=source,
            subject=subject,
            kind=letter.kind,
            receiver=letter.receiver,
            title=letter.title,
            sealed=self._box.seal(msgspec.msgpack.encode(letter), _place(found_id)),
            at=now,
            is_test=is_test,
            due_at=now,
        )
        await records.notifications.add(found)
        return found

    def nudge(self) -> None:
        """Let messages leave now."""
        self._bus.publish(TOPIC)

    async def run(self, gathers: Sequence[Gather] = ()) -> None:
        """Gather and send until cancelled."""
        with ExitStack() as topics:
            async with asyncio.TaskGroup() as group:
                for sending in self._sendings:
                    group.create_task(sending.run(topics.enter_context(self._bus.subscribe(TOPIC))))
                news = topics.enter_context(self._bus.subscribe(TOPIC))
                while True:
                    made = [await quietly(each) for each in gathers]
                    if any(made):
                        for sending in self._sendings:
                            sending.wake()
                    await news.nudged(BUSY_S if any(made) else LOOK_S)

    async def send_due(self) -> int:
        """Send messages that are due and have room, and wait for them; how many were."""
        return sum([await sending.once() for sending in self._sendings])

    async def _send(self, found: Notification) -> None:
        """Try a message once, and write how it went."""
        error, wait_s = "", None
        try:
            letter = msgspec.msgpack.decode(self._box.open(found.sealed, _place(found.id)), type=Letter)
            await self._deliver(letter, found)
        except Refused as refusal:
            error, wait_s = str(refusal), refusal.again_s
            if found.attempts + 1 >= MOST_TRIES:
                wait_s = None
            elif wait_s is None and not refusal.is_final:
                wait_s = next_try_s(found.attempts + 1)
        except LinkFlowError as failure:
            error = f"{failure.code}: {failure}"
            wait_s = self._wait_s(found)
        except Exception:  # it gets its tries like any other, so that it comes to an end
            LOG.exception("not sent", id=found.id)
            error = "internal: something went wrong on our side; the log says more"
            wait_s = self._wait_s(found)
        state = "sent" if not error else "failed" if wait_s is None else "pending"
        after = msgspec.structs.replace(
            found,
            state=state,
            due_at=None if wait_s is None else self._clock.now() + wait_s,
            attempts=found.attempts + 1,
            error=error[:LONGEST_ERROR],
            sealed=b"" if state == "sent" else found.sealed,
        )
        if error:
            LOG.warning("not taken", id=found.id, kind=found.kind, state=state, reason=error)
        await self._records.notifications.settle(after)

    def _wait_s(self, found: Notification) -> float | None:
        """Say when a message that did not arrive is tried again; a letter waits longer for its server."""
        if found.kind != "email":
            return next_try_s(found.attempts + 1)
        if self._clock.now() - found.at > GIVE_UP_S:
            return None
        return min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(found.attempts, 10))

    async def _deliver(self, letter: Letter, found: Notification) -> None:
        """Send a message.

        Raises:
            Refused: The receiver does not take it.
            LinkFlowError: It was not reached.
        """
        match letter.kind:
            case "email":
                text = f"{letter.text}\n\n{letter.link}\n" if letter.link else f"{letter.text}\n"
                await self._mailer.send(Mail(id=found.id, to=letter.to, subject=letter.title, text=text))
            case "slack":
                await self._to_slack(letter, found)
            case _:
                await self._to_webhook(letter, found)

    async def _to_slack(self, letter: Letter, found: Notification) -> None:
        """Send a message to Slack: its incoming webhook, or as the bot of a credential."""
        said = slack_message(letter.title, letter.text, letter.link)
        if letter.url:
            answer = await self._posted(letter.url, {}, encode_json(said))
            refusal = slack_refusal(answer.status, answer.headers, answer.body, is_api=False)
        else:
            fields = await self._broker.open(found.workspace_id, letter.credential, "notifications")
            headers = {"Authorization": f"Bearer {fields.get('token')}"}
            body = encode_json({**said, "channel": letter.to})
            answer = await self._posted(f"{self._slack_api}/chat.postMessage", headers, body)
            refusal = slack_refusal(answer.status, answer.headers, answer.body, is_api=True)
        if refusal is not None:
            raise refusal

    async def _to_webhook(self, letter: Letter, found: Notification) -> None:
        """Send a message to a webhook, signed as messages to subscriptions are."""
        body = encode_json(
            {
                "type": letter.event,
                "timestamp": instant(found.at),
                "workspace_id": found.workspace_id,
                "data": letter.data,
            }
        )
        headers = message_headers([letter.secret], found.id, letter.event, body, self._clock.now())
        answer = await self._posted(letter.url, headers, body)
        if not 200 <= answer.status < 300:
            raise Refused(f"It answered with {answer.status}.", is_final=answer.status == GONE)

    async def _posted(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        """Post JSON through the guard."""
        request = HttpRequest(
            method="POST",
            url=url,
            headers={**headers, "Content-Type": "application/json"},
            body=body,
            timeout_s=TIMEOUT_S,
            max_bytes=ANSWER_BYTES,
            follow_redirects=False,
        )
        return await self._http.send(request)


def _place(notification_id: str) -> str:
    """What the sealed content of a message belongs to."""
    return f"notification:{notification_id}"
