"""Variables of a workspace: values that expressions read as `vars.KEY`."""

import re
from collections.abc import Mapping, Sequence

from linkflow.control.actor import Actor
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records, Variable

KEPT_S = 60.0
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class Variables:
    """Set, list and remove variables."""

    def __init__(self, records: Records, prepared: Prepared) -> None:
        self._records, self._prepared = records, prepared

    async def of(self, workspace_id: str) -> Mapping[str, Json]:
        """Read all variables of a workspace, as starts need them."""
        found: Mapping[str, Json] | None = self._prepared.get(f"variables:{workspace_id}")
        if found is None:
            found = {each.key: each.value for each in await self._records.ledger.variables(workspace_id)}
            self._prepared.put(f"variables:{workspace_id}", found, KEPT_S)
        return found

    async def list(self, actor: Actor) -> Sequence[Variable]:
        """List variables by key."""
        actor.require("variable.view")
        return await self._records.ledger.variables(actor.workspace_id)

    async def put(self, actor: Actor, key: str, value: Json) -> Variable:
        """Set a variable; executions that start from now on see it. Safe to repeat.

        Raises:
            Invalid: The key is not a name.
        """
        actor.require("variable.update")
        if not KEY.fullmatch(key):
            raise Invalid("A variable's key has letters, digits and _, at most 100, no digit first.")
        variable = Variable(workspace_id=actor.workspace_id, key=key, value=value)
        await self._records.ledger.put_variable(variable)
        self._prepared.drop(f"variables:{actor.workspace_id}")
        return variable

    async def delete(self, actor: Actor, key: str) -> None:
        """Remove a variable. Safe to repeat."""
        actor.require("variable.delete")
        await self._records.ledger.delete_variable(actor.workspace_id, key)
        self._prepared.drop(f"variables:{actor.workspace_id}")
