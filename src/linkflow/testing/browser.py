"""Browser tests: a real Chromium against a real server; an error in its console fails a test.

`tests/e2e/conftest.py` takes its fixtures from here.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
    expect,
)

from linkflow.api.site import BUILT
from linkflow.testing.browsing import find_chromium
from linkflow.testing.control import PASSWORD
from linkflow.testing.live import Live

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Window:
    """A browser window.

    Attributes:
        page: The page.
        live: The installation that it shows.
        expected: Parts of console errors that this test brings about on purpose.
        strangers: Requests that went to any other host.
        clicks: How often `click` was called.
    """

    page: Page
    live: Live
    context: BrowserContext
    errors: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    clicks: int = 0

    async def open(self, path: str) -> None:
        """Go to an address of the editor."""
        await self.page.goto(f"{self.live.address}{path}")

    @asynccontextmanager
    async def loading(self) -> AsyncIterator[None]:
        """Do what loads the page anew, and wait for that: two loads at once abort each other."""
        async with self.page.expect_event("load"):
            yield

    async def sign_in(self, email: str) -> None:
        """Sign in at the page that is shown, with the password that everybody in tests has."""
        await self.page.get_by_label("E-mail address").fill(email)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.click("Sign in")

    async def stands_in(self, name: str) -> None:
        """Wait until the menu names a workspace as the one that is shown."""
        switch = self.page.get_by_label("Workspace", exact=True)
        await expect(switch.locator("option:checked")).to_contain_text(name)

    async def edit(self, workflow_id: str) -> None:
        """Open a workflow in the editor."""
        await self.open(f"/w/{workflow_id}/edit")
        await expect(self.page.locator(".react-flow__node").first).to_be_visible()

    async def saved(self) -> None:
        """Wait until the server has every edit."""
        await expect(self.page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved")

    async def draft(self, workflow_id: str) -> Any:
        """Read the draft that the server has, once it has every edit."""
        await self.saved()
        return (await self.live.get(f"/workflows/{workflow_id}/draft")).json["spec"]

    async def add(self, words: str) -> None:
        """Add a step by the palette, by keyboard."""
        await self.page.keyboard.press("n")
        await self.page.get_by_role("combobox").fill(words)
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("combobox", name="Search steps")).to_have_count(0)

    async def tab_to(self, name: str) -> None:
        """Press Tab until what is focused has a name, as somebody without a mouse does."""
        for _ in range(80):
            await self.page.keyboard.press("Tab")
            if name == await self.page.evaluate(FOCUSED):
                return
        raise AssertionError(f"Tab never comes to {name!r}")

    async def click(self, name: str, role: Any = "button") -> None:
        """Click once, and count it."""
        self.clicks += 1
        await self.page.get_by_role(role, name=name, exact=True).first.click()

    def card(self, node_id: str) -> Any:
        """Find the card of a node."""
        return self.page.get_by_test_id(f"card-{node_id}")


FOCUSED = """() => {
  const it = document.activeElement;
  const label = it?.getAttribute('aria-label') ?? it?.labels?.[0]?.textContent ?? it?.textContent ?? '';
  return label.replace(' *', '').trim();
}"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start the Chromium of this pytest process, or skip by name; each test has a context of its own."""
    binary = find_chromium()
    if binary is None:
        pytest.skip("no chromium; `make services` installs it")
    if not (BUILT / "index.html").is_file():
        pytest.skip("the editor is not built; `make ui` says why")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=binary, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield opened
        await opened.close()


async def fresh(browser: Browser, live: Live, *, timezone_id: str | None = None) -> Window:
    """Open a window of a browser of its own, signed in as nobody; in the machine's zone if none is named."""
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", timezone_id=timezone_id
    )
    return await window(context, live)


async def signed_in(browser: Browser, live: Live, *, timezone_id: str | None = None) -> Window:
    """Open a window of a browser of its own, signed in as the owner."""
    found = await fresh(browser, live, timezone_id=timezone_id)
    context = found.context
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.address)
    owner = live.running.owner.user
    user = {
        "id": owner.id, "email": owner.email, "name": owner.name, "role": "owner",
        "workspace_id": owner.workspace_id, "email_verified": True,
    }  # fmt: skip
    until = (time.time() + 600) * 1000
    kept = {"access": live.token, "refresh": "", "until": until, "user": user}
    await context.add_init_script(
        f"if (!sessionStorage.begun) {{ sessionStorage.begun = 1; "
        f"localStorage.setItem('linkflow.session', {json.dumps(json.dumps(kept))}); }}"
    )
    return found


async def window(context: BrowserContext, live: Live) -> Window:
    """Open a page that is listened to."""
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    found = Window(page, live, context)

    def told(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.errors.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((live.address, "data:", "blob:")):
            found.strangers.append(request.url)

    page.on("console", told)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", asked)
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def ui(browser: Browser, live: Live) -> AsyncIterator[Window]:
    """Open a window that is signed in; a console error or a request to another host fails the test."""
    found = await signed_in(browser, live)
    yield found
    await found.context.close()
    surprises = [each for each in found.errors if not any(part in each for part in found.expected)]
    assert (surprises, found.strangers) == ([], [])
