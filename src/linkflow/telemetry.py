"""Names of logs, metrics and spans, and their set-up. Every room but `domain` may import this."""

import logging
from typing import Any

import structlog


def logger(name: str) -> Any:
    """Make the logger of one part; events are short sentences, facts are keyword arguments.

    Args:
        name: The part: `history`, `worker`, `api`.
    """
    return structlog.get_logger(part=name)


def set_up(level: str, *, as_json: bool) -> None:
    """Set logging up for this process.

    Args:
        level: debug, info, warning or error.
        as_json: One JSON object per line; else lines for people.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
