"""What `linkflow doctor` looks at outside this process: databases, brokers, large values, certificates."""

import asyncio
import ssl
import stat
import time
from datetime import UTC
from pathlib import Path

from linkflow.apps.findings import Finding
from linkflow.apps.settings import Settings, database_urls
from linkflow.domain.errors import LinkFlowError

PATIENCE_S = 5.0
SKEW_S = 2.0
"""Timers go by the database's clock and tokens by this machine's: more between them is worth a word."""

FEW_CONNECTIONS = 20
SOON_S = 14 * 86_400.0
"""A certificate that ends within this is worth a word."""

OLDEST_REDIS = 7


def databases(found: Settings) -> list[Finding]:
    """Look at the databases of the person's own: reachable, version, schema, clock, what lies around."""
    if found.database_url is None:
        return [Finding("database", "ok", f"LinkFlow's own, in {found.home / 'postgres'}")]
    seen = []
    for name, url in database_urls(found).items():
        try:
            seen += asyncio.run(_database(name, url))
        except LinkFlowError as error:
            seen.append(Finding("database", "error", f"{name}: {error}", f"mend the server or {name}"))
    return seen


async def _database(name: str, url: str) -> list[Finding]:
    """Look at one."""
    from linkflow.adapters.sql.database import OLDEST_MAJOR
    from linkflow.adapters.sql.examine import examine
    from linkflow.adapters.sql.schema import revisions, schema_version

    asked_at = time.time()
    examined = await examine(url)
    skew_s = examined.now - (asked_at + time.time()) / 2
    if examined.major < OLDEST_MAJOR:
        said = f"{name}: PostgreSQL {examined.server}"
        return [Finding("database", "error", said, f"upgrade the server to {OLDEST_MAJOR} or newer")]
    version, newest = await schema_version(url), revisions()[-1][0]
    said = f"{name}: PostgreSQL {examined.server}, schema {version or 'none'}"
    seen = [Finding("database", "ok", f"{said}, {examined.members} processes of LinkFlow")]
    if version != newest:
        seen = [Finding("database", "error", f"{said}; this release needs {newest}", "linkflow migrate")]
    if abs(skew_s) > SKEW_S:
        text = f"{name}: its clock is {abs(skew_s):.1f} s {'ahead' if skew_s > 0 else 'behind'}"
        seen.append(Finding("clock", "warning", text, "let both machines keep time by NTP"))
    if examined.settled:
        text = f"{name}: rows without a month in {', '.join(examined.settled)}"
        mend = "nothing is lost, but retention cannot drop their month; keep a scheduler running"
        seen.append(Finding("partitions", "warning", text, mend))
    if examined.left < FEW_CONNECTIONS:
        text = f"{name}: {examined.left} connections are left"
        seen.append(Finding("connections", "warning", text, "raise max_connections of the server"))
    return seen


def redis(found: Settings) -> list[Finding]:
    """Look at Redis, where one is used."""
    if found.redis_url is None:
        if found.queue == "redis":
            text = "LINKFLOW_QUEUE=redis and no address"
            return [Finding("redis", "error", text, "set LINKFLOW_REDIS_URL, or LINKFLOW_QUEUE=embedded")]
        return [Finding("redis", "ok", "not used")]
    return [asyncio.run(_redis(found.redis_url))]


async def _redis(url: str) -> Finding:
    """Ask a Redis for its version."""
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    try:
        about = await client.info("server")
    except (RedisError, OSError) as error:
        mend = (
            "start it, or look at LINKFLOW_REDIS_URL; while it is away histories lose nothing, work is slower"
        )
        return Finding("redis", "error", f"it does not answer: {error}", mend)
    finally:
        await client.aclose()
    version = str(about.get("valkey_version") or about.get("redis_version", ""))
    kind = "Valkey" if "valkey_version" in about else "Redis"
    if int(version.partition(".")[0] or 0) < OLDEST_REDIS:
        return Finding("redis", "error", f"{kind} {version}", f"upgrade it to {OLDEST_REDIS} or newer")
    return Finding("redis", "ok", f"{kind} {version}")


def rabbitmq(found: Settings) -> list[Finding]:
    """Look at RabbitMQ, where one is used."""
    if found.rabbitmq_url is None:
        if found.queue == "rabbitmq":
            text = "LINKFLOW_QUEUE=rabbitmq and no address"
            mend = "set LINKFLOW_RABBITMQ_URL, or LINKFLOW_QUEUE=embedded"
            return [Finding("rabbitmq", "error", text, mend)]
        return [Finding("rabbitmq", "ok", "not used")]
    return [asyncio.run(_rabbitmq(found.rabbitmq_url))]


async def _rabbitmq(url: str) -> Finding:
    """Connect to a RabbitMQ."""
    import aio_pika
    from aiormq.exceptions import AMQPError

    try:
        async with asyncio.timeout(PATIENCE_S):
            connection = await aio_pika.connect(url)
        await connection.close()
    except (AMQPError, OSError, TimeoutError) as error:
        mend = "start it, or look at LINKFLOW_RABBITMQ_URL; while it is away histories lose nothing"
        return Finding("rabbitmq", "error", f"it does not answer: {str(error) or 'in time'}", mend)
    return Finding("rabbitmq", "ok", "it answers")


def large_values(found: Settings) -> list[Finding]:
    """Look whether large values can be kept."""
    from linkflow.apps.brokers import open_blobs

    try:
        asyncio.run(open_blobs(found))
    except LinkFlowError as error:
        return [Finding("large values", "error", str(error), "look at LINKFLOW_S3_*")]
    where = found.home / "blobs" if found.s3_bucket is None else f"bucket {found.s3_bucket}"
    return [Finding("large values", "ok", f"in {where}")]


def certificates(found: Settings) -> list[Finding]:
    """Look at certificates and keys: there, matching, private, not about to end."""
    pairs = [
        ("LINKFLOW_TLS", found.tls_cert, found.tls_key),
        ("LINKFLOW_EDGE_TLS", found.edge_tls_cert, found.edge_tls_key),
    ]
    seen = [one for name, cert, key in pairs for one in _pair(name, cert, key)]
    return seen or [Finding("certificates", "ok", "none are used")]


def _pair(name: str, cert: Path | None, key: Path | None) -> list[Finding]:
    """Look at a certificate and its key."""
    if cert is None and key is None:
        return []
    if cert is None or key is None:
        lacking = f"{name}_CERT" if cert is None else f"{name}_KEY"
        return [Finding("certificates", "error", f"{lacking} is missing", f"set {lacking}")]
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        return [
            Finding(
                "certificates", "error", f"{cert} and {key}: {error}", f"look at {name}_CERT and {name}_KEY"
            )
        ]
    seen = []
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        seen.append(Finding("certificates", "error", f"others may read {key}", f"chmod 600 {key}"))
    from cryptography import x509

    ends_at = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    left_s = ends_at.timestamp() - time.time()
    said = f"{cert} ends on {ends_at.astimezone(UTC):%Y-%m-%d}"
    if left_s < SOON_S:
        has_ended = left_s < 0
        said = f"{cert} ended on {ends_at:%Y-%m-%d}" if has_ended else said
        return [*seen, Finding("certificates", "error" if has_ended else "warning", said, "renew it")]
    return [*seen, Finding("certificates", "ok", said)]
