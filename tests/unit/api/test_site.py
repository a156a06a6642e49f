"""The editor's files: what is served, and what is not."""

import asyncio
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from linkflow.api.site import Site

PAGE = "text/html"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Make what a build leaves."""
    (tmp_path / "secret.txt").write_text("outside")
    home = tmp_path / "ui"
    (home / "assets").mkdir(parents=True)
    (home / "index.html").write_text("<p>the page</p>")
    (home / ".stamp").write_text("hash")
    (home / "assets" / "main.js").write_text("run()")
    (home / "assets" / "main.js.gz").write_bytes(gzip.compress(b"run()"))
    return home


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


async def get(built: Path, path: str, **named: str) -> Answer:
    """Ask an application whose only other route takes POST at /api/v1/x."""

    async def api(request: object) -> PlainTextResponse:
        return PlainTextResponse("api")

    app = Starlette(routes=[Route("/api/v1/x", api, methods=["POST"]), Site(built)])
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    said: list[Any] = []

    async def receive() -> Any:
        return await asyncio.Event().wait()  # whoever asked stays, and says no more

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    await app(scope | {"root_path": "", "http_version": "1.1", "scheme": "http"}, receive, send)
    found = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return Answer(said[0]["status"], found, b"".join(each.get("body", b"") for each in said[1:]))


@pytest.mark.parametrize("path", ["/", "/workflows", "/w/1/edit", "/executions/1"])
async def test_every_address_of_its_own_is_the_page(built: Path, path: str) -> None:
    """A page opened by its address is the editor, never cached unseen, without inline scripts."""
    answer = await get(built, path, accept=PAGE)

    assert (200, b"<p>the page</p>", "no-cache", True) == (
        answer.status,
        answer.body,
        answer.headers["cache-control"],
        "script-src 'self';" in answer.headers["content-security-policy"],
    )


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/api/v1/nothing", "text/html"),
        ("/webhooks/nothing", "text/html"),
        ("/somewhere", "application/json"),
        ("/assets/nothing.js", "*/*"),
        ("/assets/../../secret.txt", "*/*"),
        ("/.stamp", "*/*"),
    ],
)
async def test_what_is_no_page_is_not_there(built: Path, path: str, accept: str) -> None:
    """Programs get their 404, and no file outside of the build is served."""
    assert (await get(built, path, accept=accept)).status == 404


async def test_a_wrong_method_stays_wrong(built: Path) -> None:
    """The page does not hide that a route of the API wants another method."""
    assert (await get(built, "/api/v1/x", accept=PAGE)).status == 405


async def test_files_are_packed_and_kept(built: Path) -> None:
    """A file with a hash in its name is packed where the browser takes that, and kept for good."""
    answer = await get(built, "/assets/main.js", accept_encoding="gzip")

    assert (b"run()", "gzip", True) == (
        gzip.decompress(answer.body),
        answer.headers["content-encoding"],
        "immutable" in answer.headers["cache-control"],
    )


async def test_without_a_build_it_says_how(tmp_path: Path) -> None:
    """Where the editor is not built, / says how to build it instead of an empty page."""
    answer = await get(tmp_path / "nothing", "/", accept=PAGE)

    assert (503, True) == (answer.status, b"make ui" in answer.body)
