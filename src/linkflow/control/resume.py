"""Resume links: whoever holds one may decide what an execution waits for."""

from linkflow.control.approvals import asked_by, require_fits
from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json, is_execution_id
from linkflow.ports.services import Driver, Explanation, Frontend, ResolveWait


def split_token(token: str) -> tuple[str, str]:
    """Split a resume token into execution id and the wait's own token.

    Raises:
        NotFound: It is none of ours.
    """
    execution_id, _, secret = token.partition(".")
    if not secret or not is_execution_id(execution_id):
        raise _unknown()
    return execution_id, secret


def _unknown() -> NotFound:
    """One answer for every token that opens nothing."""
    return NotFound("This link opens nothing: it is wrong, was used, or has expired.", code="resume.unknown")


class Resume:
    """Look at and decide a wait by its token."""

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend

    async def read(self, token: str) -> Driver:
        """Show what the link decides; nothing is decided by looking.

        Raises:
            NotFound: The link opens nothing.
        """
        execution_id, secret = split_token(token)
        try:
            found: Explanation = await self._frontend.explain(execution_id)
        except NotFound as error:
            raise _unknown() from error
        for driver in found.drivers:
            if driver.token == secret:
                return driver
        raise _unknown()

    async def decide(self, token: str, action: str, data: Json) -> None:
        """Decide the wait. Safe to repeat, until it is decided.

        Raises:
            NotFound: The link opens nothing.
            Invalid: The data does not fit the form of an approval.
            ExecutionClosed: The execution is over.
        """
        execution_id, secret = split_token(token)
        driver = await self.read(token)
        if driver.kind == "approval" and action == "approved":
            require_fits(asked_by(driver), data)
        await self._frontend.resolve(
            ResolveWait(execution_id=execution_id, token=secret, action=action, data=data, by="resume link")
        )
