"""FHIR Subscriptions over a real database and a real receiver: when they begin, go wrong and end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fhir.resources.R4B.bundle import Bundle

from handrail.receipts import Rejected
from intake.disclosures import queue, subscribers
from intake.disclosures.backport import made
from intake.disclosures.messages import own_name
from tests.ear import Ear, listening
from tests.integration.outside import KEY, SITE, Outside, asking, attended, many, missed, wanting


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening(Ear()) as ear:
        yield ear


def said(bundle: Bundle) -> dict[str, Any]:
    """The status that a notification begins with, by the names of its parameters."""
    assert bundle.type == "history"
    return {one.name: one for one in bundle.entry[0].resource.parameter}


def heard(ear: Ear) -> list[dict[str, Any]]:
    """What came, as a library that nobody here wrote reads it."""
    return [said(Bundle.model_validate_json(body)) for _, body in ear.heard]


def kinds(ear: Ear) -> list[str]:
    return [one["type"].valueCode for one in heard(ear)]


def numbers(statuses: list[dict[str, Any]]) -> list[int]:
    """The event numbers that were named."""
    found = []
    for one in statuses:
        for name, parameter in one.items():
            if name == "notification-event":
                found += [int(p.valueString) for p in parameter.part if p.name == "event-number"]
    return found


async def test_it_begins_with_a_handshake_and_events_follow_without_holes(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    headers = ("Authorization: Bearer mine",)
    made_id = await outside.makes(registered, ear.address, "session-missed", headers=headers)
    person, silent = await outside.admitted(), await outside.admitted()
    await outside.grants(person)
    assert (await outside.stands(made_id))["status"] == "requested"
    await outside.hears(missed(person), missed(silent), attended(person), missed(person))
    await outside.delivers()

    assert kinds(ear) == ["handshake", "event-notification", "event-notification"]
    assert numbers(heard(ear)) == [1, 2]
    assert [one["events-since-subscription-start"].valueString for one in heard(ear)] == [
        *("0", "1", "2")
    ]
    assert (await outside.stands(made_id))["status"] == "active"
    first, _ = ear.heard[0]
    assert first["authorization"] == "Bearer mine"
    assert first["content-type"] == "application/fhir+json"
    reasons = await outside.pool.fetch(
        "select reason from deliveries where subscriber_id = $1 and state = 'withheld'", made_id
    )
    assert sorted(row["reason"] for row in reasons) == ["no_consent", "not_subscribed"]
    # The registration is no queue: nothing of it is ever sent.
    assert len(await outside.told(person)) == 2


async def test_it_is_signed_by_the_secret_of_the_registration(outside: Outside, ear: Ear) -> None:
    registered, secret = await outside.subscribes(f"fhir+{ear.address}")
    await outside.makes(registered, ear.address, "discharge")
    await outside.delivers()

    assert [one["resourceType"] for one in ear.verified(secret)] == ["Bundle"]


async def test_an_error_of_the_handshake_is_shown_and_it_is_tried_again(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    made_id = await outside.makes(registered, ear.address, "session-missed")
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(missed(person))
    ear.status = 500
    await outside.delivers()
    assert (await outside.stands(made_id))["status"] == "error"
    assert kinds(ear) == ["handshake"]

    ear.status = 200
    await outside.passes(1)
    await outside.delivers()
    assert kinds(ear) == ["handshake", "handshake", "event-notification"]
    assert (await outside.stands(made_id))["status"] == "active"


async def test_after_five_days_it_is_an_error_until_it_is_requested_again(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    made_id = await outside.makes(registered, ear.address, "session-missed")
    person = await outside.admitted()
    await outside.grants(person)
    await outside.delivers()
    ear.status = 503
    await outside.hears(missed(person))
    for _ in range(6):
        await outside.passes(24)
        await outside.delivers()
    row = await outside.stands(made_id)
    assert (row["status"], row["trouble"]) == ("error", "http_503")

    ear.status, ear.heard = 200, []
    await outside.changes(made_id, registered, wanting(ear.address))
    assert (await outside.stands(made_id))["status"] == "requested"
    await outside.delivers()
    assert kinds(ear) == ["handshake", "event-notification"]
    assert numbers(heard(ear)) == [1]


async def test_it_is_off_when_it_is_asked_to_be_and_when_its_end_has_come(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    soon = datetime.now(UTC) - timedelta(seconds=1)
    over = await outside.makes(registered, ear.address, "session-missed", end_at=soon)
    asked = await outside.makes(registered, ear.address, "session-missed")
    await outside.changes(asked, registered, wanting(ear.address, is_off=True))
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(missed(person))
    await outside.delivers()

    assert ear.heard == []
    assert [(await outside.stands(one))["status"] for one in (over, asked)] == ["off", "off"]
    # What the subscriber ended, an operator does not begin again.
    async with outside.pool.acquire() as conn, conn.transaction():
        with pytest.raises(Rejected):
            await subscribers.send_again(conn, asked, KEY)


async def test_a_heartbeat_comes_where_it_was_asked_for(outside: Outside, ear: Ear) -> None:
    registered = await outside.registers(ear.address)
    await outside.makes(registered, ear.address, "discharge", heartbeat_seconds=60)
    await outside.makes(registered, ear.address, "discharge")
    await outside.delivers()
    await outside.passes(25)
    await outside.delivers()
    await outside.passes(1)
    await outside.delivers()

    assert sorted(kinds(ear)) == ["handshake", "handshake", "heartbeat", "heartbeat"]


async def test_only_the_persons_that_it_names_are_told_of(outside: Outside, ear: Ear) -> None:
    registered = await outside.registers(ear.address)
    person, other = await outside.admitted(), await outside.admitted()
    for one in (person, other):
        await outside.grants(one)
    async with outside.pool.acquire() as conn:
        own = await subscribers.subject(conn, registered, person)
    await outside.makes(registered, ear.address, "session-missed", subjects=(own,))
    await outside.hears(missed(other), missed(person))
    await outside.delivers()

    [_, told] = heard(ear)
    parts = told["notification-event"].part
    assert str(own) in {one.valueReference.identifier.value for one in parts[3:]}
    assert len(await outside.told(other)) == 0


async def test_what_may_not_be_told_any_more_is_not_in_the_events(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    made_id = await outside.makes(registered, ear.address, "session-missed")
    person, other = await outside.admitted(), await outside.admitted()
    consent = await outside.grants(person)
    await outside.grants(other)
    await outside.hears(missed(person), missed(other), missed(person, 2), missed(other, 2))
    await outside.delivers()

    async def asked(since: int | None = None, until: int | None = None) -> list[int]:
        return numbers_of(await outside.asks(made_id, since, until))

    assert await asked() == [1, 2, 3, 4]
    assert await asked(since=2) == [2, 3, 4]
    assert await asked(since=2, until=3) == [2, 3]
    assert await asked(since=9) == []
    before = len(await outside.told(person))
    await outside.says("revoke_consent", admission_id=person, consent_id=consent)
    assert await asked() == [2, 4]

    assert len(await outside.told(person)) == before == 2 + 2 + 1 + 1
    rows = [row for row in await outside.told(other) if row.get("asked") == "$events"]
    assert [row["sequence"] for row in rows[-2:]] == [2, 4]
    assert (await outside.verified())["trouble"] is None


def numbers_of(answer: dict[str, Any]) -> list[int]:
    """The numbers in an answer to `$events`, as the library reads it."""
    bundle = Bundle.model_validate_json(json.dumps(answer))
    assert said(bundle)["type"].valueCode == "query-event"
    parts = [one.part for one in bundle.entry[0].resource.parameter if one.part]
    return [int(part[0].valueString) for part in parts]


_ALL_TOLD = """
with told as (
    update deliveries d set state = 'sent', sequence = n.number
    from (
        select id, row_number() over (order by id) as number
        from deliveries where subscriber_id = $1
    ) n
    where d.id = n.id returning sequence
)
update subscribers set last_sequence = (select max(sequence) from told) where subscriber_id = $1
"""


async def test_what_was_told_of_is_read_while_it_may_be_told_and_by_nobody_else(
    outside: Outside, ear: Ear
) -> None:
    registered, another = [await outside.registers(ear.address) for _ in range(2)]
    await outside.makes(registered, ear.address, "session-missed")
    await outside.makes(registered, ear.address, "session-attended", content="empty")
    person, silent = await outside.admitted(), await outside.admitted()
    consent = await outside.grants(person, "attendance", "status")
    await outside.grants(silent, "status")
    await outside.hears(missed(person), attended(person), missed(silent))
    await outside.delivers()
    references = [one.valueReference.reference for one in event_of(ear).part if one.valueReference]
    seat, stay = [one.rpartition("/")[2] for one in references[:2]]

    read, stays = await outside.reads(registered, seat), await outside.reads_stay(registered, stay)
    assert (read["status"], stays["status"]) == ("noshow", "active")
    # What an empty notification did not name, and what was never told.
    async with outside.pool.acquire() as conn:
        unnamed = [own_name(await key_of(conn, registered), f"{person}/{UUID(int=2)}")]
        unnamed += [await subscribers.subject(conn, registered, silent)]
    for client, name in ((another, seat), (registered, stay), *((registered, n) for n in unnamed)):
        with pytest.raises(Rejected, match="resource_unknown"):
            await outside.reads(client, str(name))
    told = [row for row in await outside.told(person) if row.get("asked")]
    assert [row["asked"] for row in told] == ["Appointment", "EpisodeOfCare"]

    await outside.says("revoke_consent", admission_id=person, consent_id=consent)
    for reading, name in ((outside.reads, seat), (outside.reads_stay, stay)):
        with pytest.raises(Rejected, match="resource_unknown"):
            await reading(registered, name)


async def test_what_is_just_being_sent_can_be_asked_for_before_it_is_answered(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    made_id = await outside.makes(registered, ear.address, "session-missed")
    await outside.delivers()
    person = await outside.admitted()
    await outside.grants(person, "attendance", "status")
    await outside.hears(missed(person))
    async with outside.pool.acquire() as conn, conn.transaction():
        message = await queue.take(conn, made_id, uuid4(), KEY)
    assert message
    stay, seat = message.names

    assert (await outside.reads(registered, str(seat)))["status"] == "noshow"
    assert (await outside.reads_stay(registered, str(stay)))["status"] == "active"
    assert numbers_of(await outside.asks(made_id)) == [message.sequence] == [1]
    assert numbers_of(await outside.asks(made_id, until=7)) == [1]
    assert numbers_of(await outside.asks(made_id, since=2)) == []
    told = [(row["asked"], row["sequence"]) for row in await outside.told(person)]
    assert told == [("Appointment", 1), ("EpisodeOfCare", 1), ("$events", 1), ("$events", 1)]


def event_of(ear: Ear) -> Any:
    """The one event that was named in full."""
    events = [one["notification-event"] for one in heard(ear) if "notification-event" in one]
    [named] = [one for one in events if len(one.part) > 1]
    return named


async def key_of(conn: Any, registered: UUID) -> bytes:
    key: bytes = await conn.fetchval(
        "select subject_key from subscribers where subscriber_id = $1", registered
    )
    return key


async def test_many_events_are_answered_a_hundred_at_a_time(outside: Outside, ear: Ear) -> None:
    registered = await outside.registers(ear.address)
    made_id = await outside.makes(registered, ear.address, "session-missed", content="empty")
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(*many(person, 120))
    await outside.pool.execute(_ALL_TOLD, made_id)

    assert numbers_of(await outside.asks(made_id)) == list(range(21, 121))
    assert numbers_of(await outside.asks(made_id, since=1)) == list(range(1, 101))
    assert numbers_of(await outside.asks(made_id, since=101)) == list(range(101, 121))


async def test_an_address_elsewhere_is_refused_and_a_new_one_answers_first(
    outside: Outside, ear: Ear
) -> None:
    registered = await outside.registers(ear.address)
    with listening(Ear()) as elsewhere, pytest.raises(Rejected, match="address_not_allowed"):
        await outside.makes(registered, elsewhere.address, "discharge")
    made_id = await outside.makes(registered, ear.address, "discharge", headers=("X-Key: a",))
    await outside.delivers()
    await outside.changes(made_id, registered, wanting(f"{ear.address}/other", "discharge"))
    assert (await outside.stands(made_id))["status"] == "requested"
    await outside.delivers()

    assert kinds(ear) == ["handshake", "handshake"]
    assert [headers["x-key"] for headers, _ in ear.heard] == ["a", "a"]


async def test_who_is_not_registered_for_it_makes_none(outside: Outside, ear: Ear) -> None:
    by_webhook, _ = await outside.subscribes(ear.address)
    for client in (by_webhook, uuid4()):
        with pytest.raises(Rejected, match="registration_unknown"):
            await outside.makes(client, ear.address, "discharge")
    registered, another = [await outside.registers(ear.address) for _ in range(2)]
    made_id = await outside.makes(registered, ear.address, "discharge")
    with pytest.raises(Rejected, match="registration_unknown"):
        await outside.makes(made_id, ear.address, "discharge")
    with pytest.raises(Rejected, match="subscription_unknown"):
        await outside.changes(made_id, another, wanting(ear.address))


async def test_it_is_told_no_more_than_its_registration_takes(outside: Outside, ear: Ear) -> None:
    registered = await outside.registers(ear.address, "status")
    await outside.makes(registered, ear.address, "session-missed")
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(missed(person))
    await outside.delivers()

    assert kinds(ear) == ["handshake"]


async def test_with_the_registration_its_subscriptions_end(outside: Outside, ear: Ear) -> None:
    registered = await outside.registers(ear.address)
    made_id, other = [await outside.makes(registered, ear.address, "discharge") for _ in range(2)]
    async with outside.pool.acquire() as conn, conn.transaction():
        await made.remove(conn, str(other), asking(registered))
    assert await outside.stands(other) is None
    async with outside.pool.acquire() as conn, conn.transaction():
        await subscribers.remove(conn, registered, KEY)
    await outside.delivers()

    assert await outside.stands(made_id) is None
    assert ear.heard == []
    assert [row["state"] for row in await subscribers.listed(outside.pool, SITE)] == []


async def test_there_is_a_limit_to_how_many_it_makes(outside: Outside, ear: Ear) -> None:
    registered = await outside.registers(ear.address)
    for _ in range(made.MOST):
        await outside.makes(registered, ear.address, "discharge")
    with pytest.raises(Rejected, match="too_many"):
        await outside.makes(registered, ear.address, "discharge")
