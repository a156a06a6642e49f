"""How the text of a setting becomes its value; a ValueError says what is wrong, to stand after the value."""

import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from linkflow.domain.plan import PLANS
from linkflow.ports.cluster import ROLES

QUEUES = ("embedded", "redis", "rabbitmq")


def read_text(value: str) -> str:
    """Take any text that is not empty."""
    if not value:
        raise ValueError("is empty")
    return value


def read_path(value: str) -> Path:
    """Take a path, `~` being the home folder."""
    return Path(read_text(value)).expanduser().absolute()


def read_port(value: str) -> int:
    """Take a TCP port; 0 lets the system choose."""
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise ValueError("is not a port; say a number from 0 to 65535")
    return int(value)


def read_days(value: str) -> int:
    """Take a number of days; 0 means for ever."""
    if not value.isascii() or not value.isdigit() or int(value) > 36_500:
        raise ValueError("is not a number of days from 0 to 36500")
    return int(value)


def read_count(value: str) -> int:
    """Take a number of things, 1 or more."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 100_000:
        raise ValueError("is not a number from 1 to 100000")
    return int(value)


def read_database_url(value: str) -> str:
    """Take the address of a PostgreSQL database."""
    if urlsplit(value).scheme not in {"postgresql", "postgres"}:
        raise ValueError("is no PostgreSQL address; it reads postgresql://user:password@host/database")
    return value


def read_queue(value: str) -> str:
    """Take the name of a task queue."""
    if value.lower() not in QUEUES:
        raise ValueError(f"is no queue; say {', '.join(QUEUES[:-1])} or {QUEUES[-1]}")
    return value.lower()


def read_redis_url(value: str) -> str:
    """Take the address of a Redis or Valkey."""
    if urlsplit(value).scheme not in {"redis", "rediss"}:
        raise ValueError("is no Redis address; it reads redis://user:password@host:6379/0")
    return value


def read_rabbitmq_url(value: str) -> str:
    """Take the address of a RabbitMQ."""
    if urlsplit(value).scheme not in {"amqp", "amqps"}:
        raise ValueError("is no RabbitMQ address; it reads amqp://user:password@host:5672/vhost")
    return value


def read_public_url(value: str) -> str:
    """Take the address at which people reach LinkFlow, without a slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("is no web address; it reads https://linkflow.example.com")
    return value.rstrip("/")


def read_web_url(value: str) -> str:
    """Take the address of a web server exactly as it is: for issuers a slash at the end matters."""
    read_public_url(value)
    return value


def read_secret(value: str) -> str:
    """Take a secret long enough not to be guessed."""
    if len(value.encode()) < 16:
        raise ValueError("is shorter than 16 bytes; make one with `openssl rand -hex 32`")
    return value


def read_email(value: str) -> str:
    """Take an e-mail address, lower-cased and trimmed."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value.strip()):
        raise ValueError("is no e-mail address")
    return value.strip().lower()


def read_password(value: str) -> str:
    """Take a password of at least 8 characters."""
    if len(value) < 8:
        raise ValueError("is shorter than 8 characters")
    return value


def read_plan(value: str) -> str:
    """Read the name of a plan."""
    if value.lower() not in PLANS:
        raise ValueError(f"is none of {', '.join(PLANS)}")
    return value.lower()


def read_registration(value: str) -> str:
    """Take who may register."""
    if value.lower() not in {"open", "invited"}:
        raise ValueError("is neither open nor invited")
    return value.lower()


def read_smtp_url(value: str) -> str:
    """Take the address of a mail server."""
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("is no mail server; it reads smtp://user:password@host:587")
    return value


def read_allow_list(value: str) -> tuple[str, ...]:
    """Take hosts, addresses and networks, separated by commas; each may end in `:port`."""
    entries = tuple(entry.strip().lower() for entry in value.split(",") if entry.strip())
    for entry in entries:
        read_allowed(entry)
    return entries


def read_allowed(entry: str) -> None:
    """Refuse what is neither a network nor an address nor a host name."""
    if "/" in entry:
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            raise ValueError(f"names {entry!r}, which is no network such as 10.0.0.0/8") from None
    elif not re.fullmatch(r"(\*\.)?[a-z0-9_.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?|[0-9a-f:]+", entry):
        raise ValueError(f"names {entry!r}, which is no host, address or network")


def read_switch(value: str) -> bool:
    """Take on or off."""
    if value.lower() not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
        raise ValueError("is neither on nor off")
    return value.lower() in {"on", "true", "1", "yes"}


def read_networks(value: str) -> tuple[str, ...]:
    """Take addresses and networks, separated by commas."""
    entries = tuple(entry.strip() for entry in value.split(",") if entry.strip())
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"names {entry!r}, which is no address or network such as 10.0.0.0/8") from None
    return entries


def read_addresses(value: str) -> tuple[str, ...]:
    """Take addresses of web servers, separated by commas."""
    return tuple(read_public_url(entry.strip()) for entry in value.split(",") if entry.strip())


def read_rate(value: str) -> int:
    """Take a number of things in some time; 0 means any number."""
    return 0 if value == "0" else read_count(value)


def read_level(value: str) -> str:
    """Take the name of a log level."""
    if value.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("is no level; say debug, info, warning or error")
    return value.lower()


def read_ports(value: str) -> tuple[tuple[str, int], ...]:
    """Take ports by role, such as `history=7001,timer=7002`; 0 lets the system choose."""
    found: dict[str, int] = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        role, is_said, port = entry.partition("=")
        if not is_said or role.strip() not in ROLES:
            raise ValueError(f"says {entry!r}, which is no role and its port such as history=7001")
        found[role.strip()] = read_port(port.strip())
    return tuple(found.items())


def read_host(value: str) -> str:
    """Take a host name or an address, without a port."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]", value):
        raise ValueError("is no host name and no address; an IPv6 address stands in brackets")
    return value
