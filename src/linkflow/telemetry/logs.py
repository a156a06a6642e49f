"""Logs: one event a line, with the ids of the request or attempt it belongs to, and without secrets.

A line passes through, in this order: the facts of its request or attempt, level and time, the trace of an
error as text, the concealing of secrets, the taming of control characters, JSON or text for people.
Secrets are found twice: by the name of a fact (`password`, `authorization`, …), and by value wherever a
credential was opened in this process before.
"""

import logging
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

import structlog

HIDDEN = "***"
SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)|secret|token|api_?-?key|access_?-?key|private_?-?key|authorization|cookie"
    r"|signature|credentials?$|(^|_)pin($|_)|dsn$",
    re.IGNORECASE,
)
"""Names of facts whose values are never written."""

SHORTEST_NAMED, SHORTEST = 4, 8
"""Characters from which on a value of a credential is concealed: under a secret's name, under another."""

REMEMBERED = 2_000
"""Values that are concealed; the one opened longest ago is forgotten first."""

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    9: "\\t",
    10: "\\n",
    13: "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
INDENTED = ("exception", "stack")
"""Facts of several lines; in text for people each line is indented, so that none looks like a log line."""

_about: ContextVar[Mapping[str, Any]] = ContextVar("linkflow_log_facts", default={})  # noqa: B039  never changed
_made: dict[str, Any] = {}
_concealed: OrderedDict[str, None] = OrderedDict()
_pattern: re.Pattern[str] | None = None


def logger(name: str) -> Any:
    """Make the logger of one part; events are short sentences, facts are keyword arguments.

    Args:
        name: The part: `history`, `worker`, `api`.
    """
    if name not in _made:
        _made[name] = structlog.get_logger(part=name)
    return _made[name]


def about(**facts: str) -> None:
    """Say what the rest of this task is about: each of its log lines carries these facts.

    Args:
        facts: `request_id`, `execution_id`, `workspace_id` and the like.
    """
    _about.set({**_about.get(), **facts})


def said(name: str) -> str:
    """Look what this task is about; empty when nobody said."""
    return str(_about.get().get(name, ""))


def conceal(values: Any, name: str = "") -> None:
    """Never write these values to the log from now on.

    Args:
        values: The fields of a credential: text, or JSON whose texts are secret.
        name: Under which name the value was found.
    """
    global _pattern
    if isinstance(values, Mapping):
        for key, value in values.items():
            conceal(value, str(key))
    elif isinstance(values, list | tuple):
        for value in values:
            conceal(value, name)
    elif isinstance(values, str):
        for form in _forms(values, SHORTEST_NAMED if SECRET_NAME.search(name) else SHORTEST):
            if form not in _concealed:
                _pattern = None
            _concealed[form] = None
            _concealed.move_to_end(form)
        while len(_concealed) > REMEMBERED:
            _concealed.popitem(last=False)
            _pattern = None


def _forms(value: str, shortest: int) -> Iterable[str]:
    """Say how a value may appear in a text: as it is, escaped, and its longer lines."""
    lines = value.splitlines() if len(value.splitlines()) > 1 else []
    forms = {value, repr(value)[1:-1], *(line.strip() for line in lines if len(line.strip()) >= 16)}
    return [form for form in forms if len(form) >= shortest]


def concealed(text: str) -> str:
    """Take every known secret out of a text."""
    global _pattern
    if not _concealed:
        return text
    if _pattern is None:  # the longest first: one secret may be the beginning of another
        _pattern = re.compile("|".join(map(re.escape, sorted(_concealed, key=len, reverse=True))))
    return _pattern.sub(HIDDEN, text)


def _clean(value: Any, name: str = "") -> Any:
    """Conceal what is secret in a fact, whatever its shape."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name and SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {concealed(str(key)): _clean(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    return concealed(value if isinstance(value, str) else str(value))


def _with_facts(_: Any, __: str, event: Any) -> Any:
    """Add what the task is about; what the line says itself wins."""
    return {**_about.get(), **event}


def _without_secrets(_: Any, __: str, event: Any) -> Any:
    """Conceal secrets."""
    return {name: _clean(value, name) for name, value in event.items()}


def _on_one_line(_: Any, __: str, event: Any) -> Any:
    """Let nothing in a line for people end it, colour it or look like the next one."""
    found = {}
    for name, value in event.items():
        if name in INDENTED and isinstance(value, str):
            kept = (line.translate(CONTROLS) for line in value.splitlines())
            found[name] = "\n".join(f"    {line}" for line in kept)
        else:
            found[name] = value.translate(CONTROLS) if isinstance(value, str) else value
    return found


class _Bridge(logging.Handler):
    """Brings what libraries log into the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        facts = {"exc_info": record.exc_info} if record.exc_info and record.exc_info[0] else {}
        level = max(logging.DEBUG, min(logging.CRITICAL, record.levelno // 10 * 10))
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # its arguments do not fit its text
            text = str(record.msg)
        logger(record.name).log(level, text, **facts)


def set_up(level: str, *, as_json: bool, secrets: Iterable[str] = ()) -> None:
    """Set logging up for this process; what libraries log from warning on is written alike.

    Args:
        level: debug, info, warning or error.
        as_json: One JSON object per line; else lines for people.
        secrets: Values that are never written.
    """
    for secret in secrets:
        conceal(secret, "secret")
    tail: list[Any] = (
        [structlog.processors.JSONRenderer()]
        if as_json
        else [
            _on_one_line,
            structlog.dev.ConsoleRenderer(
                pad_event_to=0, colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
    structlog.configure(
        processors=[
            _with_facts,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _without_secrets,
            *tail,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _begin_anew()
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _Bridge)]
    root.addHandler(_Bridge())
    root.setLevel(logging.ERROR if level.lower() == "error" else logging.WARNING)


def set_level(level: str) -> None:
    """Log more or less from now on.

    Args:
        level: debug, info, warning or error.
    """
    structlog.configure(
        **{
            **structlog.get_config(),
            "wrapper_class": structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        }
    )
    _begin_anew()


def _begin_anew() -> None:
    """Let loggers that were used already take over what was configured."""
    for made in _made.values():
        vars(made).pop("bind", None)  # where a logger keeps what it was when it was first used
