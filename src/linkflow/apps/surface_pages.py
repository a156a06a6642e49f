"""The reference pages of REST and of the command line, made from the code that answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linkflow.api.app import openapi_document

REST_PAGE = """# REST

Read this when you call LinkFlow from a program.
This page is generated; `make docs` writes it again.

Every path below `/api/v1` also answers below `/api`, and below `/api/v1/workspaces/{{workspace}}`.
Sign in with `POST /api/v1/auth/login`, then send `Authorization: Bearer <token>`.
Behind each path stands the permission it needs; *open* needs no token, *signed-in* any, *account* one's own
sign-in and no API key, *operator* the sign-in of whoever runs this LinkFlow.
A running LinkFlow shows the same at `/docs`, and as OpenAPI 3.1 at `/api/openapi.json`.

Every error is `application/problem+json`: `type`, `title`, `status`, `detail`, `code`, `kind`, `request_id`,
and facts.
400 invalid, 401 not signed in, 403 not allowed, 404 not there, 409 someone was first, 413 too large,
429 too often, 503 try again.
A malformed body is 400 before it is 401.
`Idempotency-Key` on a POST makes a repeat within 24 h give the first answer again.

{sections}
"""

CLI_PAGE = """# Command line

Read this when you steer LinkFlow from a terminal.
This page is generated; `make docs` writes it again.

Commands talk to the LinkFlow that runs on `LINKFLOW_HOME`; `--json` prints for programs.

{sections}
"""


def rest_page() -> str:
    """Write the page about REST."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in openapi_document()["paths"].items():
        for method, route in methods.items():
            by_tag.setdefault(route["tags"][0], []).append(_route(path, method, route))
    sections = "\n\n".join(f"## {tag.capitalize()}\n\n" + "\n\n".join(found) for tag, found in by_tag.items())
    return REST_PAGE.format(sections=sections)


def _route(path: str, method: str, route: Mapping[str, Any]) -> str:
    """Write one route."""
    needed = f" *{route['x-permission']}*" if route.get("security") else " *open*"
    lines = [f"### `{method.upper()} {path}`{needed}", "", " ".join(route.get("description", "").split())]
    parameters = [
        f"`{each['name']}`" for each in route.get("parameters", ()) if each["in"] in ("query", "header")
    ]
    if parameters:
        lines.append(f"Takes {', '.join(parameters)}.")
    schema = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema:
        lines.append(f"Body {_members(schema)}.")
    answers = [
        f"{status} {_members(_schema(answer))}".strip()
        for status, answer in route["responses"].items()
        if status.startswith("2")
    ]
    lines.append(f"Answers {'; '.join(answers)}.")
    return "\n".join(lines)


def _schema(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the schema of an answer."""
    for media in answer.get("content", {}).values():
        found: Mapping[str, Any] = media.get("schema", {})
        return found
    return {}


def _members(schema: Mapping[str, Any]) -> str:
    """Say the members of an object, or the kind of value."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _members(openapi_document()["components"]["schemas"][name])
    if "anyOf" in schema:
        return " or ".join(_members(each) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("properties"):
        required = schema.get("required", ())
        return "`{" + ", ".join(n if n in required else f"{n}?" for n in schema["properties"]) + "}`"
    return str(schema.get("type", ""))


def cli_page() -> str:
    """Write the page about the command line."""
    from typer.main import get_command

    from linkflow.apps.cli import app

    found = list(_commands(get_command(app), ["linkflow"]))
    return CLI_PAGE.format(sections="\n\n".join(found))


def _commands(command: Any, path: Sequence[str]) -> Iterator[str]:
    """Write a command, or those of a group."""
    if hasattr(command, "commands"):
        for name, each in command.commands.items():
            yield from _commands(each, [*path, name])
        return
    arguments = [
        f"{each.name.upper()}{'…' if each.nargs == -1 else ''}"
        for each in command.params
        if not each.opts[0].startswith("-")
    ]
    lines = [f"## `{' '.join([*path, *arguments])}`", "", " ".join((command.help or "").split())]
    options = [each for each in command.params if each.opts[0].startswith("-") and each.name != "help"]
    if options:
        lines += ["", "| option | what it does |", "|---|---|"]
        lines += [f"| `{', '.join(each.opts)}` | {each.help or ''} |" for each in options]
    yield "\n".join(lines)
