"""The slot of an execution, the instant at which a rate or a debounce lets it begin: a fold of its events."""

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


FOLDS: Mapping[type[e.Event], Callable[[Any, Any, float], None]] = {
    e.SlotAsked: _on_asked,
    e.SlotPromised: _on_promised,
    e.SlotReached: _on_reached,
}
