"""The life of a sign-in elsewhere, as a person sees it: at a real OpenID Connect provider, in a browser."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from linkflow.testing.browser import fresh
from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.openid import OpenIdProvider, openid_provider

ANN = {"sub": "ann-1", "email": "ann@example.com", "email_verified": True, "name": "Ann"}


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OpenIdProvider]:
    """Run a provider that knows Ann."""
    async with openid_provider(ANN) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def sso(provider: OpenIdProvider, database_dsn: str, tmp_path: Path) -> AsyncIterator[Live]:
    """Run a LinkFlow whose people may sign in there."""
    settings = replace(
        settings_of(database_dsn, tmp_path / "home"),
        oidc_issuer=provider.address,
        oidc_client_id="linkflow",
        oidc_client_secret="s3cret",
    )
    async with started(settings) as running:
        yield running


async def test_somebody_signs_in_elsewhere(browser: Browser, sso: Live) -> None:
    """Whom the provider vouches for comes back to where they were going; who says no can begin again."""
    ui = await fresh(browser, sso)
    # The provider's page asks for a style sheet of another host, which tests do not reach.
    await ui.context.route(re.compile("^https:"), lambda route: route.fulfill(status=200, body=""))
    await ui.open("/executions?status=failed")
    await ui.page.get_by_role("link", name="Continue with single sign-on").click()
    await ui.page.get_by_role("button", name="Deny").click()
    await expect(ui.page.get_by_role("alert")).to_contain_text("did not confirm who you are")
    await ui.page.get_by_role("link", name="Continue with single sign-on").click()
    await ui.page.get_by_role("button", name="ann-1", exact=True).click()
    await expect(ui.page).to_have_url(f"{sso.address}/executions?status=failed")
    await expect(ui.page.get_by_role("navigation", name="Main menu")).to_be_visible()
    await ui.open("/me")
    await expect(ui.page.get_by_label("E-mail address")).to_have_value("ann@example.com")
    await expect(
        ui.page.get_by_role("table", name="Where you are signed in").locator("tbody tr")
    ).to_have_count(1)
    await ui.context.close()

    assert ui.errors == []
