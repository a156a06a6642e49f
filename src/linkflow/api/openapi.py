"""The OpenAPI of what is served: one error shape, the bearer token, the key for "do this once"."""

from typing import Any

from linkflow.api.permissions import NEEDED, OPEN
from linkflow.api.shapes import Problem

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The caller's key for doing this once: the same key within 24 h gives the same answer.",
    "schema": {"type": "string", "maxLength": 255},
}
ERRORS = {
    "400": "The request does not have the right shape, or cannot be accepted.",
    "401": "Sign in first.",
    "402": "The plan allows no more.",
    "403": "You are not allowed to do this.",
    "404": "There is no such thing, or it may not be seen.",
    "409": "Someone else was first, or the thing is past that.",
    "413": "The body is too large.",
    "423": "The workspace is locked.",
    "429": "Too many requests.",
    "503": "Try again later.",
}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add to the framework's document what holds for every route."""
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = Problem.model_json_schema() | {"additionalProperties": True}
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            _complete(path, method, route)
    return document


def _complete(path: str, method: str, route: dict[str, Any]) -> None:
    """Add to a route what holds for all."""
    route["responses"].pop("422", None)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, about in ERRORS.items():
        route["responses"].setdefault(status, {"description": about, "content": content})
    needed = NEEDED.get((method.upper(), path), "")
    if needed == OPEN:
        return
    route["security"] = [{"bearer": []}]
    route["x-permission"] = needed
    if method == "post" and not path.startswith("/api/v1/auth/"):
        route.setdefault("parameters", []).append(KEY)
