"""What `linkflow doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        look: What was looked at.
        state: ok; warning, which can wait; error, with which LinkFlow does not run as it should.
        seen: What was seen.
        mend: What to do about it; empty when there is nothing to do.
    """

    look: str
    state: Literal["ok", "warning", "error"]
    seen: str
    mend: str = ""
