"""The ways in, the refusals, and a whole day's work on a phone with the keyboard alone."""

from playwright.async_api import Browser, expect

from tests.journeys.browser import PHONE, Screen
from tests.journeys.clinic import Clinic
from tests.journeys.test_page_person import someone_missing

NOT_FOUND, FORBIDDEN = 404, 403


async def test_the_ways_in_and_the_refusals_are_sound(clinic: Clinic, chromium: Browser) -> None:
    screen = await Screen.open(chromium, clinic.url("alerts"), viewport=PHONE)
    await screen.go("/sign-in")
    await screen.is_sound("sign-in-phone")
    await screen.page.locator("a.button").click()
    await screen.is_sound("sign-in-development-phone")
    await screen.page.locator("button[value=counsellor]").click()
    await screen.page.locator("form#sign-out").wait_for()
    for path, status in (("/people/nobody", NOT_FOUND), ("/operate", FORBIDDEN)):
        assert await screen.go(path) == status
        screen.troubles.clear()  # the console notes the status
        await screen.is_sound(f"refused-{status}")
    await screen.go("/roster?day=never")
    await screen.is_sound("rosters-any-day")
    await screen.page.get_by_role("button", name="Sign out").click()
    await expect(screen.page.locator("main")).to_contain_text("Signed out.")
    await screen.is_sound("signed-out")


async def test_a_concern_is_taken_on_handed_over_and_put_off_by_keyboard_alone(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    screen = await Screen.open(chromium, clinic.url("alerts"), viewport=PHONE)
    await screen.sign_in()
    await screen.go(f"/people/{person}")
    page = screen.page

    async def tab_to(name: str) -> None:
        for _ in range(80):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim()") == name:
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    await tab_to("Take it on")
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_contain_text("Taken on.")
    for name, done in (("Hand over", "Handed over."), ("Put off", "Put off.")):
        await tab_to(name)
        await page.keyboard.press("Enter")
        await tab_to(name)
        await page.keyboard.press("Enter")
        await expect(page.locator(".done")).to_contain_text(done)
    await tab_to("Close")
    await page.keyboard.press("Enter")
    await tab_to("Close")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Record the outreach")

    concern = await clinic.concern(person, state="acknowledged")
    assert concern["snoozed_until"] is not None
    assert concern["ending"] is None
