"""Every route of the four services, tried as each role, on one's own programme and on another's.

What is expected stands in docs/access.md. A route that is missing there fails.
"""

import base64
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from alerts.page.access import RIGHTS, ROLES
from operate.home import SERVICES
from tests.journeys.clinic import Clinic, days_ago, today
from tests.journeys.inputs import Inputs
from tests.journeys.visitor import sign_in
from tests.parts import System, running_system, until

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text()
OWN, OTHER = "iop-own", "iop-other"
# Each with the programmes in its token; nobody has no token.
PEOPLE = {
    **dict.fromkeys(ROLES, OWN),
    **{f"{role} of all": "*" for role in ROLES},
    "system": "*",
    "system of own": OWN,
    "subscriber": "*",
    "support": "*",
    "nobody": "",
}
REFUSED, SIGN_IN = 403, 401


@dataclass(frozen=True)
class Ward:
    """A guarded system with somebody in each of two programmes, and what a path may name of them."""

    clinic: Clinic
    named: dict[str, dict[str, str]]
    tokens: dict[str, str]


def written(service: str) -> dict[str, tuple[set[str], str]]:
    """The lines of the page: for each route its groups, and whose records."""
    part = PAGE.partition(f"## {service}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| `(.+?)` \| (.*?) \| (.*?) \|$", part, re.MULTILINE)
    return {route: (set(groups.split(", ")), whose) for route, groups, whose in lines}


def roles_of(group: str) -> set[str]:
    found = re.search(rf"^\| {group} \| (.*?) \|$", PAGE, re.MULTILINE)
    assert found
    return set(found[1].split(", "))


def expected(line: tuple[set[str], str], who: str, place: str) -> int | None:
    """The refusal that the page asks for, if it does."""
    groups, whose = line
    if groups & {"everyone"}:
        return None
    if who == "nobody":
        return SIGN_IN
    role, sees_all = who.partition(" ")[0], PEOPLE[who] == "*"
    if not any(role in roles_of(group) for group in groups):
        return REFUSED
    if sees_all or whose in ("", "leaves out other programmes"):
        return None
    return None if whose == "of one's own programmes" and place == OWN else REFUSED


@pytest.fixture(scope="module")
def guarded() -> Iterator[System]:
    with running_system(HANDRAIL_ACCESS="required", HANDRAIL_ACCESS_RATE="900/minute") as running:
        yield running


@pytest.fixture(scope="module")
async def ward(guarded: System) -> AsyncIterator[Ward]:
    auth = guarded.addresses.auth()
    async with httpx.AsyncClient(timeout=20, trust_env=False, auth=auth) as client:
        clinic = Clinic(guarded, client, f"site-{uuid4().hex[:12]}")
        named = {place: await placed(clinic, place) for place in (OWN, OTHER)}
        await enter_client(clinic)
        tokens = {who: await token(clinic, who) for who in PEOPLE if who != "nobody"}
        yield Ward(clinic, named, tokens)


async def enter_client(clinic: Clinic) -> None:
    """What the clients here send as FHIR is taken: they are entered as a sender of the site."""
    whose = {"client": clinic.site_id, "time_zone": "UTC", "site_id": clinic.site_id}
    sessions = {"kind": {"session_type": "group"}, "systems": {}}
    for service, terms in (("attendance", sessions), ("intake", {})):
        path = f"{clinic.url(service)}/v1/hl7/senders/{clinic.site_id}"
        answer = await clinic.client.put(path, json=whose | {"terms": terms})
        assert answer.status_code == httpx.codes.OK, answer.text


async def token(clinic: Clinic, who: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "handrail_role": who.partition(" ")[0],
        "handrail_programs": PEOPLE[who],
        "scope": "system/*.cruds user/*.read",
        "client_id": clinic.site_id,
    }
    answer = await clinic.client.post(f"{clinic.url('alerts')}/development/token", data=form)
    return str(answer.json()["access_token"])


async def placed(clinic: Clinic, program: str) -> dict[str, str]:
    """Someone in this programme who missed two sessions and is handed on; all that names them."""
    person = await clinic.admitted(program=program)
    session = UUID((await missed(clinic, person, 3))["subject"])
    await missed(clinic, person, 2)
    concern = await clinic.concern(person)
    step = await clinic.say(
        "aftercare",
        "start_step_down",
        admission_id=str(person),
        destination="outpatient",
        receiver="north-clinic",
        first_visit_on=today().isoformat(),
    )
    stay = await clinic.get("intake", f"/v1/admissions/{person}")
    return {
        "admission_id": str(person),
        "patient_id": stay["patient_id"],
        "session_id": str(session),
        "concern_id": concern["concern_id"],
        "step_down_id": step["subject"],
    }


async def missed(clinic: Clinic, person: UUID, days: int) -> dict[str, Any]:
    group = {
        "session_type": "group",
        "planned_on": days_ago(days),
        "planned_minutes": 180,
    }
    return await clinic.say(
        "attendance",
        "record_missed",
        admission_id=str(person),
        session_key=uuid4().hex,
        session=group,
        kind="no_show",
    )


def address(path: str, named: dict[str, str], site: str) -> str:
    known = named | {"site_id": site, "day": today().isoformat()}
    return re.sub(r"{(\w+)}", lambda part: known.get(part[1], str(uuid4())), path)


@pytest.mark.parametrize("service", SERVICES)
async def test_each_role_gets_of_each_route_what_the_page_says(ward: Ward, service: str) -> None:
    base = ward.clinic.url(service)
    wrong, tried, refused = [], 0, 0
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        described = (await client.get(f"{base}/openapi.json")).json()
        inputs, lines = Inputs(described), written(service)
        for path, methods in described["paths"].items():
            for method, about in methods.items():
                route = f"{method.upper()} {path}"
                assert route in lines, f"docs/access.md has no line for {route}"
                for who in PEOPLE:
                    for place in (OWN, OTHER):
                        wanted = expected(lines[route], who, place)
                        answer = await client.request(
                            method,
                            base + address(path, ward.named[place], ward.clinic.site_id),
                            headers=bearer(ward, who),
                            # Refused is also what could be carried out; what is allowed lacks its body.
                            json=inputs.body(about) if wanted else None,
                        )
                        tried, refused = tried + 1, refused + bool(wanted)
                        got = answer.status_code if answer.status_code in (401, 403) else None
                        if got != wanted or answer.status_code >= 500:
                            wrong.append((route, who, place, answer.status_code, wanted))

    assert wrong == []
    assert refused > 100
    assert tried - refused > 50


def bearer(ward: Ward, who: str) -> dict[str, str]:
    return {} if who == "nobody" else {"authorization": f"Bearer {ward.tokens[who]}"}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_of_each_page_what_its_rights_say(ward: Ward, role: str) -> None:
    base, site = ward.clinic.url("alerts"), ward.clinic.site_id
    pages = [
        (route, next(iter(groups)).removeprefix("page:"))
        for route, (groups, _) in written("alerts").items()
        if next(iter(groups)).startswith("page:")
    ]
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        await sign_in(client, base, role, OWN)
        home = await client.get(f"{base}/" if "people" in RIGHTS[role] else f"{base}/operate")
        secret = re.search(r'name="form" value="([^"]+)"', home.text)
        assert secret, home.text[:500]
        tried = 0
        for route, right in pages:
            method, _, path = route.partition(" ")
            if route in ("GET /live", "POST /sign-out"):
                continue
            # A report is of a whole site, and these see one programme.
            has_right = right in RIGHTS[role] and right != "reports"
            for place in (OWN, OTHER):
                answer = await client.request(
                    method,
                    base + address(path, ward.named[place], site),
                    data={"form": secret[1]} if method == "POST" else None,
                )
                about = (route, place, answer.status_code)
                tried += 1
                if not has_right:
                    assert answer.status_code == REFUSED, about
                elif "{" in path and place == OTHER:
                    assert answer.status_code in (303, 403, 404, 409), about
                    assert OTHER not in answer.text, about
                else:
                    assert answer.status_code != REFUSED, about
        assert tried >= 20


async def test_nobody_gets_a_page(ward: Ward) -> None:
    base, site = ward.clinic.url("alerts"), ward.clinic.site_id
    asked = 0
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        for route, (groups, _) in written("alerts").items():
            if not next(iter(groups)).startswith("page:"):
                continue
            method, _, path = route.partition(" ")
            answer = await client.request(method, base + address(path, ward.named[OWN], site))
            asked += 1
            is_sent_away = answer.status_code == 303 and "/sign-in" in answer.headers["location"]
            assert is_sent_away or answer.status_code in (204, 403), (route, answer.status_code)
    assert asked > 10


async def test_who_is_transferred_is_seen_by_the_new_programme_and_no_more_by_the_old(
    ward: Ward,
) -> None:
    clinic, person = ward.clinic, await ward.clinic.admitted(program=OTHER)
    await clinic.known_to_alerts(person)
    await clinic.say(
        "intake",
        "transfer",
        admission_id=str(person),
        program_id=OWN,
        track="evening",
    )
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        headers = bearer(ward, "counsellor")
        paths = {
            "intake": f"/v1/admissions/{person}",
            "attendance": f"/v1/admissions/{person}/contacts",
            "alerts": f"/v1/admissions/{person}/risk",
        }
        for service, path in paths.items():

            async def is_seen(url: str = clinic.url(service) + path) -> bool:
                return (await client.get(url, headers=headers)).status_code == 200

            await until(is_seen, f"the new programme sees the person in {service}")


@pytest.mark.parametrize(
    "kind", ["cut", "other key", "no signature", "by our own name", "old", "Basic", "very long"]
)
async def test_a_token_that_nobody_gave_lets_nobody_in(ward: Ward, kind: str) -> None:
    good = ward.tokens["system"]
    spoiled = {
        "cut": f"Bearer {good[:-6]}",
        "other key": f"Bearer {forged('RS256')}",
        "no signature": f"Bearer {forged('none')}",
        "by our own name": f"Bearer {forged('HS256')}",
        "old": f"Bearer {forged('RS256', age=7200)}",
        "Basic": f"Basic {good}",
        "very long": f"Bearer {'a' * 7000}.{'b' * 3000}.c",
    }[kind]
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        for service in SERVICES:
            answer = await client.get(
                f"{ward.clinic.url(service)}/status", headers={"authorization": spoiled}
            )
            assert answer.status_code == SIGN_IN
            assert answer.headers["www-authenticate"] == "Bearer"


def forged(algorithm: str, age: int = 0) -> str:
    """Signed by a key of one's own, or by none."""
    now = int(time.time()) - age
    claims = {
        "iss": "urn:handrail:services",
        "aud": "handrail-api",
        "sub": "me",
        "exp": now + 60,
        "handrail_role": "system",
        "handrail_programs": ["*"],
    }
    if algorithm == "none":
        parts = [{"alg": "none"}, claims]
        words = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
        return b".".join([*words, b""]).decode()
    key = RSAKey.generate_key(2048) if algorithm == "RS256" else OctKey.generate_key(256)
    return jwt.encode({"alg": algorithm}, claims, key)


async def test_the_command_is_let_in_by_the_key_of_its_home(ward: Ward) -> None:
    for words in (("audit", "verify"), ("dead-letters", "list"), ("status",)):
        done = ward.clinic.system.handrail(*words)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_who_calls_too_often_is_told_to_wait(ward: Ward) -> None:
    url = f"{ward.clinic.url('intake')}/v1/programs"
    headers = bearer(ward, "support")
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:

        async def is_too_often() -> httpx.Response | None:
            answers = [await client.get(url, headers=headers) for _ in range(50)]
            found = [one for one in answers if one.status_code == 429]
            return found[0] if found else None

        answer = await until(is_too_often, "the limit is reached", 60)
        other = await client.get(url, headers=bearer(ward, "counsellor"))

    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert other.status_code == 200
