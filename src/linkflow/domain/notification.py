"""Notifications: what a message says to Slack, what its answers mean, and how a secret address is shown.

Source:
    Slack's documentation of incoming webhooks, `chat.postMessage` and message text.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import Json, decode_json

SHORTEST_WAIT_S = 1.0
LONGEST_WAIT_S = 3600.0
TOO_MANY = 429
TITLE, TEXT = 150, 2_900
"""What Slack takes of a header and of a section, characters."""
FINAL = frozenset({400, 401, 403, 404, 410})
"""Answers of an incoming webhook that will not change by themselves."""
PASSING = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
"""Errors of Slack's API that pass by themselves."""


class Refused(LinkFlowError):
    """The receiver of a notification did not take it.

    Attributes:
        is_final: It will not take it later either.
        again_s: When it asks to be tried again; None when it does not say.
    """

    code = "notification.refused"

    def __init__(self, message: str, *, is_final: bool, again_s: float | None = None) -> None:
        super().__init__(message)
        self.is_final, self.again_s = is_final, again_s


def slack_message(title: str, text: str, link: str = "") -> dict[str, Json]:
    """Say a message as Slack takes it: a line for its notifications, blocks for its channel."""
    blocks: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:TITLE]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": escaped(text)[:TEXT] or " "}},
    ]
    if link:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open in LinkFlow"}, "url": link}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": escaped(title), "blocks": blocks}


def escaped(text: str) -> str:
    """Keep a text from being read as a link, a mention or a channel by Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_refusal(status: int, headers: Mapping[str, str], body: bytes, *, is_api: bool) -> Refused | None:
    """Say why Slack did not take a message; None when it did.

    Args:
        status: Of HTTP.
        headers: Names in lower case.
        body: As received.
        is_api: Whether its API answered, whose 200 says `ok` inside; else an incoming webhook.
    """
    if status == TOO_MANY:
        said = headers.get("retry-after", "")
        wait_s = float(said) if said.isdecimal() else 60.0
        return Refused(
            "Slack takes no more messages for a while.",
            is_final=False,
            again_s=min(max(wait_s, SHORTEST_WAIT_S), LONGEST_WAIT_S),
        )
    if not 200 <= status < 300:
        said = body[:100].decode(errors="replace").strip()
        return Refused(f"Slack answered with {status}: {said}", is_final=status in FINAL)
    if not is_api:
        return None
    try:
        found = decode_json(body)
    except ValueError:
        return Refused("Slack answered with something else than JSON.", is_final=False)
    if isinstance(found, dict) and found.get("ok") is True:
        return None
    error = str(found.get("error")) if isinstance(found, dict) else "no object"
    return Refused(f"Slack says {error[:100]!r}.", is_final=error not in PASSING)


def masked(url: str) -> str:
    """Show an address whose path is a secret: the host, and the end of the path."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return (
        f"{parts.scheme}://{parts.netloc}/…{path[-4:]}"
        if len(path) > 8
        else f"{parts.scheme}://{parts.netloc}{path}"
    )


def moment(at: float) -> str:
    """Say an instant as people read it anywhere, such as 2030-01-31 09:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
