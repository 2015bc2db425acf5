"""The ways in, the refusals, and a whole day's work on a phone with the keyboard alone."""

from playwright.async_api import Browser, Page, expect

from tests.journeys.browser import DESK, PHONE, Screen
from tests.journeys.clinic import Clinic
from tests.journeys.test_page_person import someone_missing

NOT_FOUND, FORBIDDEN, OK = 404, 403, 200
PAGES = {
    "counsellor": ("/", "/roster"),
    "supervisor": ("/team", "/team/quality"),
    "operator": ("/operate",),
}


async def tabs_to(page: Page, name: str) -> None:
    """Move the focus by the keyboard to what is called so."""
    for _ in range(120):
        await page.keyboard.press("Tab")
        if (await page.evaluate("document.activeElement.textContent.trim()")).startswith(name):
            return
    raise AssertionError(f"the keyboard does not reach {name}")


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
        await tabs_to(page, name)

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


async def test_a_supervisor_and_an_operator_find_their_way_by_keyboard_alone(
    clinic: Clinic, chromium: Browser
) -> None:
    await someone_missing(clinic)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    page = screen.page
    await screen.sign_in("supervisor")
    await tabs_to(page, "Skip")
    await tabs_to(page, "Filters")
    await page.keyboard.press("Enter")
    for choice in (clinic.site_id, "up to High"):
        await page.keyboard.press("Tab")
        while not (await page.evaluate("document.activeElement.textContent")).count(choice):
            await page.keyboard.press("Tab")
        await page.keyboard.type(choice)
    await tabs_to(page, "Show")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**&level=1*")
    await expect(page.locator("li.line")).to_have_count(1)
    await tabs_to(page, "Team")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/team")
    await tabs_to(page, "Quality board")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Quality board")
    assert screen.troubles == []

    operator = await Screen.open(chromium, clinic.url("alerts"))
    await operator.sign_in("operator", path="/operate")
    await operator.go("/operate")
    await tabs_to(operator.page, "Closed through")
    await operator.page.keyboard.press("Enter")
    await expect(operator.page.locator("details[open]")).to_contain_text(clinic.site_id)
    assert operator.troubles == []


async def test_every_page_answers_without_the_script_on_a_phone(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    for role, paths in PAGES.items():
        screen = await Screen.open(
            chromium, clinic.url("alerts"), viewport=PHONE, java_script_enabled=False
        )
        await screen.sign_in(role, path=paths[0])
        for path in (*paths, *([f"/people/{person}"] if role == "counsellor" else [])):
            assert await screen.go(path) == OK
            await expect(screen.page.locator("h1")).to_be_visible()
        assert screen.troubles == []
        await screen.page.get_by_role("button", name="Sign out").click()
        await expect(screen.page.locator("main")).to_contain_text("Signed out.")


async def test_text_twice_as_large_fits_on_every_page(clinic: Clinic, chromium: Browser) -> None:
    person, _ = await someone_missing(clinic)
    for role, paths in PAGES.items():
        screen = await Screen.open(chromium, clinic.url("alerts"), viewport=DESK)
        await screen.sign_in(role, path=paths[0])
        for path in (*paths, *([f"/people/{person}"] if role == "counsellor" else [])):
            await screen.go(path)
            await screen.page.evaluate("document.documentElement.style.fontSize = '34px'")
            await screen.is_sound(f"large{path.replace('/', '-')[:14]}")
