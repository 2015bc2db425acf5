"""One person's page in a real browser: read, reach out, undo, by mouse, keyboard and on a phone."""

from uuid import UUID, uuid4

from playwright.async_api import Browser, expect

from tests.journeys.browser import PHONE, Screen
from tests.journeys.clinic import Clinic
from tests.journeys.second import second_alerts
from tests.journeys.visitor import sign_in


async def someone_missing(clinic: Clinic) -> tuple[UUID, str]:
    """A person with a concern of level 1; and the concern."""
    person = await clinic.admitted()
    await clinic.attended(person, 9)
    for days in (5, 3, 1):
        await clinic.missed(person, days)
    concern = await clinic.concern(person, level=1)
    return person, concern["concern_id"]


async def test_an_outreach_is_recorded_in_two_clicks_and_undone(
    clinic: Clinic, chromium: Browser
) -> None:
    person, concern = await someone_missing(clinic)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    await screen.sign_in()
    await screen.go(f"/people/{person}")
    page = screen.page
    await expect(page.locator(".strip .missed")).to_have_count(3)
    await expect(page.locator(".strip .attended")).to_contain_text("180")
    points = await page.locator(".sum tbody tr:not(.total) td").all_inner_texts()
    score = await page.locator(".sum .total td").inner_text()
    assert sum(float(point) for point in points) == float(score)
    await screen.is_sound("person")

    await page.get_by_label("text", exact=True).check()
    await page.get_by_role("button", name="Left a neutral message").click()

    await expect(page.locator(".done")).to_contain_text("Recorded")
    await expect(page.locator(".tried li")).to_contain_text("text, Left a neutral message")
    assert (await clinic.concern(person))["attempts"] == 1
    assert await page.title() == "Person · Handrail"
    await screen.is_sound("person-recorded")

    await page.get_by_role("button", name="Undo").click()

    await expect(page.locator(".tried li.undone")).to_have_count(1)
    undone = await clinic.concern(person, attempts=0)
    assert (undone["concern_id"], undone["state"]) == (concern, "acknowledged")
    assert undone["next_step"] == "call"
    assert screen.troubles == []


async def test_everything_can_be_done_by_keyboard_alone(clinic: Clinic, chromium: Browser) -> None:
    person, _ = await someone_missing(clinic)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    await screen.sign_in()
    await screen.go(f"/?site={clinic.site_id}")
    page = screen.page

    async def tab_to(name: str) -> None:
        for _ in range(60):
            await page.keyboard.press("Tab")
            if name in await page.evaluate("document.activeElement.textContent.trim()"):
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    await tab_to("Missed 3 sessions in a row")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/people/{person}")
    await tab_to("No answer")
    await page.keyboard.press("Enter")

    await expect(page.locator(".done")).to_contain_text("Recorded")
    await tab_to("Undo")
    await page.keyboard.press("Enter")
    await expect(page.locator(".done")).to_contain_text("Taken back")
    assert screen.troubles == []


async def test_a_concern_is_taken_handed_over_put_off_and_closed_only_by_evidence(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    screen = await Screen.open(
        chromium, clinic.url("alerts"), viewport=PHONE, java_script_enabled=False
    )
    await screen.sign_in()
    await screen.go(f"/people/{person}")
    page = screen.page

    await page.get_by_role("button", name="Take it on").click()
    await expect(page.locator(".facts")).to_contain_text("taken on")
    await page.locator("summary", has_text="Hand over").click()
    await page.locator("details[open] select[name=role]").select_option("supervisor")
    await page.locator("details[open] button").click()
    await expect(page.locator(".facts")).to_contain_text("for supervisor")
    await page.locator("summary", has_text="Put off").click()
    await page.locator("details[open] button").click()
    await expect(page.locator(".facts")).to_contain_text("put off until")
    await page.locator("summary", has_text="Close").click()
    await page.locator("details[open] button").click()
    await expect(page.locator("h1")).to_contain_text("Record the outreach")

    concern = await clinic.concern(person, state="acknowledged")
    assert concern["assigned_role"] == "supervisor"
    assert concern["snoozed_until"] is not None
    assert concern["ending"] is None


async def test_a_phone_shows_a_person_without_sideways_scrolling(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    screen = await Screen.open(
        chromium, clinic.url("alerts"), viewport=PHONE, locale="es-US", color_scheme="dark"
    )
    await screen.sign_in("case_manager")
    await screen.go(f"/people/{person}")
    await expect(screen.page.locator("#reach")).to_have_text("Registrar un contacto")
    await screen.is_sound("person-phone-dark")


async def test_what_other_services_know_stands_on_the_page_and_their_absence_is_told(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    named = {"admission_id": str(person)}
    partner = str(uuid4())
    for support_id, relation, may_contact in (
        (partner, "partner", True),
        (str(uuid4()), "parent", False),
    ):
        await clinic.say(
            "intake",
            "name_support",
            **named,
            support_id=support_id,
            relation=relation,
            may_contact=may_contact,
        )
    for path, name in (("contact", "Ida Marsh"), (f"supports/{partner}/contact", "Noor Marsh")):
        url = f"{clinic.url('intake')}/v1/admissions/{person}/{path}"
        put = await clinic.client.put(url, json={"name": name, "phone": "555 0142"})
        assert put.is_success, put.text
    seats = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    missed = [s["session_id"] for s in seats if s["status"] == "no_show"]
    visit = next(s["session_id"] for s in seats if s["status"] == "attended")
    await clinic.say("attendance", "make_up", **named, session_id=missed[0], made_up_in=visit)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    await screen.sign_in()
    await screen.go(f"/people/{person}")
    page = screen.page

    await expect(page.locator(".strip .made_up")).to_have_count(1)
    await expect(page.locator(".strip .missed")).to_have_count(2)
    await expect(page.locator(".contact")).to_have_text("Ida Marsh · 555 0142")
    await expect(page.locator("#agreed ~ ul")).to_contain_text(
        "(partner) Noor Marsh · 555 0142: may be contacted"
    )
    await expect(page.locator("#agreed ~ ul")).to_contain_text("may not be contacted")
    await expect(page.locator("#agreed ~ ul")).to_contain_text("Nobody else may be told anything.")
    await expect(page.locator("tr.now")).to_have_count(1)
    await screen.is_sound("person-elsewhere")

    async with second_alerts(clinic.system) as lonely:
        await sign_in(clinic.client, lonely, "counsellor")
        alone = (await clinic.client.get(f"{lonely}/people/{person}")).text
    assert "Intake does not answer" in alone
    assert "Attendance does not answer" in alone
    assert "Marsh" not in alone
    await sign_in(clinic.client, clinic.url("alerts"), "privacy_officer")
    officers = await clinic.client.get(f"{clinic.url('alerts')}/people/{person}")
    assert officers.is_success
    assert "Marsh" not in officers.text
