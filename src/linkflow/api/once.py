"""`Idempotency-Key` on every POST that changes something: the first answer is kept and given again for 24 h.

It is kept sealed, because some answers show a secret once.
Starts hand the key to the engine instead, which keeps it with the execution; this is for everything else.
The cache is looked at first and only to refuse a key that was used for another request; the ledger decides.
"""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from linkflow.control.actor import Actor
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import Conflict
from linkflow.ports.records import StoredReply
from linkflow.ports.vault import SecretBox

KEPT_S = 24 * 3600.0
REUSED = "This Idempotency-Key was used for another request."
ENGINE_KEEPS = ("/execute", "/retry", "/signal")
"""Ends of paths whose key the engine itself keeps."""


def applies(request: Request) -> bool:
    """Say whether a request is answered once per key here."""
    path = request.scope["path"]
    return (
        request.method == "POST"
        and "idempotency-key" in request.headers
        and not path.endswith(ENGINE_KEEPS)
        and "/events/" not in path
        and not path.startswith(("/api/v1/auth/", "/api/v1/resume/", "/api/v1/jobs/"))
    )


async def once(
    request: Request, plane: ControlPlane, actor: Actor, key: str, answer: Callable[[], Awaitable[Response]]
) -> Response:
    """Answer a request, or say again what was answered.

    Raises:
        Conflict: `idempotency.in_progress`: the first request is still at work; `idempotency.key_reused`: the
            key was used for another request.
    """
    body = await request.body()
    now = plane.clock.now()
    path = request.scope["path"]
    asked = StoredReply(
        workspace_id=actor.workspace_id,
        key=f"{actor.user_id}:{actor.workspace_id}:{path}:{hashlib.sha256(key.encode()).hexdigest()}",
        fingerprint=hashlib.sha256(request.scope["query_string"] + b"\n" + body).hexdigest(),
        created_at=now,
    )
    ledger = plane.records.ledger
    name = _name(actor, path, key)
    is_first = await plane.cache.put_if_absent(name, asked.fingerprint, KEPT_S)
    if not is_first and await plane.cache.get(name) not in (None, asked.fingerprint):
        raise Conflict(REUSED, code="idempotency.key_reused")
    found = await ledger.claim_reply(asked, now - KEPT_S)
    if found is not None:
        if is_first and found.fingerprint != asked.fingerprint:
            await plane.cache.drop(name)
        return _again(plane.box, asked, found)
    try:
        response = await answer()
    except BaseException:
        await ledger.store_reply(asked)
        await plane.cache.drop(name)
        raise
    if response.status_code >= 500:
        await ledger.store_reply(asked)
        await plane.cache.drop(name)
        return response
    await ledger.store_reply(
        StoredReply(
            workspace_id=actor.workspace_id,
            key=asked.key,
            fingerprint=asked.fingerprint,
            status=response.status_code,
            sealed=plane.box.seal(bytes(response.body), _place(asked)),
        )
    )
    return response


def _name(actor: Actor, path: str, key: str) -> str:
    """Name what is done once: `{userId}:{resourceType}:{resourceId}:{action}` and the caller's key (D26)."""
    kind, _, rest = path.removeprefix("/api/v1/").partition("/")
    resource_id, _, action = rest.partition("/")
    said = hashlib.sha256(f"{actor.workspace_id}:{key}".encode()).hexdigest()
    return f"idempotency:{actor.user_id}:{kind}:{resource_id or '-'}:{action or 'create'}:{said}"


def _place(reply: StoredReply) -> str:
    """Say what a sealed answer belongs to; see `ports.sealed.SealedValue`."""
    return f"reply:{reply.key}:{reply.workspace_id}"


def _again(box: SecretBox, asked: StoredReply, found: StoredReply) -> Response:
    """Say again what was answered."""
    if found.fingerprint != asked.fingerprint:
        raise Conflict(REUSED, code="idempotency.key_reused")
    if not found.status:
        raise Conflict("The first request with this key is still at work.", code="idempotency.in_progress")
    body = box.open(found.sealed, _place(found)) if found.sealed else found.body
    return Response(
        body,
        found.status,
        {"idempotency-replayed": "true"},
        media_type="application/json" if body else None,
    )
