"""What a person may set, read once from the environment and `LINKFLOW_HOME/linkflow.toml`.

The environment wins over the file. In the file a setting is written without its prefix and in lower case:
`port = 8080`. `reference()` is where docs/reference/settings.md comes from.
"""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from linkflow.domain.errors import Invalid

PREFIX = "LINKFLOW_"
FILE = "linkflow.toml"
QUEUES = ("embedded", "redis", "rabbitmq")
NOT_SETTINGS = {"LINKFLOW_REQUIRE_ALL"}
"""Variables that begin like settings and are read by the tests only."""


class SettingInvalid(Invalid):
    """A setting cannot be used."""

    code = "settings.invalid"


def _text(value: str) -> str:
    """Take any text that is not empty."""
    if not value:
        raise ValueError("is empty")
    return value


def _path(value: str) -> Path:
    """Take a path, `~` being the home folder."""
    return Path(_text(value)).expanduser().absolute()


def _port(value: str) -> int:
    """Take a TCP port; 0 lets the system choose."""
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise ValueError("is not a port; say a number from 0 to 65535")
    return int(value)


def _count(value: str) -> int:
    """Take a number of things, 1 or more."""
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 100_000:
        raise ValueError("is not a number from 1 to 100000")
    return int(value)


def _database_url(value: str) -> str:
    """Take the address of a PostgreSQL database."""
    if urlsplit(value).scheme not in {"postgresql", "postgres"}:
        raise ValueError("is no PostgreSQL address; it reads postgresql://user:password@host/database")
    return value


def _queue(value: str) -> str:
    """Take the name of a task queue."""
    if value.lower() not in QUEUES:
        raise ValueError(f"is no queue; say {', '.join(QUEUES[:-1])} or {QUEUES[-1]}")
    return value.lower()


def _redis_url(value: str) -> str:
    """Take the address of a Redis or Valkey."""
    if urlsplit(value).scheme not in {"redis", "rediss"}:
        raise ValueError("is no Redis address; it reads redis://user:password@host:6379/0")
    return value


def _rabbitmq_url(value: str) -> str:
    """Take the address of a RabbitMQ."""
    if urlsplit(value).scheme not in {"amqp", "amqps"}:
        raise ValueError("is no RabbitMQ address; it reads amqp://user:password@host:5672/vhost")
    return value


def _public_url(value: str) -> str:
    """Take the address at which people reach LinkFlow, without a slash at its end."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("is no web address; it reads https://linkflow.example.com")
    return value.rstrip("/")


def _secret(value: str) -> str:
    """Take a secret long enough not to be guessed."""
    if len(value.encode()) < 16:
        raise ValueError("is shorter than 16 bytes; make one with `openssl rand -hex 32`")
    return value


def _email(value: str) -> str:
    """Take an e-mail address, lower-cased and trimmed."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value.strip()):
        raise ValueError("is no e-mail address")
    return value.strip().lower()


def _password(value: str) -> str:
    """Take a password of at least 8 characters."""
    if len(value) < 8:
        raise ValueError("is shorter than 8 characters")
    return value


def _registration(value: str) -> str:
    """Take who may register."""
    if value.lower() not in {"open", "invited"}:
        raise ValueError("is neither open nor invited")
    return value.lower()


def _smtp_url(value: str) -> str:
    """Take the address of a mail server."""
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("is no mail server; it reads smtp://user:password@host:587")
    return value


def _allow_list(value: str) -> tuple[str, ...]:
    """Take hosts, addresses and networks, separated by commas; each may end in `:port`."""
    entries = tuple(entry.strip().lower() for entry in value.split(",") if entry.strip())
    for entry in entries:
        _allowed(entry)
    return entries


def _allowed(entry: str) -> None:
    """Refuse what is neither a network nor an address nor a host name."""
    if "/" in entry:
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            raise ValueError(f"names {entry!r}, which is no network such as 10.0.0.0/8") from None
    elif not re.fullmatch(r"(\*\.)?[a-z0-9_.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?|[0-9a-f:]+", entry):
        raise ValueError(f"names {entry!r}, which is no host, address or network")


def _switch(value: str) -> bool:
    """Take on or off."""
    if value.lower() not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
        raise ValueError("is neither on nor off")
    return value.lower() in {"on", "true", "1", "yes"}


def _networks(value: str) -> tuple[str, ...]:
    """Take addresses and networks, separated by commas."""
    entries = tuple(entry.strip() for entry in value.split(",") if entry.strip())
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"names {entry!r}, which is no address or network such as 10.0.0.0/8") from None
    return entries


def _addresses(value: str) -> tuple[str, ...]:
    """Take addresses of web servers, separated by commas."""
    return tuple(_public_url(entry.strip()) for entry in value.split(",") if entry.strip())


def _rate(value: str) -> int:
    """Take a number of things in some time; 0 means any number."""
    return 0 if value == "0" else _count(value)


def _level(value: str) -> str:
    """Take the name of a log level."""
    if value.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("is no level; say debug, info, warning or error")
    return value.lower()


def _setting(doc: str, read: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    """Declare a setting: what it is for, how a text becomes its value, what it is when nobody says."""
    return field(default=default, repr=not secret, metadata={"doc": doc, "read": read, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set; each attribute is LINKFLOW_ and its name in capitals."""

    home: Path = _setting(  # noqa: RUF009  a field, and the path is immutable
        "Folder for everything LinkFlow keeps: its database, its keys, large values.",
        _path,
        Path(".linkflow"),
    )
    host: str = _setting("Address to listen on.", _text, "127.0.0.1")
    port: int = _setting("Port to listen on; 0 lets the system choose.", _port, 8000)
    database_url: str | None = _setting(
        "PostgreSQL to use, as postgresql://user:password@host/database; without it LinkFlow starts its own.",
        _database_url,
        None,
        secret=True,
    )
    engine_database_url: str | None = _setting(
        "PostgreSQL for event histories, where they shall not be in the database of LINKFLOW_DATABASE_URL.",
        _database_url,
        None,
        secret=True,
    )
    queue: str = _setting(
        "What carries tasks to workers: embedded (this process), redis or rabbitmq.",
        _queue,
        "embedded",
    )
    redis_url: str | None = _setting(
        "Redis 7 or Valkey to use, as redis://user:password@host:6379/0.", _redis_url, None, secret=True
    )
    rabbitmq_url: str | None = _setting(
        "RabbitMQ to use, as amqp://user:password@host:5672/vhost.", _rabbitmq_url, None, secret=True
    )
    s3_bucket: str | None = _setting(
        "Bucket for large values and archived histories; without it they are files below LINKFLOW_HOME.",
        _text,
        None,
    )
    s3_endpoint: str | None = _setting(
        "S3 server of that bucket, as https://s3.example.com; without it Amazon's.", _public_url, None
    )
    s3_key: str | None = _setting(
        "Access key id; without it what the machine's role or the AWS_ variables say.", _text, None
    )
    s3_secret: str | None = _setting("Secret of that access key.", _text, None, secret=True)
    s3_region: str = _setting("Region, as the S3 server calls it.", _text, "us-east-1")
    s3_path_style: bool = _setting(
        "Whether the bucket is named in the path, not in the host name: on or off.", _switch, default=True
    )
    worker_slots: int = _setting("Attempts that run at once in this process.", _count, 256)
    secret: str | None = _setting(
        "Signs callbacks and tokens; without it one is made and kept in the folder keys.",
        _secret,
        None,
        secret=True,
    )
    owner_email: str | None = _setting("E-mail address of the owner made at the first start.", _email, None)
    owner_password: str | None = _setting(
        "Password of that owner; without it one is made and printed once.", _password, None, secret=True
    )
    registration: str = _setting(
        "Who may register: open (anybody) or invited (only who was invited).", _registration, "open"
    )
    smtp_url: str | None = _setting(
        "Mail server, as smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; without "
        "it letters are files in LINKFLOW_HOME/mail.",
        _smtp_url,
        None,
        secret=True,
    )
    mail_from: str = _setting("Address that letters come from.", _email, "linkflow@localhost")
    outbound_allow: tuple[str, ...] = _setting(
        "Hosts, addresses and networks inside the private range that nodes may call, separated by commas.",
        _allow_list,
        (),
    )
    public_url: str | None = _setting(
        "Address at which others reach LinkFlow; it goes into webhook and resume links.", _public_url, None
    )
    edge_upstreams: tuple[str, ...] = _setting(
        "Addresses of the API processes behind the edge, separated by commas; else the members are asked.",
        _addresses,
        (),
    )
    edge_trusted_proxies: tuple[str, ...] = _setting(
        "Addresses and networks of proxies in front of the edge, which may say on whose behalf they call.",
        _networks,
        (),
    )
    edge_tls_cert: Path | None = _setting(  # noqa: RUF009  a field
        "Certificate chain of the edge, a PEM file; it is read again when it changes.", _path, None
    )
    edge_tls_key: Path | None = _setting(  # noqa: RUF009  a field
        "Private key of that certificate, a PEM file.", _path, None
    )
    edge_requests_per_minute: int = _setting(
        "Requests that one address may send through the edge in a minute, 0 for any number.", _rate, 6_000
    )
    edge_body_mb: int = _setting("Largest body of a request through the edge, in MB.", _count, 10)
    edge_timeout_s: int = _setting(
        "Seconds that the API may be silent before the edge gives up.", _count, 75
    )
    log_level: str = _setting("How much to log: debug, info, warning or error.", _level, "info")
    metrics_token: str | None = _setting(
        "Lets whoever carries it as bearer token read /metrics and the details of /health and /ready; "
        "without it only callers on this machine may.",
        _secret,
        None,
        secret=True,
    )
    access_log: bool = _setting("Whether to log a line for each request: on or off.", _switch, default=False)


SETTINGS = {f"{PREFIX}{each.name.upper()}": each for each in fields(Settings)}


def load(environment: Mapping[str, str], warn: Callable[[str], None]) -> Settings:
    """Read the settings.

    Args:
        environment: Variables of the process.
        warn: Told, in one line each, about names that are no settings.

    Raises:
        SettingInvalid: A value cannot be used; the message says which, where it was found and how to mend it.
    """
    given = {name: (value, f"the variable {name}") for name, value in environment.items() if _is_ours(name)}
    _name_strangers(given, warn)
    home = _value("LINKFLOW_HOME", given) or Path(".linkflow").absolute()
    file = home / FILE
    values = {
        f"{PREFIX}{name.upper()}": (_written(value, name, file), f"{name} in {file}")
        for name, value in _read_file(file).items()
    }
    _name_strangers(values, warn)
    if "LINKFLOW_HOME" in values:
        raise SettingInvalid(
            f"{file} cannot move the folder it lies in; set the variable LINKFLOW_HOME instead."
        )
    found = {each.name: _value(name, values | given) for name, each in SETTINGS.items()}
    return Settings(**{name: value for name, value in found.items() if value is not None} | {"home": home})


def _is_ours(name: str) -> bool:
    """Tell whether a variable looks like one of our settings."""
    return name.startswith(PREFIX) and name not in NOT_SETTINGS


def _name_strangers(given: Mapping[str, tuple[str, str]], warn: Callable[[str], None]) -> None:
    """Say which names are no settings, and what was probably meant."""
    for name in sorted(given.keys() - SETTINGS.keys()):
        near = difflib.get_close_matches(name, SETTINGS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        warn(f"There is no setting {name} ({given[name][1]}){hint}")


def _value(name: str, given: Mapping[str, tuple[str, str]]) -> Any:
    """Turn the text of one setting into its value; None where nobody said anything."""
    if name not in given or not given[name][0]:
        return None
    text, where = given[name]
    try:
        return SETTINGS[name].metadata["read"](text)
    except ValueError as error:
        shown = "the value" if SETTINGS[name].metadata["secret"] else repr(text)
        raise SettingInvalid(f"{name}: {shown} {error}. It comes from {where}.", setting=name) from None


def _read_file(file: Path) -> Mapping[str, Any]:
    """Read the file; empty where there is none."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingInvalid(f"{file} cannot be read: {error}. Mend it, or move it away.") from None


def _written(value: Any, name: str, file: Path) -> str:
    """Write a value of the file as a variable would hold it."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int):
        return str(value)
    raise SettingInvalid(f"{name} in {file} must be text, a number, true, false or a list of texts.")


KINDS = {
    _path: "path",
    _port: "number",
    _count: "number",
    _switch: "switch",
    _allow_list: "list",
    _networks: "list",
    _addresses: "list",
    _rate: "number",
    _database_url: "address",
    _redis_url: "address",
    _rabbitmq_url: "address",
    _public_url: "address",
    _smtp_url: "address",
}


def secrets_of(settings: Settings) -> Sequence[str]:
    """List the values that are never written to a log: secrets, and the passwords within addresses."""
    given = [getattr(settings, each.name) for each in fields(Settings) if each.metadata["secret"]]
    texts = [value for value in given if isinstance(value, str)]
    passwords = [urlsplit(value).password for value in texts if "://" in value]
    return [value for value in texts if "://" not in value] + [word for word in passwords if word]


def database_urls(settings: Settings) -> Mapping[str, str]:
    """Say which databases a person gave, the control plane's first, by the setting that names them.

    Raises:
        SettingInvalid: One for the engine alone.
    """
    if settings.database_url is None and settings.engine_database_url is not None:
        raise SettingInvalid(
            "LINKFLOW_ENGINE_DATABASE_URL needs a database of the control plane beside it; set "
            "LINKFLOW_DATABASE_URL too.",
            setting="LINKFLOW_ENGINE_DATABASE_URL",
        )
    named = {
        "LINKFLOW_DATABASE_URL": settings.database_url,
        "LINKFLOW_ENGINE_DATABASE_URL": settings.engine_database_url,
    }
    return {name: url for name, url in named.items() if url is not None}


def reference() -> Sequence[tuple[str, str, str, str]]:
    """Describe every setting for the documentation: (variable, type, default, what it is for)."""
    rows = []
    for name, each in SETTINGS.items():
        default = "" if each.default in (None, ()) else str(each.default)
        default = {"False": "off", "True": "on"}.get(default, default)
        rows.append((name, KINDS.get(each.metadata["read"], "text"), default, each.metadata["doc"]))
    return rows
