"""Notices over a real database, a real SMTP server and a real web server."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import BytesParser
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI
from standardwebhooks.webhooks import Webhook

from alerts import quality_routes, receivers, teams, words
from alerts.delivery import MailSettings, Sender
from alerts.policy import Policy
from alerts.receivers import Receiver
from alerts.rota import ROTAS
from alerts.rules import Ladder
from handrail import http
from handrail.events import attendance
from handrail.outbound import networks
from handrail.receipts import Rejected
from tests.ear import Ear, listening
from tests.integration.ward import LADDER, Ward, day

ALWAYS = Policy(version="always-open", staffed_weekdays=(0, 1, 2, 3, 4, 5, 6))


@dataclass
class Mailbox:
    """An SMTP server's letters."""

    letters: list[Message] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.letters.append(BytesParser().parsebytes(envelope.content))
        return "250 OK"


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening(Ear()) as ear:
        yield ear


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.address = free.getsockname()
    controller = Controller(box, hostname=box.address[0], port=box.address[1])
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
async def sender(pool: asyncpg.Pool) -> AsyncIterator[Sender]:
    sender = Sender(pool, MailSettings(), networks("127.0.0.0/8"))
    yield sender
    await sender.client.aclose()


async def listens(ward: Ward, **about: object) -> tuple[UUID, str | None]:
    """Enter a receiver; gives its identifier and secret."""
    receiver_id = uuid4()
    wanted = Receiver.model_validate({"site_id": ward.site_id, "role": "case_manager"} | about)
    async with ward.pool.acquire() as conn, conn.transaction():
        return receiver_id, await receivers.put(conn, receiver_id, wanted)


async def always_open(ward: Ward) -> None:
    ward.ladder = Ladder(ALWAYS, LADDER.table)
    body = '{"version": "open", "opens": "00:00", "closes": "23:59:59.999999", "staffed_weekdays": [0,1,2,3,4,5,6]}'
    await ward.pool.execute(
        "insert into policies values ($1, 'open', '2020-01-01', $2)", ward.site_id, body
    )


async def test_a_webhook_is_signed_neutral_and_sent_once(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    _, secret = await listens(ward, kind="webhook", address=ear.address)
    person = await ward.admitted()
    await ward.missed(person)

    assert await sender.turn(urgent=False) == 1
    assert await sender.turn(urgent=False) == 0
    [(headers, body)] = ear.heard
    heard = Webhook(secret or "").verify(body, {k.lower(): v for k, v in headers.items()})
    [concern] = await ward.open_concerns()
    assert heard["type"] == "task.raised"
    assert heard["data"]["reference"] == str(concern["concern_id"])
    assert heard["data"]["key"] == headers["webhook-id"]
    for private in (str(person), ward.site_id, "iop", "miss", "level"):
        assert private not in body.decode()


async def test_a_receiver_that_is_down_is_tried_for_days_with_the_same_key_and_shown(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    receiver_id, _ = await listens(ward, kind="webhook", address=ear.address)
    ear.status = 503
    await ward.missed(await ward.admitted())

    for _ in range(4):
        assert await sender.turn(urgent=False) == 1
        assert await sender.turn(urgent=False) == 0
        await ward.later(9)
    assert len(set(ear.keys())) == 1
    [shown] = await receivers.listed(ward.pool, ward.site_id)
    assert (shown["waiting"], shown["trouble"], shown["given_up"]) == (1, "http_503", 0)
    assert (await receivers.status(ward.pool))["receivers_in_trouble"] == 1

    await ward.later(24 * 5)
    await sender.turn(urgent=False)
    assert (await receivers.status(ward.pool))["given_up"] == 1
    assert await sender.turn(urgent=False) == 0

    ear.status = 200
    async with ward.pool.acquire() as conn:
        assert await receivers.send_again(conn, receiver_id) == 1
    assert await sender.turn(urgent=False) == 1
    assert len(set(ear.keys())) == 1
    [shown] = await receivers.listed(ward.pool, ward.site_id)
    assert (shown["waiting"], shown["trouble"]) == (0, None)


async def test_a_sender_that_died_after_sending_sends_again_with_the_same_key(
    ward: Ward, ear: Ear, sender: Sender, pool: asyncpg.Pool
) -> None:
    await always_open(ward)
    await listens(ward, kind="webhook", address=ear.address)
    await ward.missed(await ward.admitted())
    async with pool.acquire() as conn, conn.transaction():
        from alerts import notices  # noqa: PLC0415  # the half turn of a sender that dies

        [claimed] = await notices.claim(conn, urgent=False)
    assert await sender._send(claimed, {}) is None
    assert await sender.turn(urgent=False) == 0

    await ward.later(1)
    assert await sender.turn(urgent=False) == 1
    assert len(ear.heard) == 2
    assert len(set(ear.keys())) == 1


async def test_mail_says_that_something_waits_and_nothing_more(
    ward: Ward, mailbox: Mailbox, pool: asyncpg.Pool, sender: Sender
) -> None:
    host, port = mailbox.address
    sender.settings = MailSettings(
        smtp_host=host, smtp_port=port, smtp_tls="none", page_url="https://handrail.example/"
    )
    await always_open(ward)
    await listens(ward, kind="email", address="case.manager@clinic.example")
    person = await ward.admitted()
    await ward.missed(person)
    assert await sender.turn(urgent=False) == 1

    [letter] = mailbox.letters
    assert letter["Subject"] == "Something is waiting for you"
    assert letter["To"] == "case.manager@clinic.example"
    text = str(letter)
    [key] = await pool.fetch("select notice_id from notices")
    assert f"<{key['notice_id']}@" in letter["Message-ID"]
    for private in (str(person), ward.site_id, "iop", "missed", "session", "patient", "treatment"):
        assert private not in text.lower()


async def test_without_a_mail_server_mail_waits_and_the_reason_is_shown(
    ward: Ward, sender: Sender
) -> None:
    await always_open(ward)
    await listens(ward, kind="email", address="case.manager@clinic.example")
    await ward.missed(await ward.admitted())
    await sender.turn(urgent=False)

    [shown] = await receivers.listed(ward.pool, ward.site_id)
    assert (shown["waiting"], shown["trouble"]) == (1, "no_mail_server_set")


async def test_in_quiet_hours_only_safety_is_told(ward: Ward, ear: Ear, sender: Sender) -> None:
    closed = '{"version": "closed", "opens": "00:00", "closes": "00:00:00.000001"}'
    await ward.pool.execute("insert into policies values ('north', 'c', '2020-01-01', $1)", closed)
    await listens(ward, kind="webhook", address=ear.address)
    await listens(ward, role="on_call", kind="webhook", address=ear.address, digest=True)
    await ward.missed(await ward.admitted())
    assert await sender.turn(urgent=False) == 0
    held = await receivers.status(ward.pool)
    assert (held["waiting"], held["oldest_seconds"]) == (1, 0)

    await ward.flagged(await ward.admitted(days=40))
    assert await sender.turn(urgent=True) == 1
    assert json.loads(ear.heard[0][1])["data"]["urgent"] is True


async def test_a_digest_counts_what_waits_once_a_staffed_day(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    await listens(ward, kind="webhook", address=ear.address, digest=True)
    await ward.missed(await ward.admitted())
    await ward.missed(await ward.admitted())
    assert await sender.turn(urgent=False) == 0

    await ward.later(25)
    assert await sender.turn(urgent=False) == 1
    assert await sender.turn(urgent=False) == 0
    [(_, body)] = ear.heard
    assert json.loads(body)["data"]["waiting"] == {"now": 0, "today": 0, "soon": 2}


async def test_what_is_taken_back_is_told_to_whoever_heard_and_to_nobody_else(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    await listens(ward, kind="webhook", address=ear.address)
    person, other = await ward.admitted(), await ward.admitted()
    await ward.attended(person, -2)
    await ward.attended(other, -2)
    session = await ward.missed(person)
    await sender.turn(urgent=False)
    await ward.corrected(person, session)
    await sender.turn(urgent=False)
    assert ear.changes() == ["task.raised", "task.withdrawn"]

    await ward.corrected(other, await ward.missed(other))
    assert await sender.turn(urgent=False) == 0


async def test_nobody_is_told_of_one_who_is_back_or_away_with_a_reason(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    await listens(ward, kind="webhook", address=ear.address)
    back, away = await ward.admitted(), await ward.admitted()
    await ward.missed(back)
    await ward.missed(away)
    await ward.attended(back)
    await ward.held(away)
    await sender.turn(urgent=False)

    assert ear.heard == []


async def test_a_replay_tells_nobody(ward: Ward, ear: Ear, pool: asyncpg.Pool) -> None:
    ward.clock = "replay"
    await listens(ward, kind="webhook", address=ear.address)
    await ward.missed(await ward.admitted())

    assert len(await ward.open_concerns()) == 1
    assert await pool.fetchval("select count(*) from notices") == 0
    assert await pool.fetchval("select count(*) from concerns where due_at is not null") == 0


async def test_an_escalation_comes_once_on_the_databases_clock_and_not_after_it_was_taken_on(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    await listens(ward, role="supervisor", kind="webhook", address=ear.address)
    taken, left = await ward.admitted(), await ward.admitted()
    for person in (taken, left):
        await ward.missed(person)
    concerns = {row["admission_id"]: row["concern_id"] for row in await ward.open_concerns()}
    await ward.says("acknowledge", concern_id=concerns[taken])
    assert await ward.sweeps() == 0

    await ward.says(
        "record_outreach", concern_id=concerns[taken], channel="phone", outcome="reached_returning"
    )
    await ward.later(47.9)
    assert await ward.sweeps() == 0
    await ward.later(0.2)
    assert await ward.sweeps() == 1
    assert await ward.sweeps() == 0
    await sender.turn(urgent=False)
    assert ear.changes() == ["task.escalated"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "webhook", "address": "http://hospital.example/hook"},
        {"kind": "webhook", "address": "https://name:secret@hospital.example/"},
        {"kind": "email", "address": "nobody"},
        {"kind": "email", "address": "a@b.example,c@d.example"},
        {"kind": "pager", "address": "https://hospital.example/"},
    ],
)
def test_a_receiver_that_could_leak_or_not_be_reached_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Receiver.model_validate({"site_id": "north", "role": "supervisor"} | wrong)


def test_no_notice_has_a_word_of_its_subject() -> None:
    said = " ".join([words.URGENT, *words._SUBJECTS.values(), *words._SENTENCES.values()]).lower()

    for word in ("patient", "treatment", "clinic", "program", "recovery", "session", "risk"):
        assert word not in said


async def test_the_board_counts_what_was_raised_and_done_and_shadow_changes_nothing(
    ward: Ward, pool: asyncpg.Pool
) -> None:
    person, other = await ward.admitted(), await ward.admitted()
    await ward.missed(person)
    await ward.missed(other)
    [concern, _] = await ward.open_concerns()
    tried = {"channel": "phone", "outcome": "reached_returning"}
    await ward.says("record_outreach", concern_id=concern["concern_id"], **tried)
    await ward.closes(day(0))
    before = await pool.fetch("select * from concerns order by concern_id")

    app = FastAPI()
    app.include_router(quality_routes.routes(pool, LADDER))
    http.install(app)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://alerts"
    ) as client:
        board = (await client.get("/v1/quality", params={"site_id": "north"})).json()
        same = (await client.post("/v1/shadow", json={"site_id": "north"})).json()
        lenient = {"version": "lenient", "early_days": 1, "push_to_level": 1}
        less = await client.post("/v1/shadow", json={"site_id": "north", "policy": lenient})
        groups = {str(person): "a", str(other): "b"}
        fair = await client.post(
            "/v1/quality/fairness", json={"site_id": "north", "groups": groups}
        )
        lower = await client.get(f"/v1/admissions/{person}/risk/lower")
        unknown = await client.post("/v1/shadow", json={"site_id": "north", "table_version": "x"})

    fired = {(row["level"], row["rule"]): row for row in board["rules"]}
    assert sum(row["fired"] for row in fired.values()) >= 2
    assert sum(row["acted"] for row in fired.values()) >= 1
    assert board["drift_alarm"] is False
    assert same["live"] == same["changed"]
    assert same["only_live"] == same["only_changed"] == []
    assert less.json()["changed"]["alerts"] < less.json()["live"]["alerts"]
    assert less.json()["words"].startswith("would have raised")
    assert [group["group"] for group in fair.json()] == ["a", "b"]
    assert lower.json()["if_seen_today"] < lower.json()["risk28"]
    assert (unknown.status_code, unknown.json()["title"]) == (404, "table unknown")
    assert await pool.fetch("select * from concerns order by concern_id") == before


async def test_the_named_member_is_told_and_their_cover_while_they_are_off(
    ward: Ward, ear: Ear
) -> None:
    await always_open(ward)
    manager, cover, other = (uuid4() for _ in range(3))
    about = {"kind": "webhook", "address": ear.address}
    devices = {
        one: (await listens(ward, **about, member=one))[0] for one in (manager, cover, other)
    }
    person, second = await ward.admitted(), await ward.admitted()
    await ward.holds(person, "case_manager", manager)
    await ward.missed(person)
    await ward.holds(second, "case_manager", manager)
    await ward.holds(second, "case_manager", cover, until=day(1), covers=manager)
    await ward.missed(second)

    assert await heard(ward, person) == {devices[manager]}
    assert await heard(ward, second) == {devices[cover]}


async def test_safety_at_night_goes_to_who_is_on_call(ward: Ward, ear: Ear) -> None:
    here, away = uuid4(), uuid4()
    about = {"kind": "webhook", "address": ear.address, "role": "on_call"}
    devices = {one: (await listens(ward, **about, member=one))[0] for one in (here, away)}
    person = await ward.admitted()
    every_day = [{"staff_id": here, "weekday": n, "begins": "00:00", "hours": 24} for n in range(7)]
    rota = ROTAS.validate_python({"version": "r", "shifts": every_day})
    async with ward.pool.acquire() as conn, conn.transaction():
        await teams.set_rota(conn, ward.site_id, day(0), rota)
        await teams.set_rota(conn, ward.site_id, day(0), rota)
        with pytest.raises(Rejected, match="in_the_past"):
            await teams.set_rota(conn, ward.site_id, day(-1), replace(rota, version="s"))
        with pytest.raises(Rejected, match="version_taken"):
            await teams.set_rota(conn, ward.site_id, day(1), rota)

    await ward.flagged(person)

    assert await heard(ward, person) == {devices[here]}


async def heard(ward: Ward, person: UUID) -> set[UUID]:
    """The receivers with a notice about the person."""
    sql = "select receiver_id from notices join concerns using (concern_id) where admission_id = $1"
    return {row["receiver_id"] for row in await ward.pool.fetch(sql, person)}


async def test_a_changed_policy_runs_beside_the_one_in_force_from_a_coming_day_on(
    ward: Ward, pool: asyncpg.Pool
) -> None:
    await ward.missed(await ward.admitted())
    person = await ward.admitted()
    await ward.attended(person)
    await ward.closes(day(0))
    path = "/v1/sites/north/shadow"
    wanted = {
        "begins_on": day(1).isoformat(),
        "policy": {"version": "lenient", "early_days": 1, "push_to_level": 1},
    }
    app = FastAPI()
    app.include_router(quality_routes.routes(pool, LADDER))
    http.install(app)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://alerts"
    ) as client:
        nothing = await client.get(path)
        late = await client.put(path, json=wanted | {"begins_on": day(0).isoformat()})
        same = await client.put(path, json={"begins_on": day(1).isoformat()})
        set_twice = [(await client.put(path, json=wanted)).status_code for _ in range(2)]
        about = ward.about(person) | {"recorded_day": day(1), "session_id": uuid4()}
        seat = {"session_type": "group", "planned_on": day(1), "kind": "no_show"}
        await ward.hears(attendance.SessionMissed(**about, **seat))
        await ward.closes(day(1))
        told = (await client.get(path)).json()
        ended = await client.delete(path)
        over = await client.get(path)

    assert (nothing.status_code, over.status_code) == (404, 404)
    assert late.json()["errors"] == [{"field": "begins_on", "code": "day_closed"}]
    assert (same.status_code, set_twice, ended.status_code) == (422, [200, 200], 200)
    # What was raised before it began is not its business.
    assert (told["since"], told["through"]) == (day(1).isoformat(), day(1).isoformat())
    assert (told["live"]["alerts"], told["changed"]["alerts"]) == (1, 0)
    assert [one["admission_id"] for one in told["only_live"]] == [str(person)]
    assert told["difference"] == [
        "only the changed one raised 0 alerts: 0 right, 0 not known yet",
        "only the one in force raised 1 alert: 0 right, 1 not known yet",
        "early_miss: 0 instead of 1",
    ]


async def test_no_notice_is_sent_into_our_own_network_unless_it_is_allowed(
    ward: Ward, ear: Ear, sender: Sender
) -> None:
    await always_open(ward)
    receiver, _ = await listens(ward, kind="webhook", address=ear.address)
    await ward.missed(await ward.admitted())
    careful = Sender(sender.pool, sender.settings)
    try:
        assert await careful.turn(urgent=False) == 1
    finally:
        await careful.client.aclose()

    assert ear.heard == []
    known = await receivers.listed(ward.pool, ward.site_id)
    [shown] = [one for one in known if one["receiver_id"] == receiver]
    assert (shown["waiting"], shown["trouble"]) == (1, "address_forbidden")
