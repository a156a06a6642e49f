"""Mail leaves by a real SMTP server or as files, and an outbox keeps what a server refuses."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from pathlib import Path

import pytest
import pytest_asyncio

from linkflow.adapters.mail import FolderMailer, MailUnavailable, SmtpMailer
from linkflow.control.post import CLAIM_S, LIMITS
from linkflow.ports.outbound import Mail, Mailer
from linkflow.testing.control import Stage
from linkflow.testing.mail_server import Mailbox

SENDER = "linkflow@example.com"
MAIL = Mail(
    id="3f0c", to="ann@example.com", subject="Grüße\r\nBcc: eve@example.com", text="Zeile eins\n.\nzwei"
)


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Run a mail server that wants a password."""
    async with Mailbox.open(password="p@ss") as box:
        yield box


@pytest.mark.parametrize("kind", ["smtp", "folder"])
async def test_a_letter_arrives_whole(mailbox: Mailbox, tmp_path: Path, kind: str) -> None:
    """A letter arrives once, with its text, and a line break in its subject makes no further head."""
    mailer: Mailer = (
        SmtpMailer(mailbox.url, SENDER) if kind == "smtp" else FolderMailer(tmp_path / "mail", SENDER)
    )
    await mailer.send(MAIL)
    files = [message_from_bytes(file.read_bytes()) for file in tmp_path.glob("mail/*.eml")]
    found = mailbox.letters if kind == "smtp" else files
    letter = found[0]

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
async def test_a_server_that_refuses_is_said_in_words(mailbox: Mailbox, url: str) -> None:
    """A server that is away, or refuses the password, is `mail.unavailable` and says which setting."""
    if url == "wrong password":
        url = mailbox.url.replace("p%40ss", "wrong")
    with pytest.raises(MailUnavailable, match="LINKFLOW_SMTP_URL"):
        await SmtpMailer(url, SENDER).send(MAIL)


async def test_no_letter_is_lost_while_the_server_is_away(
    mailbox: Mailbox, database_dsn: str, tmp_path: Path
) -> None:
    """A request never waits for the mail server; what it refused is sent when it is back, and once."""
    stage = await Stage.open(database_dsn, tmp_path)
    stage.plane.post._mailer = SmtpMailer(mailbox.url, SENDER)  # the stage writes files otherwise
    mailbox.refuses = True
    asked = await stage.stranger.post(
        "/api/v1/auth/register", {"email": "ann@example.com", "password": "battery staple"}
    )
    await stage.plane.post.send_due()
    kept = await stage.database.pool.fetchrow("SELECT attempts, last_error, sealed FROM control.mails")
    mailbox.refuses = False
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
        len(mailbox.letters),
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


class Stubborn:
    """A mail server that meets a bug with letters to some."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, mail: Mail) -> None:
        """Take a letter."""
        if mail.to.startswith("bug"):
            raise RuntimeError("a bug")
        self.sent.append(mail.to)


async def written(stage: Stage, *receivers: str) -> None:
    """Put letters into the outbox."""
    for to in receivers:
        await stage.plane.post.write(stage.plane.records, to, "Hello", "text")


async def test_one_letter_that_cannot_be_sent_keeps_no_other_back(database_dsn: str, tmp_path: Path) -> None:
    """A bug with one letter puts that letter off, and the next one leaves."""
    stage = await Stage.open(database_dsn, tmp_path)
    mailer = stage.plane.post._mailer = Stubborn()
    await written(stage, "bug@example.com", "ann@example.com")
    done = await stage.plane.post.send_due()
    left = await stage.database.pool.fetchval("SELECT count(*) FROM control.mails")
    await stage.close()

    assert (2, ["ann@example.com"], 1) == (done, mailer.sent, left)


async def test_letters_to_one_address_hold_no_other(database_dsn: str, tmp_path: Path) -> None:
    """While a server hangs on the letters to one address, few are tried, and a letter to another arrives."""
    stage = await Stage.open(database_dsn, tmp_path)
    async with Mailbox.open() as box:
        box.hold("ann@example.com")
        stage.plane.post._mailer = SmtpMailer(box.url, SENDER)
        await written(stage, *["ann@example.com"] * 20)
        running = asyncio.create_task(stage.plane.post.run())
        await box.came("ann@example.com", LIMITS.of_place)
        await written(stage, "bob@example.com")
        stage.plane.post.nudge()
        await box.came("bob@example.com")
        tried = box.coming.count("ann@example.com")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await stage.close()

    assert LIMITS.of_place == tried


async def test_a_letter_that_is_under_way_is_nobody_elses(database_dsn: str, tmp_path: Path) -> None:
    """While a letter is being sent no other process takes it; if that process ends, it is sent again."""
    stage = await Stage.open(database_dsn, tmp_path)
    other = await stage.successor()
    async with Mailbox.open() as box:
        box.hold("ann@example.com")
        stage.plane.post._mailer = other.plane.post._mailer = SmtpMailer(box.url, SENDER)
        await written(stage, "ann@example.com")
        running = asyncio.create_task(stage.plane.post.run())
        await box.came("ann@example.com")
        meanwhile = await other.plane.post.send_due()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await other.clock.turn(CLAIM_S + 1)
        again = asyncio.create_task(other.plane.post.run())
        await box.came("ann@example.com", 2)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
    await stage.close()

    assert (0, 2) == (meanwhile, len(box.coming))
