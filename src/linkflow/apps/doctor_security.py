"""`linkflow doctor --security`: what of this installation could be misused, and how to close it."""

import ipaddress
import stat
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

from linkflow.apps.findings import Finding
from linkflow.apps.settings import Settings

SECRET_CHARACTERS = 32
"""A secret that somebody chose is at least this long."""
EVERYWHERE = ("0.0.0.0/0", "::/0", "*")


def examine_security(found: Settings) -> Sequence[Finding]:
    """Look at everything that protects."""
    looks: Sequence[Callable[[Settings], Finding]] = (
        _address,
        _secret,
        _password,
        _home,
        _outbound,
        _registration,
        _database,
        _mail,
        _metrics,
        _services,
        _log,
    )
    return [look(found) for look in looks]


def is_here(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


def _address(found: Settings) -> Finding:
    """Look at how others come here."""
    public = found.public_url or ""
    if public.startswith("https://"):
        return Finding("public address", "ok", f"{public}: cookies and browsers are held to https")
    if is_here(found.host) and not public:
        return Finding("public address", "ok", f"only this machine reaches {found.host}")
    mend = "put a TLS proxy (or the edge with LINKFLOW_EDGE_TLS_CERT) in front; set LINKFLOW_PUBLIC_URL=https://…"
    return Finding(
        "public address", "error", f"tokens cross the network in clear ({public or found.host})", mend
    )


def _secret(found: Settings) -> Finding:
    """Look at what signs."""
    if found.secret is None:
        return Finding("signing secret", "ok", "made by LinkFlow and kept in keys/")
    if len(found.secret) < SECRET_CHARACTERS:
        mend = "set LINKFLOW_SECRET to the output of: openssl rand -hex 32"
        return Finding("signing secret", "error", f"only {len(found.secret)} characters", mend)
    return Finding("signing secret", "ok", f"{len(found.secret)} characters, from the settings")


def _password(found: Settings) -> Finding:
    """Look at the owner's password."""
    if found.owner_password is None:
        return Finding("owner's password", "ok", "not in the settings")
    mend = "unset LINKFLOW_OWNER_PASSWORD after the first start; change it in the account"
    return Finding("owner's password", "warning", "it stands in the settings", mend)


def _home(found: Settings) -> Finding:
    """Look at who may read what is kept."""
    if not found.home.exists():
        return Finding("files", "ok", "made at the first start, for its owner only")
    loose = [
        path.name
        for path in (found.home, *(sorted((found.home / "keys").glob("*"))))
        if stat.S_IMODE(path.stat().st_mode) & (0o077 if path != found.home else 0o022)
    ]
    if loose:
        mend = f"chmod -R go-rwx {found.home}/keys; chmod go-w {found.home}"
        return Finding("files", "error", f"others may use {', '.join(loose)}", mend)
    return Finding("files", "ok", "keys are for their owner only")


def _outbound(found: Settings) -> Finding:
    """Look at where workflows may call."""
    if any(each in EVERYWHERE for each in found.outbound_allow):
        mend = "name single hosts in LINKFLOW_OUTBOUND_ALLOW"
        return Finding("calls inside", "error", "workflows may call every address inside your network", mend)
    if found.outbound_allow:
        return Finding("calls inside", "warning", f"allowed: {', '.join(found.outbound_allow)}",
                       "keep what workflows need, and no more")  # fmt: skip
    return Finding("calls inside", "ok", "workflows reach public addresses only")


def _registration(found: Settings) -> Finding:
    """Look at who may make an account."""
    if found.registration == "open" and not is_here(found.host):
        mend = "set LINKFLOW_REGISTRATION=invited unless everybody may come"
        return Finding("registration", "warning", "anybody who reaches LinkFlow may register", mend)
    return Finding("registration", "ok", found.registration)


def _database(found: Settings) -> Finding:
    """Look at the way to the databases."""
    for url in (found.database_url, found.engine_database_url):
        parts = urlsplit(url or "")
        mode = parse_qs(parts.query).get("sslmode", [""])[0]
        if url and not is_here(parts.hostname or "") and mode not in ("require", "verify-ca", "verify-full"):
            mend = "add ?sslmode=verify-full to LINKFLOW_DATABASE_URL"
            return Finding(
                "way to the database", "warning", f"{parts.hostname} may be reached in clear", mend
            )
    return Finding("way to the database", "ok", "on this machine, or by TLS")


def _mail(found: Settings) -> Finding:
    """Look at how letters leave."""
    parts = urlsplit(found.smtp_url or "")
    if parts.scheme == "smtp" and parts.password and not is_here(parts.hostname or ""):
        mend = "use smtps:// unless the server offers STARTTLS"
        return Finding(
            "mail", "warning", "the password crosses the network unless the server offers TLS", mend
        )
    return Finding("mail", "ok", parts.hostname or "into a folder")


def _metrics(found: Settings) -> Finding:
    """Look at who may read the measures."""
    if found.metrics_token is None and not is_here(found.host):
        return Finding("metrics", "ok", "for this machine only, until LINKFLOW_METRICS_TOKEN is set")
    return Finding("metrics", "ok", "with a token" if found.metrics_token else "for this machine only")


def _services(found: Settings) -> Finding:
    """Look at how processes talk with each other."""
    if found.insecure:
        mend = "unset LINKFLOW_INSECURE and set LINKFLOW_TLS_CERT, LINKFLOW_TLS_KEY and LINKFLOW_TLS_CA"
        return Finding("between processes", "error", "they talk in clear and let anybody in", mend)
    return Finding("between processes", "ok", "one process, this machine, or mutual TLS")


def _log(found: Settings) -> Finding:
    """Look at what the log says."""
    if found.log_level == "debug":
        return Finding(
            "log", "warning", "debug says more than others should read", "set LINKFLOW_LOG_LEVEL=info"
        )
    return Finding("log", "ok", found.log_level)
