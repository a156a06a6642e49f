"""What a person may set, read once from the environment and `LINKFLOW_HOME/linkflow.toml`.

The environment wins over the file. In the file a setting is written without its prefix and in lower case:
`port = 8080`. `reference()` is where docs/reference/settings.md comes from.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from linkflow.apps.setting_values import (
    read_addresses,
    read_allow_list,
    read_count,
    read_database_url,
    read_days,
    read_email,
    read_host,
    read_level,
    read_networks,
    read_password,
    read_path,
    read_plan,
    read_port,
    read_ports,
    read_public_url,
    read_queue,
    read_rabbitmq_url,
    read_rate,
    read_redis_url,
    read_registration,
    read_secret,
    read_smtp_url,
    read_switch,
    read_text,
    read_web_url,
)
from linkflow.domain.errors import Invalid

PREFIX = "LINKFLOW_"
FILE = "linkflow.toml"
NOT_SETTINGS = {"LINKFLOW_REQUIRE_ALL"}
"""Variables that begin like settings and are read by the tests only."""


class SettingInvalid(Invalid):
    """A setting cannot be used."""

    code = "settings.invalid"


def _setting(doc: str, read: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    """Declare a setting: what it is for, how a text becomes its value, what it is when nobody says."""
    return field(default=default, repr=not secret, metadata={"doc": doc, "read": read, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set; each attribute is LINKFLOW_ and its name in capitals."""

    home: Path = _setting(  # noqa: RUF009  a field, and the path is immutable
        "Folder for everything LinkFlow keeps: its database, its keys, large values.",
        read_path,
        Path(".linkflow"),
    )
    host: str = _setting("Address to listen on.", read_text, "127.0.0.1")
    port: int = _setting("Port to listen on; 0 lets the system choose.", read_port, 8000)
    database_url: str | None = _setting(
        "PostgreSQL to use, as postgresql://user:password@host/database; without it LinkFlow starts its own.",
        read_database_url,
        None,
        secret=True,
    )
    engine_database_url: str | None = _setting(
        "PostgreSQL for event histories, where they shall not be in the database of LINKFLOW_DATABASE_URL.",
        read_database_url,
        None,
        secret=True,
    )
    queue: str = _setting(
        "What carries tasks to workers: embedded (this process), redis or rabbitmq.",
        read_queue,
        "embedded",
    )
    redis_url: str | None = _setting(
        "Redis 7 or Valkey to use, as redis://user:password@host:6379/0.", read_redis_url, None, secret=True
    )
    rabbitmq_url: str | None = _setting(
        "RabbitMQ to use, as amqp://user:password@host:5672/vhost.", read_rabbitmq_url, None, secret=True
    )
    s3_bucket: str | None = _setting(
        "Bucket for large values and archived histories; without it they are files below LINKFLOW_HOME.",
        read_text,
        None,
    )
    s3_endpoint: str | None = _setting(
        "S3 server of that bucket, as https://s3.example.com; without it Amazon's.", read_public_url, None
    )
    s3_key: str | None = _setting(
        "Access key id; without it what the machine's role or the AWS_ variables say.", read_text, None
    )
    s3_secret: str | None = _setting("Secret of that access key.", read_text, None, secret=True)
    s3_region: str = _setting("Region, as the S3 server calls it.", read_text, "us-east-1")
    s3_path_style: bool = _setting(
        "Whether the bucket is named in the path, not in the host name: on or off.", read_switch, default=True
    )
    worker_slots: int = _setting("Attempts that run at once in this process.", read_count, 256)
    drain_s: int = _setting(
        "Seconds that attempts under way may go on when the process is asked to stop.", read_count, 10
    )
    retention_executions_days: int = _setting(
        "Days that executions are kept after their end; 0 keeps them for ever.", read_days, 90
    )
    retention_audit_days: int = _setting(
        "Days that the audit log is kept; 0 keeps it for ever.", read_days, 365
    )
    retention_ai_history_days: int = _setting(
        "Days that what AI models said is kept; 0 keeps it for ever.", read_days, 30
    )
    retention_deleted_days: int = _setting(
        "Days until what people deleted is gone for good; 0 keeps it for ever.", read_days, 30
    )
    retention_archive: bool = _setting(
        "Whether executions go to the archive before they are deleted: on or off.", read_switch, default=True
    )
    secret: str | None = _setting(
        "Signs callbacks and tokens; without it one is made and kept in the folder keys.",
        read_secret,
        None,
        secret=True,
    )
    sealing_keys: str | None = _setting(
        "Keys that seal secrets in the database, as k2:<64 hex digits>,k1:<64 hex digits>: the first seals, "
        "the others open what they sealed; without it they are files in LINKFLOW_HOME/keys.",
        read_secret,
        None,
        secret=True,
    )
    sealing_command: str | None = _setting(
        "Command that prints such keys, for those who keep them in a vault.", read_text, None
    )
    plan: str = _setting(
        "Plan of workspaces that nobody put on another: self-hosted (no limits), free, starter, pro, teams "
        "or enterprise.",
        read_plan,
        "self-hosted",
    )
    owner_email: str | None = _setting(
        "E-mail address of the owner made at the first start.", read_email, None
    )
    owner_password: str | None = _setting(
        "Password of that owner; without it one is made and printed once.", read_password, None, secret=True
    )
    registration: str = _setting(
        "Who may register: open (anybody) or invited (only who was invited).", read_registration, "open"
    )
    smtp_url: str | None = _setting(
        "Mail server, as smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; without "
        "it letters are files in LINKFLOW_HOME/mail.",
        read_smtp_url,
        None,
        secret=True,
    )
    oidc_issuer: str | None = _setting(
        "OpenID Connect provider people may sign in with, as https://accounts.example.com; the address it is "
        "told to come back to is <public url>/api/v1/auth/oauth/oidc/callback.",
        read_web_url,
        None,
    )
    oidc_client_id: str = _setting("Who LinkFlow is at that provider.", read_text, "linkflow")
    oidc_client_secret: str | None = _setting(
        "LinkFlow's password at that provider.", read_text, None, secret=True
    )
    puter_url: str | None = _setting(
        "API of Puter, https://api.puter.com, to let people sign in with Puter.", read_public_url, None
    )
    mail_from: str = _setting("Address that letters come from.", read_email, "linkflow@localhost")
    outbound_allow: tuple[str, ...] = _setting(
        "Hosts, addresses and networks inside the private range that nodes may call, separated by commas.",
        read_allow_list,
        (),
    )
    public_url: str | None = _setting(
        "Address at which others reach LinkFlow; it goes into webhook and resume links.",
        read_public_url,
        None,
    )
    trusted_proxies: tuple[str, ...] = _setting(
        "Addresses and networks of edges and proxies in front of the API, which may say on whose behalf they "
        "call (X-Forwarded-For).",
        read_networks,
        ("127.0.0.1", "::1"),
    )
    edge_upstreams: tuple[str, ...] = _setting(
        "Addresses of the API processes behind the edge, separated by commas; else the members are asked.",
        read_addresses,
        (),
    )
    edge_trusted_proxies: tuple[str, ...] = _setting(
        "Addresses and networks of proxies in front of the edge, which may say on whose behalf they call.",
        read_networks,
        (),
    )
    edge_tls_cert: Path | None = _setting(  # noqa: RUF009  a field
        "Certificate chain of the edge, a PEM file; it is read again when it changes.", read_path, None
    )
    edge_tls_key: Path | None = _setting(  # noqa: RUF009  a field
        "Private key of that certificate, a PEM file.", read_path, None
    )
    edge_requests_per_minute: int = _setting(
        "Requests that one address may send through the edge in a minute, 0 for any number.", read_rate, 6_000
    )
    edge_body_mb: int = _setting("Largest body of a request through the edge, in MB.", read_count, 10)
    edge_timeout_s: int = _setting(
        "Seconds that the API may be silent before the edge gives up.", read_count, 75
    )
    ports: tuple[tuple[str, int], ...] = _setting(
        "Ports of the roles of `serve --roles`, such as history=7001,timer=7002; 0 lets the system choose.",
        read_ports,
        (),
    )
    advertise: str | None = _setting(
        "Host under which other processes reach this one; by default this machine's own.", read_host, None
    )
    tls_cert: Path | None = _setting(  # noqa: RUF009  a field
        "Certificate that this process shows to the others (PEM), with its chain.", read_path, None
    )
    tls_key: Path | None = _setting("Its private key (PEM).", read_path, None)  # noqa: RUF009  a field
    tls_ca: Path | None = _setting(  # noqa: RUF009  a field
        "Authority that signed the certificates of all processes (PEM).", read_path, None
    )
    tls_name: str | None = _setting(
        "Name in the certificates of all processes, when it is not the host that is called.", read_host, None
    )
    insecure: bool = _setting(
        "Let processes talk in the clear beyond one machine: on where the network itself is trusted.",
        read_switch,
        False,
    )
    log_level: str = _setting("How much to log: debug, info, warning or error.", read_level, "info")
    metrics_token: str | None = _setting(
        "Lets whoever carries it as bearer token read /metrics and the details of /health and /ready; "
        "without it only callers on this machine may.",
        read_secret,
        None,
        secret=True,
    )
    tracing_url: str | None = _setting(
        "Where traces go: the OTLP/HTTP address of an OpenTelemetry collector, as http://collector:4318; "
        "without it none are made.",
        read_public_url,
        None,
    )
    access_log: bool = _setting(
        "Whether to log a line for each request: on or off.", read_switch, default=False
    )


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
    read_ports: "list",
    read_path: "path",
    read_port: "number",
    read_count: "number",
    read_days: "number",
    read_switch: "switch",
    read_allow_list: "list",
    read_networks: "list",
    read_addresses: "list",
    read_rate: "number",
    read_database_url: "address",
    read_redis_url: "address",
    read_rabbitmq_url: "address",
    read_public_url: "address",
    read_smtp_url: "address",
    read_web_url: "address",
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
        if isinstance(each.default, tuple):
            default = ",".join(each.default)
        rows.append((name, KINDS.get(each.metadata["read"], "text"), default, each.metadata["doc"]))
    return rows
