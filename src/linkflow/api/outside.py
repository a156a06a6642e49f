"""What answers without a token: resume links, signed callbacks, the docs page."""

import html
from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from linkflow.api import shapes
from linkflow.api.deps import Answer, Ask, Id, Shape, StrictRoute, strict_json
from linkflow.domain.callback import is_genuine
from linkflow.domain.errors import Invalid, Unauthenticated
from linkflow.ports.services import Driver

router = APIRouter(route_class=StrictRoute)

CALLBACK_BYTES = 10 * 1024 * 1024


class Decision(Shape):
    """What is decided, and with what."""

    action: Literal["done", "approved", "rejected", "retry", "fail"] = "done"
    data: Any = None


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width"><title>LinkFlow</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1rem;margin-right:.5rem}}</style>
<h1>{title}</h1><p>{message}</p><form method="post">{buttons}</form></html>"""


def page(driver: Driver) -> Response:
    """Show a person what the link decides; looking decides nothing."""
    shown = driver.data if isinstance(driver.data, dict) else {}
    title = html.escape(str(shown.get("title") or driver.label or "LinkFlow waits for you"))
    message = html.escape(str(shown.get("description") or driver.message))
    choices = ("approved", "rejected") if driver.kind == "approval" else ("done",)
    words = {"approved": "Approve", "rejected": "Reject", "done": "Continue"}
    buttons = "".join(f'<button name="action" value="{each}">{words[each]}</button>' for each in choices)
    headers = {
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
        "cache-control": "no-store",
    }
    return HTMLResponse(PAGE.format(title=title, message=message, buttons=buttons), headers=headers)


@router.get("/api/v1/resume/{token}", tags=["resume"], summary="Look at what a resume link decides")
@router.get("/api/v1/resume/{token}/status", tags=["resume"], summary="Look at what a resume link decides")
async def look(ask: Ask, token: Id) -> Response:
    """Show what the link decides: a page for people, JSON for programs. Nothing is decided by looking."""
    driver = await ask.plane.resume.read(token)
    if "text/html" in ask.request.headers.get("accept", ""):
        return page(driver)
    return Answer({
        "kind": driver.kind, "message": driver.message, "label": driver.label, "data": driver.data,
    })  # fmt: skip


@router.post(
    "/api/v1/resume/{token}",
    tags=["resume"],
    status_code=202,
    responses={202: {"model": shapes.Done}},
    summary="Decide by a resume link",
)
async def decide(ask: Ask, token: Id) -> Response:
    """Decide: `{"action", "data"}` as JSON, or a form with `action`. Any other JSON becomes the data."""
    body = await ask.request.body()
    kind = ask.request.headers.get("content-type", "").partition(";")[0].strip()
    is_form = kind == "application/x-www-form-urlencoded"
    if is_form:
        form = await ask.request.form()
        decision = Decision(action=_action(str(form.get("action") or "done")))
    else:
        decision = decision_of(body)
    await ask.plane.resume.decide(token, decision.action, decision.data)
    if is_form:
        return HTMLResponse("<!doctype html><title>LinkFlow</title><p>Thank you, it goes on.</p>")
    return Answer({"ok": True}, 202)


def _action(text: str) -> Any:
    """Read an action.

    Raises:
        Invalid: There is no such action.
    """
    if text not in ("done", "approved", "rejected", "retry", "fail"):
        raise Invalid(f"There is no action {text[:40]!r}.")
    return text


def decision_of(body: bytes) -> Decision:
    """Read a decision out of a JSON body; a body without `action` is the data.

    Raises:
        Invalid: It is not JSON, or there is no such action.
    """
    if not body.strip():
        return Decision()
    try:
        found = strict_json(body)
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {error}.") from error
    if isinstance(found, dict) and "action" in found:
        return Decision(action=_action(str(found["action"])), data=found.get("data"))
    return Decision(data=found.get("data") if isinstance(found, dict) and set(found) == {"data"} else found)


@router.post(
    "/api/v1/jobs/callback",
    tags=["callbacks"],
    responses={200: {"model": shapes.Done}},
    summary="Take an engine's callback",
)
@router.post(
    "/api/v1/jobs/progress",
    tags=["callbacks"],
    responses={200: {"model": shapes.Done}},
    summary="Take an engine's progress",
)
async def callback(ask: Ask) -> Response:
    """Take a callback that is signed with LINKFLOW_SECRET; a repeat is answered alike.

    The engine of this process writes its projections itself, so nothing is left to be done here but to say
    whether the signature holds.
    """
    body = await ask.request.body()
    if not is_genuine(ask.plane.secret, ask.request.headers, body, ask.plane.clock.now()):
        raise Unauthenticated(
            "The callback is not signed, wrongly signed or too old.", code="callback.signature"
        )
    try:
        strict_json(body)
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {error}.") from error
    return Answer({"ok": True})
