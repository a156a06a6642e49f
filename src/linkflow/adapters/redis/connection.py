"""How Redis is connected to."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TIMEOUT_S = 5.0


def connect(url: str) -> "Redis":
    """Connect to Redis; a call that breaks is told to the caller, who knows what to do."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
