"""How Redis is connected to."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from linkflow.domain.errors import Unavailable

TIMEOUT_S = 5.0
OLDEST_MAJOR = 7


def connect(url: str) -> "Redis":
    """Connect to Redis; a call that breaks is told to the caller, who knows what to do."""
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


async def require_redis(redis: "Redis") -> str:
    """Say which Redis or Valkey answers.

    Raises:
        Unavailable: None does, or one older than Redis 7.
    """
    try:
        said = await redis.info("server")
    except (RedisError, OSError) as error:
        raise Unavailable(f"Redis did not answer: {error}") from error
    name, version = ("Valkey", said["valkey_version"]) if "valkey_version" in said else ("Redis", "")
    version = str(version or said.get("redis_version", ""))
    if version and int(version.split(".")[0]) < OLDEST_MAJOR:
        raise Unavailable(
            f"LinkFlow needs Redis {OLDEST_MAJOR} or newer, or Valkey; this is Redis {version}."
        )
    return f"{name} {version}".strip()
