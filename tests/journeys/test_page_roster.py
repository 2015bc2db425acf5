"""A whole group's attendance on a phone: also with no connection, twice, by keyboard, without script."""

from typing import Any
from uuid import UUID, uuid4

from playwright.async_api import Browser, Page, Route, expect

from tests.journeys.browser import PHONE, Screen
from tests.journeys.clinic import Clinic, today
from tests.journeys.second import second_alerts
from tests.journeys.visitor import sign_in
from tests.parts import until

NOT_FOUND, FORBIDDEN, AWAY, CONFLICT, SEE_OTHER, OK = 404, 403, 503, 409, 303, 200


async def group_of(clinic: Clinic, count: int) -> tuple[str, list[UUID]]:
    """Today's group with so many people, who were all seen before; and the session."""
    people = [await clinic.admitted() for _ in range(count)]
    for person in people:
        await clinic.attended(person, 2)
    told = await clinic.say(
        "attendance",
        "schedule_session",
        site_id=clinic.site_id,
        session_key=uuid4().hex,
        session_type="group",
        modality="cbt",
        planned_on=today().isoformat(),
        planned_minutes=180,
        program_id="iop-evening",
        track="evening",
        roster=[str(person) for person in people],
    )
    return told["subject"], sorted(people)


async def seats(clinic: Clinic, session: str) -> list[tuple[str, int, int]]:
    found = await clinic.get("attendance", f"/v1/sessions/{session}")
    return [(s["status"], s["minutes"], s["minutes_late"]) for s in found["roster"]]


async def events(clinic: Clinic, person: UUID) -> list[str]:
    """What attendance has told of the person's seat today, without what was before."""
    told = await clinic.told("attendance", person)
    return [kind for kind, body in told if body.get("planned_on") == today().isoformat()]


async def open_roster(screen: Screen, session: str) -> Page:
    await screen.sign_in(path=f"/roster/{session}")
    await screen.go(f"/roster/{session}")
    return screen.page


def chair(page: Page, person: UUID) -> Any:
    return page.locator("li.chair", has_text=str(person)[:8])


async def test_a_group_is_recorded_on_a_phone_with_who_came_late(
    clinic: Clinic, chromium: Browser
) -> None:
    session, people = await group_of(clinic, 4)
    screen = await Screen.open(chromium, clinic.url("alerts"), viewport=PHONE)
    await screen.sign_in()
    await screen.go(f"/roster?site={clinic.site_id}")
    page = screen.page
    await expect(page.locator("li.sitting")).to_contain_text("0 of 4 recorded")
    await screen.is_sound("rosters-phone")
    await page.get_by_role("link", name="Group (CBT)").click()

    await chair(page, people[0]).get_by_label("Absent").check()
    await chair(page, people[1]).get_by_label("Cancelled late").check()
    await page.get_by_role("link", name="Everyone was here").click()
    await chair(page, people[2]).get_by_label("Minutes late").fill("25")
    await screen.is_sound("roster-phone")
    await page.get_by_role("button", name="Send the roster").click()

    await expect(page.locator("#told")).to_have_text("The roster is recorded.")
    await expect(page.locator("main")).to_contain_text("Everything of this session is recorded")
    wanted = [("no_show", 0, 0), ("late_cancellation", 0, 0), ("attended", 155, 25)]
    assert await seats(clinic, session) == [*wanted, ("attended", 180, 0)]
    await clinic.concern(people[0], level=3)
    await screen.is_sound("roster-recorded-phone")
    assert await page.evaluate("Object.keys(localStorage).length") == 0
    assert str(people[0]) not in page.url + await page.title()


async def test_without_a_connection_nothing_typed_is_lost_and_it_is_sent_once(
    clinic: Clinic, chromium: Browser
) -> None:
    session, people = await group_of(clinic, 2)
    screen = await Screen.open(chromium, clinic.url("alerts"), viewport=PHONE)
    page = await open_roster(screen, session)

    await screen.context.set_offline(True)
    await chair(page, people[0]).get_by_label("Absent").check()
    await chair(page, people[1]).get_by_label("Here").check()
    await chair(page, people[1]).get_by_label("Minutes in session").fill("95")
    await page.get_by_role("button", name="Send the roster").click()

    await expect(page.locator("#told")).to_contain_text("No connection")
    kept = await page.evaluate("JSON.stringify(localStorage)")
    assert session in kept
    for secret in (str(people[0]), str(people[0])[:8], "no_show", "attended"):
        assert secret not in kept.replace(session, "")
    assert await seats(clinic, session) == [("scheduled", 0, 0)] * 2

    await screen.context.set_offline(False)
    await expect(page.locator("#told")).to_have_text("The roster is recorded.")
    assert await seats(clinic, session) == [("no_show", 0, 0), ("attended", 95, 0)]
    assert await page.evaluate("Object.keys(localStorage).length") == 0
    screen.troubles.clear()  # the console notes that there was no connection
    await screen.is_sound("roster-sent")


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_recorded_twice(
    clinic: Clinic, chromium: Browser
) -> None:
    session, people = await group_of(clinic, 1)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    page = await open_roster(screen, session)
    sent = []

    async def lose_the_first_answer(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        sent.append(route.request.post_data)
        answer = await route.fetch()
        if len(sent) == 1:
            assert answer.status == OK
            await route.abort()
        else:
            await route.fulfill(response=answer)

    await page.route("**/roster/*", lose_the_first_answer)
    await chair(page, people[0]).get_by_label("Absent").check()
    await page.get_by_role("button", name="Send the roster").click()

    await expect(page.locator("#told")).to_have_text("The roster is recorded.")
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert (await events(clinic, people[0])).count("attendance.session_missed.v1") == 1


async def test_what_was_typed_is_there_after_the_tab_was_closed_and_opens_to_nobody_else(
    clinic: Clinic, chromium: Browser
) -> None:
    session, people = await group_of(clinic, 1)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    page = await open_roster(screen, session)
    await chair(page, people[0]).get_by_label("Here").check()
    await chair(page, people[0]).get_by_label("Minutes late").fill("40")
    await expect(page.locator("#told")).to_contain_text("not sent yet")
    await page.get_by_role("button", name="Sign out").click()

    await screen.sign_in("case_manager", path=f"/roster/{session}")
    await screen.go(f"/roster/{session}")
    await expect(chair(page, people[0]).get_by_label("Here")).not_to_be_checked()
    await page.get_by_role("button", name="Sign out").click()

    await screen.sign_in(path=f"/roster?site={clinic.site_id}")
    await screen.go(f"/roster?site={clinic.site_id}")
    await expect(page.locator(".unsent")).to_be_visible()
    await page.locator("li.sitting a").click()
    await expect(chair(page, people[0]).get_by_label("Minutes late")).to_have_value("40")
    await page.get_by_role("button", name="Send the roster").click()
    await expect(page.locator("#told")).to_have_text("The roster is recorded.")
    assert await seats(clinic, session) == [("attended", 140, 40)]
    assert screen.troubles == []


async def test_a_roster_is_taken_by_keyboard_alone(clinic: Clinic, chromium: Browser) -> None:
    session, people = await group_of(clinic, 2)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    page = await open_roster(screen, session)

    async def tab_to(holds: str) -> None:
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate(f"(e => {holds})(document.activeElement)"):
                return
        raise AssertionError(f"the keyboard does not reach {holds}")

    await tab_to(f"e.name === 'status.{people[0]}'")
    await page.keyboard.press("Space")
    await tab_to(f"e.name === 'late.{people[0]}'")
    await page.keyboard.type("15")
    await tab_to(f"e.name === 'status.{people[1]}'")
    await page.keyboard.press("ArrowDown")
    await tab_to("e.textContent.trim() === 'Send the roster'")
    await page.keyboard.press("Enter")

    await expect(page.locator("#told")).to_have_text("The roster is recorded.")
    assert await seats(clinic, session) == [("attended", 165, 15), ("no_show", 0, 0)]
    assert screen.troubles == []


async def test_a_roster_is_taken_without_the_script_and_in_spanish(
    clinic: Clinic, chromium: Browser
) -> None:
    session, people = await group_of(clinic, 2)
    screen = await Screen.open(
        chromium,
        clinic.url("alerts"),
        java_script_enabled=False,
        viewport=PHONE,
        locale="es-MX",
        color_scheme="dark",
    )
    page = await open_roster(screen, session)
    await page.get_by_role("link", name="Todos asistieron").click()
    await chair(page, people[0]).get_by_label("Minutos presentes").fill("much")
    await page.get_by_role("button", name="Enviar la asistencia").click()
    await expect(page.locator("#told")).to_contain_text(
        f"Persona {str(people[0])[:8]}: los minutos"
    )
    await expect(chair(page, people[0]).get_by_label("Minutos presentes")).to_have_value("much")
    await chair(page, people[0]).get_by_label("Minutos presentes").fill("120")
    await page.get_by_role("button", name="Enviar la asistencia").click()

    await expect(page.locator("#told")).to_have_text("La asistencia está registrada.")
    assert await seats(clinic, session) == [("attended", 120, 0), ("attended", 180, 0)]


async def test_two_take_the_same_roster_and_the_second_is_told(
    clinic: Clinic, chromium: Browser
) -> None:
    session, people = await group_of(clinic, 2)
    one, other = [await Screen.open(chromium, clinic.url("alerts")) for _ in range(2)]
    for screen in (one, other):
        await open_roster(screen, session)
    await chair(one.page, people[0]).get_by_label("Absent").check()
    await one.page.get_by_role("button", name="Send the roster").click()
    await expect(one.page.locator("#told")).to_have_text("The roster is recorded.")

    for person in people:
        await chair(other.page, person).get_by_label("Here").check()
    await other.page.get_by_role("button", name="Send the roster").click()

    await expect(other.page.locator("#told")).to_contain_text("somebody recorded this meanwhile")
    await other.page.get_by_role("link", name="Show how it stands now").click()
    await expect(other.page.locator("li.chair")).to_have_count(1)
    await expect(chair(other.page, people[1]).get_by_label("Here")).to_be_checked()
    await other.page.get_by_role("button", name="Send the roster").click()
    await expect(other.page.locator("#told")).to_have_text("The roster is recorded.")
    assert await seats(clinic, session) == [("no_show", 0, 0), ("attended", 180, 0)]


async def test_a_roster_of_another_programme_is_not_there(clinic: Clinic) -> None:
    session, people = await group_of(clinic, 1)
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor", programs="another-program")
    page = await clinic.client.get(f"{base}/roster/{session}")
    listed = await clinic.client.get(f"{base}/roster", params={"site": clinic.site_id})
    form = (await clinic.client.get(f"{base}/")).text.partition('name="form" value="')[2][:32]
    body = {"form": form, f"status.{people[0]}": "attended"}
    tried = await clinic.client.post(f"{base}/roster/{session}", data=body)
    forged = await clinic.client.post(f"{base}/roster/{session}", data=body | {"form": "guess"})

    assert page.status_code == tried.status_code == NOT_FOUND
    assert forged.status_code == FORBIDDEN
    assert session not in listed.text
    for role in ("operator", "privacy_officer"):
        await sign_in(clinic.client, base, role)
        assert (await clinic.client.get(f"{base}/roster")).status_code == FORBIDDEN
    assert await seats(clinic, session) == [("scheduled", 0, 0)]


async def test_attendance_away_is_told_and_a_double_press_is_one_roster(clinic: Clinic) -> None:
    session, people = await group_of(clinic, 1)
    base = clinic.url("alerts")
    async with second_alerts(clinic.system) as lonely:
        await sign_in(clinic.client, lonely, "counsellor")
        assert (await clinic.client.get(f"{lonely}/roster/{session}")).status_code == AWAY
    await sign_in(clinic.client, base, "counsellor")
    form = (await clinic.client.get(f"{base}/")).text.partition('name="form" value="')[2][:32]
    body = {"form": form, f"status.{people[0]}": "no_show"}

    answers = [await clinic.client.post(f"{base}/roster/{session}", data=body) for _ in range(2)]
    other = await clinic.client.post(
        f"{base}/roster/{session}", data=body | {f"status.{people[0]}": "excused"}
    )

    assert [answer.status_code for answer in answers] == [SEE_OTHER, SEE_OTHER]
    assert other.status_code == CONFLICT

    async def is_told() -> bool:
        return "attendance.session_missed.v1" in await events(clinic, people[0])

    await until(is_told, "the miss is told")
    assert (await events(clinic, people[0])).count("attendance.session_missed.v1") == 1
