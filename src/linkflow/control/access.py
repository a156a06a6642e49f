"""Who a bearer token or an API key belongs to, and what it is worth in a workspace right now.

What was found is believed for a second, so that a revoked token, a banned user and a changed role count
within a second everywhere, even where no nudge arrives; where one does (`session:<user>`), at once.
"""

import hashlib

from linkflow.control.actor import Actor
from linkflow.domain.errors import NotFound, Unauthenticated, Unavailable
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus, Prepared
from linkflow.ports.identity import Standing
from linkflow.ports.records import Records
from linkflow.ports.vault import TokenSigner

AUDIENCE = "linkflow"
BELIEVED_S = 1.0
"""How long an answer is believed without looking again."""
KEY_PREFIX = "lfk_"
USED_S = 60.0
"""How exactly the last use of a key is noted."""


def digest(secret: str) -> str:
    """Say what is kept of a secret that nobody could guess: its SHA-256, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Access:
    """Turns what a caller shows into an actor."""

    def __init__(
        self, records: Records, signer: TokenSigner, prepared: Prepared, bus: EventBus, clock: Clock
    ) -> None:
        self._records, self._signer, self._prepared = records, signer, prepared
        self._bus, self._clock = bus, clock

    def known(self, token: str, workspace_id: str = "") -> Actor | None:
        """Say who shows a token if that was looked up a moment ago, without waiting."""
        found: tuple[Actor, object] | None = self._prepared.get(f"token:{workspace_id}:{token}")
        if found is None:
            return None
        actor, epoch = found
        if self._prepared.get(f"session:{actor.user_id}") is not epoch or self._is_over(actor):
            return None
        return actor

    def _is_over(self, actor: Actor) -> bool:
        """Say whether the token of an actor has expired."""
        return actor.expires_at is not None and actor.expires_at <= self._clock.now()

    async def actor(self, token: str, workspace_id: str = "") -> Actor:
        """Say who shows a token, in a workspace or, without one, in the token's own.

        Raises:
            Unauthenticated: Not ours, expired, or ended.
            NotFound: The user does not belong to the workspace.
        """
        found = self.known(token, workspace_id)
        if found is not None:
            return found
        if token.startswith(KEY_PREFIX):
            actor = await self._of_key(digest(token), "", workspace_id)
        else:
            claims = self._signer.verify(token, self._clock.now())
            if claims.get("aud") != AUDIENCE:
                raise Unauthenticated
            actor = await self._of_sign_in(str(claims.get("sid", "")), workspace_id, float(claims["exp"]))
        epoch = self._prepared.get(f"session:{actor.user_id}")
        if epoch is None:
            epoch = object()
            self._prepared.put(f"session:{actor.user_id}", epoch, BELIEVED_S)
        self._prepared.put(f"token:{workspace_id}:{token}", (actor, epoch), BELIEVED_S)
        return actor

    async def beside(self, token: str, actor: Actor, workflow_id: str) -> Actor | None:
        """Say who shows a token where a workflow is; None where it is in no other workspace of theirs."""
        home = await self._records.workflows.home(actor.user_id, workflow_id)
        if home in ("", actor.workspace_id):
            return None
        try:
            return await self.actor(token, home)
        except NotFound:
            return None  # a key, or a token for one workspace

    async def again(self, actor: Actor) -> Actor:
        """Look again what an actor may; for sockets and streams, which outlive their request.

        Raises:
            Unauthenticated: Expired or ended.
            NotFound: The user does not belong to the workspace any more.
        """
        if self._is_over(actor):
            raise Unauthenticated
        if actor.key_id:
            return await self._of_key("", actor.key_id, actor.workspace_id)
        return await self._of_sign_in(actor.sign_in_id, actor.workspace_id, actor.expires_at)

    async def until_lost(self, actor: Actor) -> None:
        """Wait until an actor may not be here any more, or not in this role."""
        with self._bus.subscribe(f"session:{actor.user_id}") as nudges:
            while True:
                try:
                    if (await self.again(actor)).role != actor.role:
                        return
                except (Unauthenticated, NotFound):
                    return
                except Unavailable:
                    pass  # the database is away; nothing is served from it meanwhile
                await nudges.nudged(BELIEVED_S)

    def published(self) -> Json:
        """Say the keys that verify tokens, as a JSON Web Key Set."""
        return self._signer.published()

    def forget(self, user_id: str) -> None:
        """Look everything about a user up again: here at once, elsewhere within a second."""
        self._prepared.drop(f"session:{user_id}")
        self._bus.publish(f"session:{user_id}")

    async def _of_sign_in(self, sign_in_id: str, workspace_id: str, expires_at: float | None) -> Actor:
        """Say who a sign-in belongs to."""
        now = self._clock.now()
        standing = await self._records.accounts.standing(sign_in_id, workspace_id, now)
        return _actor(standing, workspace_id, expires_at)

    async def _of_key(self, key_hash: str, key_id: str, workspace_id: str) -> Actor:
        """Say who a key belongs to."""
        now, accounts = self._clock.now(), self._records.accounts
        standing = await accounts.key_standing(key_hash, key_id, now)
        if standing is None:
            raise Unauthenticated
        if workspace_id not in ("", standing.workspace_id):
            raise NotFound("There is no such workspace.", workspace=workspace_id)
        if now - (standing.last_used_at or 0.0) > USED_S:
            await accounts.key_used(standing.key_id, now)
        return _actor(standing, workspace_id, standing.expires_at)


def _actor(standing: Standing | None, workspace_id: str, expires_at: float | None) -> Actor:
    """Say a standing as an actor.

    Raises:
        Unauthenticated: It has ended.
        NotFound: The user is no member of the workspace that was named.
    """
    if standing is None:
        raise Unauthenticated
    if not standing.role:
        if workspace_id:
            raise NotFound("There is no such workspace.", workspace=workspace_id)
        raise Unauthenticated("You do not belong to the workspace of this token any more.")
    return Actor(
        user_id=standing.user_id,
        workspace_id=standing.workspace_id,
        email=standing.email,
        name=standing.name,
        role=standing.role,
        scopes=standing.scopes,
        sign_in_id=standing.sign_in_id,
        key_id=standing.key_id,
        client_id=standing.client_id,
        is_operator=standing.is_operator,
        expires_at=expires_at,
    )
