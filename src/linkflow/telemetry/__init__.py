"""Logs, metrics and spans: their names and their set-up. Every room but `domain` may import this.

Not here: what a part decides; measuring never changes what happens.
"""

from linkflow.telemetry.logs import about, conceal, logger, said, set_level, set_up

__all__ = ["about", "conceal", "logger", "said", "set_level", "set_up"]
