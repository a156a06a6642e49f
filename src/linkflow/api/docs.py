"""The page that shows the API, made from its own OpenAPI, without anything from outside."""

import html
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;
color:#1a1d21;background:#fff}h2{margin:2.2rem 0 .4rem;text-transform:capitalize}
details{border:1px solid #d9dde2;border-radius:6px;margin:.35rem 0;padding:.35rem .7rem}
summary{cursor:pointer}code,pre{font:13px/1.45ui-monospace,monospace}pre{background:#f5f6f8;
padding:.6rem;border-radius:6px;overflow:auto}b{display:inline-block;min-width:4.5rem}
.get{color:#0b6e4f}.post{color:#0a58ca}.put,.patch{color:#9a6700}.delete{color:#b42318}
@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8ea}pre{background:#1e2226}
details{border-color:#343a40}.get{color:#4cc38a}.post{color:#6ea8fe}.put,.patch{color:#e2b340}
.delete{color:#ff7b72}}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(openapi: Mapping[str, Any]) -> Response:
    """Show every route by its tag: what it does, what it takes, what it answers."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            tag = (route.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append(_route(path, method, route))
    sections = "".join(f"<h2>{html.escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items())
    info = openapi["info"]
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>LinkFlow API</title><style>{STYLE}</style>"
        f"<h1>LinkFlow API {html.escape(info['version'])}</h1>"
        "<p>Sign in with <code>POST /api/v1/auth/login</code> and send <code>Authorization: Bearer …</code>. "
        "Every path below <code>/api/v1</code> also answers below <code>/api</code>. "
        'The same as <a href="/api/openapi.json">OpenAPI 3.1</a>. '
        f"Every error is <code>application/problem+json</code>.</p>{sections}</html>"
    )
    return HTMLResponse(text, headers={"content-security-policy": POLICY})


def _route(path: str, method: str, route: Mapping[str, Any]) -> str:
    """Show one route."""
    parts = [f"<p>{html.escape(route.get('description', ''))}</p>"]
    for name in route.get("parameters", ()):
        about = name.get("description") or ("" if name.get("required") else "optional")
        parts.append(f"<p><code>{html.escape(name['name'])}</code> in {name['in']} {html.escape(about)}</p>")
    body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        parts.append(f"<p>Body</p><pre>{html.escape(_named(body))}</pre>")
    answers = ", ".join(
        f"{status} {html.escape(_named(_schema(answer)))}"
        for status, answer in route.get("responses", {}).items()
    )
    parts.append(f"<p>Answers {answers}</p>")
    return (
        f'<details><summary><b class="{method}">{method.upper()}</b> <code>{html.escape(path)}</code> '
        f"{html.escape(route.get('summary', ''))}</summary>{''.join(parts)}</details>"
    )


def _schema(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the schema of an answer."""
    for media in answer.get("content", {}).values():
        found: Mapping[str, Any] = media.get("schema", {})
        return found
    return {}


def _named(schema: Mapping[str, Any]) -> str:
    """Say a schema by its name."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_named(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_named(schema.get('items', {}))}"
    return str(schema.get("type", ""))
