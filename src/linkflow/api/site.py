"""The editor: its built files at /, and a page that says how to build them where they are missing."""

import html
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Match, Route

BUILT = Path(__file__).parent / "_ui"
"""Made by scripts/ui.py."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""`unsafe-inline` is for styles only: the canvas places its nodes by them."""

FOREVER = "public, max-age=31536000, immutable"
PROGRAMS = frozenset({"api", "v1", "webhooks", "oauth", ".well-known", "health", "ready", "metrics"})
"""First parts of paths at which programs are answered, never with a page."""

MISSING = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>LinkFlow</title><style>
body{{font:16px/1.6 system-ui,sans-serif;max-width:38rem;margin:4rem auto;
padding:0 1rem;color:#1a1d21;background:#fff}}
code{{background:#f1f3f5;padding:.1rem .35rem;border-radius:4px}}
@media(prefers-color-scheme:dark){{body{{color:#e6e8ea;background:#14171a}}
code{{background:#262b30}}}}</style>
<h1>LinkFlow runs, its editor is not built</h1>
<p>{how}</p>
<p>Everything else works: <a href="/docs">the API</a> and the command line.</p></html>"""
HOW = (
    "In a checkout run <code>make ui</code> and load this page again; it needs to reach the registries of "
    "Python and Node packages. An installed package that came without the editor was built where these "
    "could not be reached: install it again."
)
MISSING_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Site(Route):
    """What no other route answers: files of the editor, and its page for every address of its own."""

    def __init__(self, built: Path = BUILT) -> None:
        super().__init__("/{path:path}", self._answer, methods=["GET"], include_in_schema=False)
        self._built = built

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, MutableMapping[str, Any]]:
        """Leave to the other routes what is not a page: a wrong method, paths of programs."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return Match.NONE, {}
        first, _, rest = scope["path"].removeprefix("/").partition("/")
        if first in PROGRAMS:
            return Match.NONE, {}
        is_file = first == "assets" or (not rest and "." in first)
        if first and not is_file and b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
            return Match.NONE, {}
        return super().matches(scope)

    async def _answer(self, request: Request) -> Response:
        """Answer with a file, or with the page."""
        page = self._built / "index.html"
        if not page.is_file():
            how = {"content-security-policy": MISSING_POLICY, "cache-control": "no-store"}
            return HTMLResponse(MISSING.format(how=HOW), 503, how)
        path: str = request.path_params["path"]
        if path.startswith("assets/") or ("." in path and "/" not in path):
            return self._file(request, path)
        return self._sent(request, page, "no-cache")

    def _file(self, request: Request, path: str) -> Response:
        """Answer with a file of the build.

        Raises:
            HTTPException: There is no such file.
        """
        found = (self._built / path).resolve()
        if path.startswith(".") or not found.is_relative_to(self._built.resolve()) or not found.is_file():
            raise HTTPException(404, f"There is no file {html.escape(path[:100])}.")
        return self._sent(request, found, FOREVER if path.startswith("assets/") else "no-cache")

    def _sent(self, request: Request, file: Path, cached: str) -> Response:
        """Send a file, packed where the browser takes that."""
        headers = {"cache-control": cached, "content-security-policy": POLICY, "vary": "accept-encoding"}
        zipped = file.with_name(f"{file.name}.gz")
        if "gzip" not in request.headers.get("accept-encoding", "") or not zipped.is_file():
            return FileResponse(file, headers=headers)
        kind = FileResponse(file).media_type
        return FileResponse(zipped, headers=headers | {"content-encoding": "gzip"}, media_type=kind)
