"""The life of an account: a password that is changed or lost, sign-ins that end, signing in elsewhere."""

import re

from playwright.async_api import Browser, expect

from linkflow.testing.browser import Window, fresh
from linkflow.testing.control import OWNER, PASSWORD
from linkflow.testing.live import Live

NEW = "another long password"


async def test_a_password_is_changed(ui: Window) -> None:
    """The new password signs in, the old one does not."""
    await ui.open("/me")
    await ui.page.get_by_label("Current password").fill(PASSWORD)
    await ui.page.get_by_label("New password").fill(NEW)
    await ui.click("Change the password")
    await expect(ui.page.get_by_text("every other sign-in has ended")).to_be_visible()
    tries = [
        (
            await ui.live.call("POST", "/auth/login", {"email": OWNER, "password": each}, signed_in=False)
        ).status
        for each in (NEW, PASSWORD)
    ]

    assert tries == [200, 401]


async def test_another_sign_in_is_ended(ui: Window) -> None:
    """Every sign-in is listed; one that is ended is refused at once, this one is marked and stays."""
    other = (
        await ui.live.call("POST", "/auth/login", {"email": OWNER, "password": PASSWORD}, signed_in=False)
    ).json
    await ui.open("/me")
    rows = ui.page.get_by_role("table", name="Where you are signed in").locator("tbody tr")
    await expect(rows).to_have_count(2)
    await rows.filter(has_not_text="this one").get_by_role("button").click()
    await expect(rows).to_have_count(1)
    refused = await ui.live.get("/auth/me", authorization=f"Bearer {other['access_token']}")

    assert refused.status == 401


async def test_a_lost_password_leads_to_a_letter(browser: Browser, live: Live) -> None:
    """Whoever has lost the password asks for a letter; the answer tells nobody who has an account."""
    ui = await fresh(browser, live)
    await ui.open("/sign-in")
    await ui.click("Forgot the password?")
    await ui.page.get_by_label("E-mail address").fill("nobody@example.com")
    await ui.click("Send the link")
    await expect(ui.page.get_by_role("status")).to_contain_text("If there is an account")
    await ui.click("Back to signing in")
    await expect(ui.page.get_by_label("Password")).to_be_visible()
    await ui.context.close()

    assert ui.errors == []


async def test_a_ticket_that_does_not_hold_says_so(browser: Browser, live: Live) -> None:
    """Who comes back from a sign-in service with a ticket of no worth is told, and can sign in here."""
    ui = await fresh(browser, live)
    await ui.open("/#sign-in=nothing")
    await expect(ui.page.get_by_role("alert")).to_be_visible()
    await expect(ui.page.get_by_label("Password")).to_be_visible()
    await ui.context.close()

    assert "nothing" not in ui.page.url
    assert not [each for each in ui.errors if not re.search("status of 40[013]", each)]
