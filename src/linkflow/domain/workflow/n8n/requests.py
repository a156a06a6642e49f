"""n8n's HTTP Request, of every version, as ours; and how its parameters are laid out."""

from collections.abc import Callable, Mapping
from typing import Any

from linkflow.domain.values import Json
from linkflow.domain.workflow.n8n.data import Say, Theirs

_HANDLED = frozenset(
    [
        "timeout",
        "response",
        "redirect",
        "allowUnauthorizedCerts",
        "followRedirect",
        "ignoreResponseCode",
        "fullResponse",
    ]
)
_BODIES = {
    "form-urlencoded": "form",
    "multipart-form-data": "multipart",
    "binaryData": "binary",
    "raw": "raw",
}


def text_of(value: Json) -> str:
    """Read a text; numbers as text, anything else as none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def table(value: Json, key: str) -> list[Mapping[str, Any]]:
    """Read the objects of n8n's `{key: [{…}]}`."""
    listed = value.get(key) if isinstance(value, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def inside(given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Read an object under a key; an empty one when there is none."""
    found = given.get(key)
    return found if isinstance(found, dict) else {}


def asked(
    given: Mapping[str, Any], node: Theirs, say: Say, parsed: Callable[[Json], Json]
) -> dict[str, Json]:
    """Read what is asked of which address.

    Args:
        given: The parameters, in our words.
        node: The node.
        say: Takes notes.
        parsed: Reads JSON that is held as text.
    """
    config: dict[str, Json] = {
        "method": given.get("method") or given.get("requestMethod") or "GET",
        "url": given.get("url", ""),
    }
    for ours, names in {
        "headers": ("headerParameters", "jsonHeaders", "headerParametersUi", "headerParametersJson"),
        "query": ("queryParameters", "jsonQuery", "queryParametersUi", "queryParametersJson"),
    }.items():
        if found := _pairs(given, names, parsed):
            config[ours] = found
    config |= _body(given, parsed)
    kind = text_of(given.get("rawContentType")) or "application/json"
    if config.get("body_type") == "raw" and isinstance(config.get("headers", {}), dict):
        config["headers"] = {"Content-Type": kind} | dict(config.get("headers") or {})
    return config | _options(inside(given, "options"), say)


def _pairs(given: Mapping[str, Any], names: tuple[str, ...], parsed: Callable[[Json], Json]) -> Json:
    for name in names:
        value = given.get(name)
        if isinstance(value, str) and value:
            return parsed(value)
        rows = table(value, "parameters") or table(value, "parameter")
        if rows:
            return {text_of(each.get("name")): each.get("value") for each in rows}
    return None


def _body(given: Mapping[str, Any], parsed: Callable[[Json], Json]) -> dict[str, Json]:
    if given.get("sendBody") is False or (
        given.get("sendBody") is None and "requestMethod" not in given and not given.get("jsonBody")
    ):
        return {}
    kind = str(given.get("contentType") or given.get("bodyContentType") or "json")
    body = given.get("body") if kind in ("raw", "binaryData") else None
    body = body or _pairs(
        given, ("jsonBody", "bodyParameters", "bodyParametersJson", "bodyParametersUi"), parsed
    )
    if body is None:
        return {}
    found: dict[str, Json] = {"body": body}
    if kind in _BODIES:
        found["body_type"] = _BODIES[kind]
    elif isinstance(body, str) and not (body.startswith("{{") and body.endswith("}}")):
        found["body_type"] = "raw"
    return found


def _options(options: Mapping[str, Any], say: Say) -> dict[str, Json]:
    found: dict[str, Json] = {}
    if isinstance(options.get("timeout"), int | float):
        found["timeout_ms"] = options["timeout"]
    if options.get("allowUnauthorizedCerts") is True:
        found["verify_tls"] = False
    redirect = inside(inside(options, "redirect"), "redirect")
    if redirect.get("followRedirects") is False or options.get("followRedirect") is False:
        found["follow_redirects"] = False
    response = inside(inside(options, "response"), "response")
    if response.get("neverError") is True or options.get("ignoreResponseCode") is True:
        found["on_status"] = "data"
    if response.get("responseFormat") in ("json", "text"):
        found["response"] = response["responseFormat"]
    if names := [name for name in options if name not in _HANDLED]:
        say("OPTION", f"These options have no place here and are left out: {', '.join(names)}.")
    return found


def authentication(given: Mapping[str, Any], node: Theirs, say: Say) -> dict[str, Json]:
    """Name the credential by which it signs in; a note says that it has to be made here."""
    kept = node.raw.get("credentials")
    wanted = text_of(given.get("genericAuthType")) or text_of(given.get("nodeCredentialType"))
    if not isinstance(kept, dict) or not kept or given.get("authentication") == "none":
        return {}
    kind = wanted if wanted in kept else next(iter(kept))
    chosen = kept[kind]
    name = text_of(chosen.get("name") if isinstance(chosen, dict) else chosen) or str(kind)
    say(
        "CREDENTIAL",
        f"It signs in by the credential '{name}' ({kind}); make one of that name here, or choose another.",
    )
    return {"credential": name}
