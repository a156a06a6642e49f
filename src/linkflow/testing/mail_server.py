"""A real mail server for tests: it keeps every letter, and refuses while it is told to."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult

GENEROUS_S = 15.0


class Mailbox:
    """What a mail server on 127.0.0.1 took.

    Attributes:
        url: `smtp://127.0.0.1:<port>`, with name and password where it wants one.
        letters: Oldest first.
        refuses: Whether it says to come again later.
        coming: Receivers of every letter that began to come, oldest first.
    """

    def __init__(self) -> None:
        self.url = ""
        self.letters: list[Message] = []
        self.refuses = False
        self.coming: list[str] = []
        self._came = asyncio.Condition()
        self._held: dict[str, asyncio.Event] = {}

    def hold(self, receiver: str) -> None:
        """Let letters to an address wait for their answer until the block is left."""
        self._held[receiver] = asyncio.Event()

    async def came(self, receiver: str, times: int = 1) -> None:
        """Wait until letters to an address began to come.

        Raises:
            TimeoutError: They did not, in 15 seconds.
        """
        async with asyncio.timeout(GENEROUS_S), self._came:
            await self._came.wait_for(lambda: self.coming.count(receiver) >= times)

    @classmethod
    @asynccontextmanager
    async def open(cls, password: str = "") -> AsyncIterator["Mailbox"]:
        """Listen on a free port until the block is left; with a password, only `ann` may send."""
        box, loop = cls(), asyncio.get_running_loop()

        def allowed(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=data.password == password.encode(), handled=False)

        def talk() -> SMTP:
            if not password:
                return SMTP(box, loop=loop)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it rightly says that a password without TLS is no good idea
                return SMTP(box, authenticator=allowed, auth_required=True, auth_require_tls=False, loop=loop)

        server = await loop.create_server(talk, "127.0.0.1", 0)
        name = f"ann:{quote(password, safe='')}@" if password else ""
        box.url = f"smtp://{name}127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield box
        finally:
            for held in box._held.values():
                held.set()
            server.close()
            await server.wait_closed()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Take a letter."""
        async with self._came:
            self.coming.extend(envelope.rcpt_tos)
            self._came.notify_all()
        for receiver in envelope.rcpt_tos:
            if receiver in self._held:
                await self._held[receiver].wait()
        if self.refuses:
            return "451 try again later"
        self.letters.append(message_from_bytes(envelope.content))
        return "250 OK"
