"""What an execution passes before its first node begins: a debounce, a rate limit, a line for a ticket.

One after the other, so that what a debounce drops takes no slot of a rate, and what waits for its slot keeps
no ticket from others. The instant of a debounce follows from the start itself; asking only finds out whether
another start came, or that it must be sooner. The slot of a rate is reserved by whoever keeps them, and then
recorded.
"""

from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.turn import Turn

DEBOUNCE, RATE = "debounce", "rate"


def line_up(turn: Turn, passed: str = "") -> None:
    """Let an execution wait for what comes next.

    Args:
        turn: Where events go.
        passed: The policy that it has passed; empty at the start.
    """
    start = turn.state.start
    if start.debounce is not None and not passed:
        turn.emit(e.SlotAsked(DEBOUNCE, start.debounce.key, turn.at + start.debounce.quiet_s))
    elif start.rate is not None and passed != RATE:
        turn.emit(e.SlotAsked(RATE, start.rate.key))
    elif start.ticket:
        turn.emit(e.TicketQueued(start.ticket, start.ticket_limit))


def fire_slot(turn: Turn) -> None:
    """Go on when the instant has come."""
    while (slot := turn.state.slot) is not None and slot.begins_at and slot.begins_at <= turn.at:
        turn.emit(e.SlotReached(slot.policy))
        line_up(turn, slot.policy)


def on_promised(turn: Turn, news: n.Promised) -> bool:
    """Take in when it begins."""
    slot = turn.state.slot
    if turn.state.is_ending or slot is None or (slot.key, slot.begins_at) == (news.key, news.begins_at):
        return False
    if slot.key != news.key:
        return False
    turn.emit(e.SlotPromised(slot.policy, news.begins_at))
    fire_slot(turn)
    return True


def on_refused(turn: Turn, news: n.Refused) -> bool:
    """End an execution that the policy does not let wait, or whose place another one took."""
    state = turn.state
    waits_for = state.slot.key if state.slot is not None else state.start.ticket
    if state.is_closed or not (state.slot or state.ticket_since) or news.ticket != waits_for:
        return False
    turn.emit(e.WorkflowExecutionCancelled(news.reason))
    return True
