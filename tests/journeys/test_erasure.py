"""A person is erased in the whole system: no table, backup, dead letter or topic gives them back."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from attendance.measures import COLUMN as ANSWERS
from handrail.personal.keys import FileKeys
from handrail.personal.vault import Vault
from handrail.sight import SEES_ALL
from handrail.topics import OWNERS
from intake.contacts import COLUMN as CONTACTS
from operate import databases
from operate.backup import _call
from operate.databases import KEYED
from operate.home import SERVICES, Home
from operate.parts.postgres import Postgres
from tests.journeys.clinic import Clinic, days_ago
from tests.parts import until

MARKS = ("Rosalind Ferrymark", "+1 555 0142 7788", "quince orchard after nine")
FORM = {"1": 3, "2": 2, "3": 3, "4": 1, "5": 0, "6": 3, "7": 2}
TABLES = """
select format('%I.%I', schemaname, tablename) as name from pg_tables
where schemaname not in ('pg_catalog', 'information_schema')
"""
SEALED = {
    CONTACTS: ("intake", "select sealed from contacts where admission_id = $1"),
    ANSWERS: ("attendance", "select sealed from measures where admission_id = $1"),
}


def admin_url(home: Home) -> str:
    place = home.folder / "postgres", home.ports()["postgres"], home.log("postgres")
    return Postgres(*place).admin_url()


async def put(clinic: Clinic, path: str) -> None:
    name, phone, note = MARKS
    body = {"name": name, "phone": phone, "note": note}
    answer = await clinic.client.put(clinic.url("intake") + path, json=body)
    assert answer.is_success, answer.text


async def known_person(clinic: Clinic) -> UUID:
    """Someone with a support, contacts of both, and a form."""
    person, support = await clinic.admitted(), uuid4()
    about: dict[str, Any] = {"admission_id": str(person)}
    naming = {"support_id": str(support), "relation": "parent", "may_contact": True}
    await clinic.say("intake", "name_support", **about, **naming)
    await put(clinic, f"/v1/admissions/{person}/contact")
    await put(clinic, f"/v1/admissions/{person}/supports/{support}/contact")
    await clinic.say("attendance", "record_answers", **about, instrument="gad_7", answers=FORM)
    return person


async def contacts(clinic: Clinic, person: UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await clinic.get("intake", f"/v1/admissions/{person}/contacts")
    return found


async def forms(clinic: Clinic, person: UUID) -> list[tuple[Any, Any]]:
    found = await clinic.get("attendance", f"/v1/admissions/{person}/measures")
    return [(form["answers"], form["scores"]) for form in found]


async def marked_tables(url: str) -> list[str]:
    """The tables of a database in which a mark stands, as text or as bytes."""
    marked = [f"%{form}%" for mark in MARKS for form in (mark, mark.encode().hex())]
    # Without it row-level security would hide the rows from this look.
    conn = await asyncpg.connect(url, server_settings=SEES_ALL)
    try:
        names = [row["name"] for row in await conn.fetch(TABLES)]
        assert len(names) > 10
        asked = {name: f"select true from {name} t where t::text like any($1)" for name in names}  # noqa: S608
        return [name for name, sql in asked.items() if await conn.fetchval(sql, marked)]
    finally:
        await conn.close()


@contextlib.asynccontextmanager
async def restored(home: Home, dump: Path, service: str) -> AsyncIterator[str]:
    """A backup of a service, in a database of its own. Gives its address."""
    name, admin = f"restored_{uuid4().hex[:8]}", admin_url(home)
    conn = await asyncpg.connect(admin)
    try:
        await conn.execute(f"create database {name} owner {service}")
        url = admin.removesuffix("/postgres") + f"/{name}"
        _call("pg_restore", ["--no-owner", f"--role={service}", f"--dbname={url}", str(dump)])
        yield url
        await conn.execute(f"drop database {name} with (force)")
    finally:
        await conn.close()


async def opened(home: Home, url: str, column: str, person: UUID) -> list[bytes | None]:
    """What whoever holds a copy of the data, the keys and the wrapping keys can read."""
    service, question = SEALED[column]
    keys = databases.keys_url_of(admin_url(home), service, home)
    async with asyncpg.create_pool(keys, min_size=0, max_size=1) as pool:
        conn = await asyncpg.connect(url)
        fields = [(person, row["sealed"]) for row in await conn.fetch(question, person)]
        await conn.close()
        assert fields
        vault = Vault(service, pool, FileKeys(home.wrapping_keys().read_text))
        return await vault.open(column, fields)


async def test_who_is_erased_is_found_in_no_table_backup_or_topic_and_counts_still_add_up(
    clinic: Clinic, tmp_path: Path
) -> None:
    system, home = clinic.system, clinic.system.home
    person, other = await known_person(clinic), await known_person(clinic)
    about = {"admission_id": str(person), "reason": "completed", "discharged_on": days_ago(0)}
    await clinic.say("intake", "discharge", **about)
    assert [entry["name"] for entry in await contacts(clinic, person)] == [MARKS[0]] * 2
    saved = system.handrail("backup", "--out", str(tmp_path / "one"))
    assert saved.returncode == 0, saved.stderr
    before = await forms(clinic, person)

    done = system.handrail("keys", "erase", str(person), "--yes")
    assert done.returncode == 0, done.stderr
    again = system.handrail("keys", "erase", str(person), "--yes")
    assert (again.returncode, again.stdout[:4]) == (0, "0 of")

    async def is_heard() -> bool:
        return (await forms(clinic, person))[0][0] is None

    await until(is_heard, "attendance has heard of it")
    assert await contacts(clinic, person) == []
    assert [answers for answers, _ in before] == [FORM]
    # The form and its score still count, and nobody else has lost anything.
    assert [scores for _, scores in await forms(clinic, person)] == [before[0][1]]
    assert len(await contacts(clinic, other)) == 2
    assert (await forms(clinic, other))[0][0] == FORM

    for service in SERVICES:
        assert await marked_tables(databases.url_of(admin_url(home), service, home)) == []
    for column, (service, _) in SEALED.items():
        async with restored(home, tmp_path / "one" / f"{service}.dump", service) as url:
            assert await marked_tables(url) == []
            assert set(await opened(home, url, column, person)) == {None}
            assert None not in await opened(home, url, column, other)
    told = {owner: await clinic.told(owner, person) for owner in OWNERS}
    assert told["intake"][-1][0] == "intake.person_erased.v1"
    assert not any(mark in str(told) + system.logs() for mark in MARKS)
    verified = system.handrail("audit", "verify")
    assert verified.returncode == 0, verified.stderr


async def test_wrapping_keys_are_rotated_while_everything_runs(clinic: Clinic) -> None:
    person = await known_person(clinic)
    for _ in range(2):
        done = clinic.system.handrail("keys", "rotate")
        assert done.returncode == 0, done.stderr
        assert len(await contacts(clinic, person)) == 2
        assert (await forms(clinic, person))[0][0] == FORM

    assert len(clinic.system.home.wrapping_keys().read_text().split()) == 2
    for service in KEYED:
        assert len((await clinic.get(service, "/v1/keys"))["keys"]) == 1
