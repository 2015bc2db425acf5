"""What somebody might try on the page, and what they get."""

from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, expect

from tests.journeys.browser import Screen
from tests.journeys.clinic import Clinic
from tests.journeys.second import running_provider, second_alerts
from tests.journeys.test_page_person import someone_missing
from tests.journeys.visitor import sign_in
from tests.parts import System

FORBIDDEN, NOT_FOUND, CONFLICT, SEE_OTHER = 403, 404, 409, 303


async def form_of(clinic: Clinic, person: object) -> dict[str, str]:
    """The hidden fields of the person's first form."""
    page = await clinic.client.get(f"{clinic.url('alerts')}/people/{person}")
    part = page.text.split("<form", 3)[2]
    found = {}
    for piece in part.split('type="hidden" name="')[1:5]:
        name, _, rest = piece.partition('" value="')
        found[name] = rest.partition('"')[0]
    return found


async def test_another_programmes_person_is_not_there(clinic: Clinic) -> None:
    person, concern = await someone_missing(clinic)
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor", programs="another-program")

    page = await clinic.client.get(f"{base}/people/{person}")
    listed = await clinic.client.get(f"{base}/", params={"site": clinic.site_id})
    unknown = await clinic.client.get(f"{base}/people/00000000-0000-4000-8000-000000000000")
    form = (await clinic.client.get(f"{base}/")).text.partition('name="form" value="')[2][:32]
    tried = await clinic.client.post(
        f"{base}/concerns/{concern}",
        data={"form": form, "do": "acknowledge", "key": "guess", "seen": ""},
    )

    assert page.status_code == unknown.status_code == tried.status_code == NOT_FOUND
    assert page.text == unknown.text.replace("00000000-0000-4000-8000-000000000000", str(person))
    assert str(person)[:8] not in listed.text
    assert (await clinic.concern(person))["state"] == "open"


async def test_a_forged_form_changes_nothing(clinic: Clinic) -> None:
    person, concern = await someone_missing(clinic)
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor")
    form = await form_of(clinic, person) | {"do": "acknowledge"}
    url = f"{base}/concerns/{concern}"

    without = await clinic.client.post(url, data=form | {"form": ""})
    elsewhere = await clinic.client.post(url, data=form, headers={"origin": "http://evil.example"})
    strange = await clinic.client.post(url, data=form | {"form": "ñ" * len(form["form"])})
    unknown = await clinic.client.post(url, data=form | {"do": "discharge"})

    assert without.status_code == elsewhere.status_code == strange.status_code == FORBIDDEN
    assert unknown.status_code == CONFLICT
    assert (await clinic.concern(person))["state"] == "open"


async def test_a_form_sent_twice_is_one_outreach(clinic: Clinic) -> None:
    person, concern = await someone_missing(clinic)
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor")
    form = await form_of(clinic, person) | {"channel": "phone", "outcome": "no_answer"}

    answers = [await clinic.client.post(f"{base}/concerns/{concern}", data=form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [SEE_OTHER, SEE_OTHER]
    assert (await clinic.concern(person))["attempts"] == 1


async def test_of_two_who_change_the_same_the_second_is_told_and_loses_nothing(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    one, other = [await Screen.open(chromium, clinic.url("alerts")) for _ in range(2)]
    for screen, role in ((one, "counsellor"), (other, "case_manager")):
        await screen.sign_in(role)
        await screen.go(f"/people/{person}")

    await one.page.get_by_role("button", name="No answer").click()
    await expect(one.page.locator(".done")).to_contain_text("Recorded")
    await other.page.get_by_role("button", name="Left a neutral message").click()

    await expect(other.page.locator("h1")).to_have_text("Somebody changed this meanwhile")
    await expect(other.page.locator("main")).to_contain_text("1 attempt")
    assert (await clinic.concern(person))["attempts"] == 1
    other.troubles.clear()  # the console notes the 409
    await other.is_sound("changed")
    await other.page.get_by_role("button", name="Do it still").click()
    await expect(other.page.locator(".tried li")).to_have_count(2)
    assert (await clinic.concern(person))["attempts"] == 2


async def test_a_script_in_a_field_is_only_text(clinic: Clinic, chromium: Browser) -> None:
    person, _ = await someone_missing(clinic)
    screen = await Screen.open(chromium, clinic.url("alerts"))
    bad = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"
    await screen.sign_in()

    await screen.go(f"/?site={bad}&program={bad}&track={bad}")
    await screen.go(f"/people/{person}?done={bad}&trace={bad}&day={bad}")
    assert await screen.page.title() == "Person · Handrail"
    await screen.go(f"/sign-in?next=//evil.example/{bad}")

    link = await screen.page.locator("a.button").get_attribute("href")
    assert link == "/sign-in/begin?next=/"
    assert screen.troubles == []


async def test_a_sign_in_link_works_once_and_only_in_its_own_browser(clinic: Clinic) -> None:
    base = clinic.url("alerts")
    begun = await clinic.client.get(f"{base}/sign-in/begin")
    state = httpx.URL(begun.headers["location"]).params["state"]
    stolen = f"{base}/sign-in/back?state={state}&code=guess"

    async with httpx.AsyncClient(trust_env=False) as other:
        elsewhere = await other.get(stolen)
    guessed = await clinic.client.get(stolen)
    again = await clinic.client.get(stolen)

    assert elsewhere.status_code == again.status_code == 400
    assert guessed.status_code == FORBIDDEN
    assert (await clinic.client.get(f"{base}/")).status_code == SEE_OTHER


async def test_roles_see_what_is_theirs(clinic: Clinic, chromium: Browser) -> None:
    person, _ = await someone_missing(clinic)
    operator, supervisor = [await Screen.open(chromium, clinic.url("alerts")) for _ in range(2)]
    await operator.sign_in("operator", path="/operate")
    await operator.page.locator("#parts").wait_for()
    await operator.is_sound("operate")
    assert await operator.go(f"/people/{person}") == FORBIDDEN
    assert await operator.go("/") == FORBIDDEN
    assert str(person)[:8] not in await operator.page.content()
    await supervisor.sign_in("supervisor", path="/team")
    await supervisor.go("/team")
    await expect(supervisor.page.locator("#load")).to_be_visible()
    await supervisor.is_sound("team")
    assert await supervisor.go("/operate") == FORBIDDEN


async def test_a_real_provider_vouches_and_a_session_ends(
    system: System, clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    known = {"sub": "nora", "handrail_role": "counsellor", "handrail_programs": ["iop-evening"]}
    async with (
        running_provider(known, {"sub": "stranger"}) as provider,
        second_alerts(
            system,
            HANDRAIL_OIDC_ISSUER=provider,
            HANDRAIL_OIDC_CLIENT_SECRET="not-checked",
            HANDRAIL_SESSION_IDLE_MINUTES="0.05",
        ) as base,
    ):
        screen = await Screen.open(chromium, base)
        assert (await screen.go("/development/authorize")) == NOT_FOUND
        screen.troubles.clear()
        await screen.go(f"/people/{person}")
        await screen.page.locator("a.button").click()
        assert urlsplit(screen.page.url).netloc == urlsplit(provider).netloc
        await screen.page.get_by_role("button", name="nora").click()
        await expect(screen.page.locator("h1")).to_have_text(f"Person {str(person)[:8]}")
        [cookie] = [c for c in await screen.context.cookies(base) if not c["name"].endswith("lang")]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")

        await screen.page.wait_for_url("**/sign-in?**")
        await expect(screen.page.locator("main")).not_to_contain_text(str(person)[:8])
        await screen.go(f"/people/{person}")
        await expect(screen.page.locator("h1")).to_have_text("Handrail")

        await screen.page.locator("a.button").click()
        await screen.page.get_by_role("button", name="stranger").click()
        await expect(screen.page.locator("h1")).to_contain_text("named no role")
