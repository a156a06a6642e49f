"""E-mail addresses: one spelling for each, and none that could break out of a letter's head."""

import re

from linkflow.domain.errors import Invalid

_ADDRESS = re.compile(r"[^@\s<>,;:\"\\()\[\]\x00-\x1f\x7f]{1,64}@[^@\s<>,;:\"\\()\[\]\x00-\x1f\x7f]{1,189}")


def email_of(text: str) -> str:
    """Trim and lower-case an address.

    Raises:
        Invalid: `email.invalid`: it is none.
    """
    found = text.strip().lower()
    if not _ADDRESS.fullmatch(found):
        raise Invalid("This is no e-mail address.", code="email.invalid")
    return found
