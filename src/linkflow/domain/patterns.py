"""Regular expressions in linear time: a pattern from outside can fail, but never stall."""

from functools import lru_cache
from typing import Any

import jsonschema_rs

from linkflow.domain.errors import Invalid


def pattern_found(pattern: str, text: str) -> bool:
    """Say whether a pattern is found anywhere in a text.

    Args:
        pattern: Rust syntax: no back references, no look-around; `(?i)` ignores case.
        text: What to look in.

    Raises:
        Invalid: `pattern.invalid`: the pattern cannot be used.
    """
    found: bool = _compiled(pattern).is_valid(text)
    return found


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    try:
        return jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000)
        )
    except ValueError as error:
        raise Invalid(
            f"{pattern[:80]!r} is not a pattern that can be searched in linear time.", code="pattern.invalid"
        ) from error
