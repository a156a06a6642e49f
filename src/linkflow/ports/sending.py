"""How many messages may be under way at once, so that one slow receiver holds no other."""

from collections.abc import Mapping

import msgspec


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What may be claimed now.

    Whoever claims takes the oldest message of every workspace before the second of any.

    Attributes:
        most: As many more in all, 1 or more.
        of_place: As many to one place at once, those under way included.
        of_workspace: As many of one workspace at once, those under way included.
        places: How many are under way here, by place.
        workspaces: The same by workspace.
    """

    most: int
    of_place: int
    of_workspace: int
    places: Mapping[str, int] = {}
    workspaces: Mapping[str, int] = {}
