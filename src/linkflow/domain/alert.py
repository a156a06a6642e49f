"""Alert rules: what somebody wants to hear of, where they hear it, and how a rule is checked."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.email import email_of
from linkflow.domain.errors import Invalid
from linkflow.domain.subscription import checked_url

KINDS: Mapping[str, str] = {
    "failure": "An execution failed or timed out.",
    "slow": "An execution takes longer than `over_s`, or `times_p95` times its workflow's usual 95 %.",
    "stuck": "Nothing moved an open execution for `over_s`.",
    "approval": "An execution asks people something.",
    "dead_letter": "Work was given up on.",
    "quota": "Usage reached `percent` of what the plan allows.",
    "budget": "Usage reached `percent` of a budget.",
    "credential": "A credential must be connected again.",
    "schedule": "A schedule did not fire, or fires no more.",
}
CHANNELS = ("email", "slack", "webhook")
OF_EXECUTIONS = frozenset({"failure", "slow"})
"""Kinds that follow from the end of an execution."""
DEFAULT_OVER_S: Mapping[str, float] = {"stuck": 24 * 3600.0, "schedule": 300.0}
DEFAULT_PERCENT = 80
SHORTEST_OVER_S = 1.0
LONGEST_S = 366 * 24 * 3600.0
LEAST_RUNS = 20
"""Executions that a percentile is made of, at least."""
MOST_CHANNELS = 10
MOST_ADDRESSES = 20


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an alert goes.

    Attributes:
        kind: email, slack or webhook.
        to: Addresses of e-mail.
        url: Of a webhook, or Slack's incoming webhook: a secret.
        secret: Signs what a webhook is sent.
        credential: Slack credential, instead of `url`.
        channel: In Slack, with a credential.
    """

    kind: str
    to: Sequence[str] = ()
    url: str = ""
    secret: str = ""
    credential: str = ""
    channel: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert is about.

    Attributes:
        kind: One of `KINDS`.
        workflow_ids: Only these; empty for all.
        over_s: Seconds; None for the kind's own, or none.
        times_p95: Factor; None for none.
        percent: Of a plan or budget, 1 to 100.
    """

    kind: str
    workflow_ids: Sequence[str] = ()
    over_s: float | None = None
    times_p95: float | None = None
    percent: int | None = None


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened which a rule is about.

    Attributes:
        happening: Says what happened, uniquely; told once per rule.
        subject: What it is about; each has its own cool-down.
        path: Where a person looks, below LinkFlow's address.
        data: The facts, for webhooks.
    """

    happening: str
    subject: str
    title: str
    text: str
    path: str = ""
    data: object = None


def checked_rule(rule: Rule) -> Rule:
    """Say a rule with the values that its kind has of its own.

    Raises:
        Invalid: `alert.rule`.
    """
    if rule.kind not in KINDS:
        raise Invalid(f"There is no alert of kind {rule.kind!r}; say {', '.join(KINDS)}.", code="alert.rule")
    over_s = rule.over_s if rule.over_s is not None else DEFAULT_OVER_S.get(rule.kind)
    if over_s is not None and not SHORTEST_OVER_S <= over_s <= LONGEST_S:
        raise Invalid(f"over_s is {SHORTEST_OVER_S:g} to {LONGEST_S:g} seconds.", code="alert.rule")
    if rule.times_p95 is not None and not 1 <= rule.times_p95 <= 1000:
        raise Invalid("times_p95 is 1 to 1000.", code="alert.rule")
    if rule.kind == "slow" and over_s is None and rule.times_p95 is None:
        raise Invalid("Say what slow is: over_s, times_p95, or both.", code="alert.rule")
    percent = rule.percent
    if rule.kind in ("quota", "budget"):
        percent = DEFAULT_PERCENT if percent is None else percent
        if not 1 <= percent <= 100:
            raise Invalid("percent is 1 to 100.", code="alert.rule")
    return msgspec.structs.replace(rule, over_s=over_s, percent=percent)


def checked_channels(channels: Sequence[Channel]) -> Sequence[Channel]:
    """Say channels with addresses spelled in one way.

    Raises:
        Invalid: `alert.channel`, `subscription.url`, `email.invalid`.
    """
    if not 1 <= len(channels) <= MOST_CHANNELS:
        raise Invalid(f"Name one to {MOST_CHANNELS} channels.", code="alert.channel")
    return [_checked(channel) for channel in channels]


def _checked(channel: Channel) -> Channel:
    match channel.kind:
        case "email":
            if not 1 <= len(channel.to) <= MOST_ADDRESSES:
                raise Invalid(f"E-mail goes to one to {MOST_ADDRESSES} addresses.", code="alert.channel")
            to = tuple(dict.fromkeys(email_of(each) for each in channel.to))
            return Channel(kind="email", to=to)
        case "slack":
            if channel.url:
                return Channel(kind="slack", url=checked_url(channel.url))
            if not channel.credential or not channel.channel:
                raise Invalid(
                    "Slack needs the url of an incoming webhook, or a credential and a channel.",
                    code="alert.channel",
                )
            return Channel(kind="slack", credential=channel.credential, channel=channel.channel)
        case "webhook":
            return Channel(kind="webhook", url=checked_url(channel.url), secret=channel.secret)
    raise Invalid(
        f"There is no channel of kind {channel.kind!r}; say {', '.join(CHANNELS)}.", code="alert.channel"
    )


def is_slow(rule: Rule, duration_s: float, p95_s: float | None) -> bool:
    """Say whether a duration is what a rule calls slow; a percentile may be missing."""
    if rule.over_s is not None and duration_s > rule.over_s:
        return True
    return rule.times_p95 is not None and p95_s is not None and duration_s > rule.times_p95 * p95_s


def is_about(rule: Rule, workflow_id: str) -> bool:
    """Say whether a rule looks at a workflow."""
    return not rule.workflow_ids or workflow_id in rule.workflow_ids


def span(seconds: float) -> str:
    """Say how long something takes, as a person would."""
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
