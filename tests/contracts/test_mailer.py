"""Mail leaves by a real SMTP server or as files, and an outbox keeps what a server refuses."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult

from linkflow.adapters.mail import FolderMailer, MailUnavailable, SmtpMailer
from linkflow.ports.outbound import Mail, Mailer
from linkflow.testing.control import Stage

SENDER = "linkflow@example.com"
MAIL = Mail(
    id="3f0c", to="ann@example.com", subject="Grüße\r\nBcc: eve@example.com", text="Zeile eins\n.\nzwei"
)


class Mailbox:
    """What a server takes, or refuses."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.refuses = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        """Take a letter."""
        if self.refuses:
            return "451 try again later"
        self.letters.append(envelope.content)
        return "250 OK"


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    """Run a mail server that wants a password; gives it and its address."""
    box, loop = Mailbox(), asyncio.get_running_loop()

    def allowed(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"p@ss", handled=False)

    def talk() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it rightly says that a password without TLS is no good idea
            return SMTP(box, authenticator=allowed, auth_required=True, auth_require_tls=False, loop=loop)

    server = await loop.create_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield box, f"smtp://ann:p%40ss@127.0.0.1:{port}"
    server.close()
    await server.wait_closed()


def read(content: bytes) -> Message:
    """Read a letter."""
    return message_from_bytes(content)


@pytest.mark.parametrize("kind", ["smtp", "folder"])
async def test_a_letter_arrives_whole(mailbox: tuple[Mailbox, str], tmp_path: Path, kind: str) -> None:
    """A letter arrives once, with its text, and a line break in its subject makes no further head."""
    box, url = mailbox
    mailer: Mailer = SmtpMailer(url, SENDER) if kind == "smtp" else FolderMailer(tmp_path / "mail", SENDER)
    await mailer.send(MAIL)
    found = box.letters if kind == "smtp" else [file.read_bytes() for file in tmp_path.glob("mail/*.eml")]
    letter = read(found[0])

    assert (1, "ann@example.com", None, "<3f0c@example.com>", "Zeile eins\n.\nzwei") == (
        len(found),
        letter["To"],
        letter["Bcc"],
        letter["Message-ID"],
        letter.get_payload(decode=True).decode().replace("\r\n", "\n").strip(),  # type: ignore[union-attr]
    )


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Letters hold links that sign in, so nobody else on the machine reads them."""
    await FolderMailer(tmp_path / "mail", SENDER).send(MAIL)
    file = next((tmp_path / "mail").glob("*.eml"))

    assert (0o700, 0o600) == ((tmp_path / "mail").stat().st_mode & 0o777, file.stat().st_mode & 0o777)


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:1", "wrong password"])
async def test_a_server_that_refuses_is_said_in_words(mailbox: tuple[Mailbox, str], url: str) -> None:
    """A server that is away, or refuses the password, is `mail.unavailable` and says which setting."""
    if url == "wrong password":
        url = mailbox[1].replace("p%40ss", "wrong")
    with pytest.raises(MailUnavailable, match="LINKFLOW_SMTP_URL"):
        await SmtpMailer(url, SENDER).send(MAIL)


async def test_no_letter_is_lost_while_the_server_is_away(
    mailbox: tuple[Mailbox, str], database_dsn: str, tmp_path: Path
) -> None:
    """A request never waits for the mail server; what it refused is sent when it is back, and once."""
    box, url = mailbox
    stage = await Stage.open(database_dsn, tmp_path)
    stage.plane.post._mailer = SmtpMailer(url, SENDER)  # the stage writes files otherwise
    box.refuses = True
    asked = await stage.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    await stage.plane.post.send_due()
    kept = await stage.database.pool.fetchrow("SELECT attempts, last_error, sealed FROM control.mails")
    box.refuses = False
    early = await stage.plane.post.send_due()
    await stage.clock.turn(31)
    late = await stage.plane.post.send_due()
    left = await stage.database.pool.fetchval("SELECT count(*) FROM control.mails")
    await stage.close()

    assert kept is not None
    assert (201, 1, True, False, 0, 1, 0, 1) == (
        asked.status,
        kept["attempts"],
        "451" in kept["last_error"],
        b"verify-email" in kept["sealed"],
        early,
        late,
        left,
        len(box.letters),
    )


async def test_letters_leave_as_soon_as_they_are_written(database_dsn: str, tmp_path: Path) -> None:
    """The post wakes up for a new letter, without anybody waiting for it."""
    stage = await Stage.open(database_dsn, tmp_path)
    running = asyncio.create_task(stage.plane.post.run())
    await stage.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    await stage.until(lambda: bool(list((tmp_path / "mail").glob("*.eml"))))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.close()
