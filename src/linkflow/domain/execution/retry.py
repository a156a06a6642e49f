"""When a failed attempt is tried again, and how long that takes."""

import hashlib

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.node import NodeClass
from linkflow.domain.workflow.spec import Retry

JITTER = 0.2


def draw(seed: int, *names: object) -> float:
    """Draw from [0, 1), the same for the same seed and names in every process and release."""
    text = "\x1f".join(map(str, (seed, *names))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()) / (1 << 56)


def may_retry(policy: Retry, error: NodeError, attempt: int, node_class: NodeClass) -> bool:
    """Say whether a further attempt may follow.

    Args:
        policy: The node's policy.
        error: What the last attempt failed with.
        attempt: Attempts made so far, 1 or more.
        node_class: For `once`, only an effect that certainly did not begin is tried again.

    Source:
        Seed 002, "Error Flow"; semantics, section 5.
    """
    if attempt >= policy.max_attempts:
        return False
    if node_class is NodeClass.ONCE and not (error.not_started or error.refused):
        return False
    if policy.retryable_errors:
        return error.code in policy.retryable_errors or error.kind in policy.retryable_errors
    return error.kind in (Kind.TRANSIENT, Kind.RATE_LIMIT)


def delay_s(policy: Retry, attempt: int, error: NodeError, chance: float) -> float:
    """Say how long to wait before the next attempt.

    Args:
        policy: The node's policy.
        attempt: Attempts made so far, 1 or more.
        error: A longer `retry_after_s` of the receiver wins.
        chance: A draw from [0, 1), handed in so that a replay repeats it.

    Returns:
        Seconds; exponential back-off with ±20 % jitter, at most the policy's maximum before jitter.
    """
    exponential = policy.initial_delay_ms * policy.backoff_multiplier ** min(attempt - 1, 64)
    delay = min(policy.max_delay_ms, exponential) / 1000 * (1 + JITTER * (2 * chance - 1))
    return max(delay, error.retry_after_s or 0.0)
