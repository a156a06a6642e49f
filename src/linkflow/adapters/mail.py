"""Mail: by SMTP, or into a folder where no server was named."""

import asyncio
import re
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote, urlsplit

from linkflow.domain.errors import Unavailable
from linkflow.ports.outbound import Mail
from linkflow.telemetry import logger

LOG = logger("mail")
TIMEOUT_S = 30.0
BYE_S = 5.0


class MailUnavailable(Unavailable):
    """The mail server did not take a letter."""

    code = "mail.unavailable"


def message(mail: Mail, sender: str) -> EmailMessage:
    """Write a letter as the internet's mail; a line break in a head's line is taken out."""
    found = EmailMessage(policy=SMTP)
    found["From"] = sender
    found["To"] = mail.to
    found["Subject"] = re.sub(r"[\r\n]+", " ", mail.subject)
    found["Date"] = formatdate()
    found["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(mail.text)
    return found


class SmtpMailer:
    """Hands letters to a mail server.

    Args:
        url: `smtp://user:password@host:587` (STARTTLS where the server offers it), or `smtps://…` (TLS).
        sender: Address that letters come from.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._url, self._sender = urlsplit(url), sender

    async def send(self, mail: Mail) -> None:
        """Hand a letter over."""
        import aiosmtplib  # noqa: PLC0415  costs 60 ms that most starts save

        url = self._url
        is_tls = url.scheme == "smtps"
        client = aiosmtplib.SMTP(
            hostname=url.hostname or "localhost",
            port=url.port or (465 if is_tls else 587),
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            use_tls=is_tls,
            timeout=TIMEOUT_S,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):  # in all, however slowly a server talks
                await client.connect()
                await client.send_message(message(mail, self._sender))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUnavailable(
                f"The mail server {url.hostname} did not take a letter: {str(error) or 'it took too long'}."
                " Look at LINKFLOW_SMTP_URL."
            ) from error
        else:
            with suppress(aiosmtplib.SMTPException, OSError):  # it has taken the letter
                await client.quit(timeout=BYE_S)
        finally:
            client.close()  # who is stopped does not wait for the server


class FolderMailer:
    """Writes letters into a folder, one file each, for its owner only; says where in the log.

    Args:
        folder: Made when it is needed.
        sender: Address that letters come from.
    """

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    async def send(self, mail: Mail) -> None:
        """Write a letter."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / f"{mail.id}.eml"
        written = file.with_suffix(".part")
        written.touch(mode=0o600)
        written.write_bytes(message(mail, self._sender).as_bytes())
        written.replace(file)
        LOG.info("written", file=str(file), subject=mail.subject)
