"""Write docs/reference and the editor's API types again; `--check` only says which are out of step.

A page is generated from the code that it describes, so it cannot drift: a test runs the same functions.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from linkflow.api.app import openapi_document
from linkflow.apps.client_types import client_types
from linkflow.apps.metric_pages import metrics_page
from linkflow.apps.node_pages import node_pages
from linkflow.apps.settings import FILE, reference
from linkflow.apps.surface_pages import cli_page, rest_page
from linkflow.domain.workflow.template.functions.reference import function_reference

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"


SETTINGS_PAGE = """# Settings

Read this when LinkFlow should run elsewhere, or differently.
This page is generated; `make docs` writes it again.

A setting is a variable of the environment.
It can also be a line of `LINKFLOW_HOME/{file}`, without its prefix and in lower case: `port = 8080`.
The environment wins.
A secret may also lie in a file, named by its variable with `_FILE` at the end.
For example: `LINKFLOW_SECRET_FILE=/run/secrets/secret`.
A wrong value stops the start with a sentence that says what to change; an unknown name is a warning.

| variable | kind | default | what it is for |
|---|---|---|---|
{rows}
"""


def settings() -> str:
    """Write the page about the settings."""
    rows = [
        f"| `{name}` | {kind} | {f'`{default}`' if default else ''} | {doc} |"
        for name, kind, default, doc in reference()
    ]
    return SETTINGS_PAGE.format(file=FILE, rows="\n".join(rows))


def known(text: str) -> Callable[[], str]:
    """Give a page that is written already."""
    return lambda: text


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "expressions.md": function_reference,
    "rest.md": rest_page,
    "cli.md": cli_page,
    "metrics.md": metrics_page,
    **{name: known(text) for name, text in node_pages().items()},
    "../../ui/src/api/schema.gen.ts": lambda: client_types(openapi_document()),
}


def main() -> None:
    """Write the pages that are out of step."""
    stale = [
        name
        for name, text in PAGES.items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text() != text()
    ]
    if "--check" in sys.argv and stale:
        raise SystemExit(f"out of step, run `make docs`: {', '.join(stale)}")
    for name in stale:
        (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
        (REFERENCE / name).write_text(PAGES[name]())
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
