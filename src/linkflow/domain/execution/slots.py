"""What an execution waits for before it begins, a slot or a ticket: a fold of its events."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from linkflow.domain.execution import events as e
from linkflow.domain.execution.parts import Slot


def _on_asked(state: Any, event: e.SlotAsked, at: float) -> None:
    state.slot = Slot(event.policy, event.key, at, event.begins_at)


def _on_promised(state: Any, event: e.SlotPromised, at: float) -> None:
    state.slot = msgspec.structs.replace(state.slot, begins_at=event.begins_at)


def _on_reached(state: Any, event: e.SlotReached, at: float) -> None:
    state.slot = None
    state.begun_at = at


def _on_ticket_queued(state: Any, event: e.TicketQueued, at: float) -> None:
    state.ticket_since = at


def _on_ticket_granted(state: Any, event: e.TicketGranted, at: float) -> None:
    state.ticket_since = 0.0
    state.begun_at = at


FOLDS: Mapping[type[e.Event], Callable[[Any, Any, float], None]] = {
    e.SlotAsked: _on_asked,
    e.SlotPromised: _on_promised,
    e.SlotReached: _on_reached,
    e.TicketQueued: _on_ticket_queued,
    e.TicketGranted: _on_ticket_granted,
}
