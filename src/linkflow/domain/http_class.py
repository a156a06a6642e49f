"""The class of one HTTP request: what may happen twice to it depends on its method."""

from collections.abc import Mapping

from linkflow.domain.node import NodeClass
from linkflow.domain.values import Json

REPEATABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods that a receiver may be asked twice (RFC 9110, section 9.2.2)."""

IDEMPOTENCY_HEADER_FIELDS = ("idempotency_header", "idempotencyHeader")
"""Config fields that name the header which carries the effect key."""


def http_class(config: Mapping[str, Json]) -> NodeClass:
    """Say what may happen twice to an `http.request` with this config.

    Args:
        config: The node's config as written, expressions unresolved; a method that is an
            expression could be any, so it counts as POST.

    Returns:
        IDEMPOTENT by method; else KEYED when an idempotency header is configured; else ONCE.
    """
    method = config.get("method") or "GET"
    if isinstance(method, str) and method.strip().upper() in REPEATABLE_METHODS:
        return NodeClass.IDEMPOTENT
    if any(config.get(name) for name in IDEMPOTENCY_HEADER_FIELDS):
        return NodeClass.KEYED
    return NodeClass.ONCE
