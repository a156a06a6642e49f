"""Variables of a workspace: values that expressions read as `vars.KEY`.

A secret one is read as `credential.vars.KEY` and never travels with an execution: workers open it at the
moment of use, as a credential.
"""

import re
from collections.abc import Mapping, Sequence

from linkflow.control.actor import Actor, Audit
from linkflow.control.broker import variable_place
from linkflow.control.plans import Plans
from linkflow.domain.errors import Invalid
from linkflow.domain.values import Json, encode_json
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records, Variable
from linkflow.ports.vault import SecretBox

KEPT_S = 60.0
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class Variables:
    """Set, list and remove variables."""

    def __init__(
        self, records: Records, prepared: Prepared, box: SecretBox, audit: Audit, plans: Plans
    ) -> None:
        self._records, self._prepared, self._box, self._audit = records, prepared, box, audit
        self._plans = plans

    async def of(self, workspace_id: str) -> Mapping[str, Json]:
        """Read all variables of a workspace that are no secrets, as starts need them."""
        found: Mapping[str, Json] | None = self._prepared.get(f"variables:{workspace_id}")
        if found is None:
            listed = await self._records.ledger.variables(workspace_id)
            found = {each.key: each.value for each in listed if not each.sealed}
            self._prepared.put(f"variables:{workspace_id}", found, KEPT_S)
        return found

    async def list(self, actor: Actor) -> Sequence[Variable]:
        """List variables by key; the value of a secret one is None."""
        actor.require("variable.view")
        return await self._records.ledger.variables(actor.workspace_id)

    async def put(self, actor: Actor, key: str, value: Json, *, is_secret: bool = False) -> Variable:
        """Set a variable; executions that start from now on see it. Safe to repeat.

        Raises:
            Invalid: The key is not a name.
            LimitReached: The plan has no room for one more.
        """
        actor.require("variable.update")
        if not KEY.fullmatch(key):
            raise Invalid("A variable's key has letters, digits and _, at most 100, no digit first.")
        known = await self._records.ledger.variables(actor.workspace_id)
        if all(each.key != key for each in known):
            await self._plans.room(actor.workspace_id, "variables")
        variable = Variable(workspace_id=actor.workspace_id, key=key, value=value)
        if is_secret:
            place = variable_place(actor.workspace_id, key)
            sealed = self._box.seal(encode_json(value), place)
            variable = Variable(workspace_id=actor.workspace_id, key=key, value=None, sealed=sealed)
        async with self._records.transaction() as records:
            await records.ledger.put_variable(variable)
            await self._audit.note(
                records.ledger, actor, "variable.update", f"variable:{key}", is_secret=is_secret
            )
        self._prepared.drop(f"variables:{actor.workspace_id}")
        return variable

    async def delete(self, actor: Actor, key: str) -> None:
        """Remove a variable. Safe to repeat."""
        actor.require("variable.delete")
        async with self._records.transaction() as records:
            await records.ledger.delete_variable(actor.workspace_id, key)
            await self._audit.note(records.ledger, actor, "variable.delete", f"variable:{key}")
        self._prepared.drop(f"variables:{actor.workspace_id}")
