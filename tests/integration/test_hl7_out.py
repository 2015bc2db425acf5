"""Subscribers that hear HL7, over a real database and hl7apy's own server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from handrail.events import REGISTER, AdmissionEvent
from handrail.receipts import Rejected
from handrail.schemas import FOLDER
from intake.disclosures import subscribers
from intake.disclosures.messages import NOTICE
from intake.disclosures.spoken import SEATS, STAYS
from tests.hl7_ear import Hl7Ear, hearing
from tests.integration.outside import SITE, Outside, attended, missed, today

ALL = ("status", "level_of_care", "attendance", "dose", "miss_reasons")


@pytest.fixture
def ear() -> Iterator[Hl7Ear]:
    with hearing(Hl7Ear()) as ear:
        yield ear


async def test_a_no_show_is_told_with_notice_scope_and_nobodys_name(
    outside: Outside, ear: Hl7Ear
) -> None:
    subscriber, _ = await outside.subscribes(ear.url, "attendance", "miss_reasons")
    person = await outside.admitted()
    consent = await outside.grants(person, "attendance")
    [key] = await outside.hears(missed(person))
    await outside.delivers()

    assert ear.events() == ["S26"]
    async with outside.pool.acquire() as conn:
        own = await subscribers.subject(conn, subscriber, person)
    assert ear.value(0, "PID", 3) == f"{own}^^^HANDRAIL^PI"
    assert ear.value(0, "MSH", 9) == key.replace("-", "")[:20]
    assert (ear.value(0, "SCH", 11), ear.value(0, "SCH", 25)) == (
        f"^^^{today():%Y%m%d}",
        "Noshow",
    )
    assert ear.value(0, "SCH", 6) == "Noshow"  # why was not consented to
    assert ear.observed(0)["notice"] == NOTICE
    assert ear.observed(0)["consent"].startswith(f"{consent} for treatment: attendance; from ")
    assert str(person) not in ear.heard[0].to_er7()
    [row] = await outside.told(person)
    assert (row["what"], row["delivery_id"], row["classes"]) == ("delivered", key, ["attendance"])


async def test_without_a_consent_or_a_message_for_it_nothing_leaves(
    outside: Outside, ear: Hl7Ear
) -> None:
    await outside.subscribes(ear.url, "attendance", "measures")
    person, silent = await outside.admitted(), await outside.admitted()
    await outside.grants(person, "attendance", "measures")
    await outside.hears(missed(silent), example("attendance.measure_scored.v1", person))
    await outside.delivers()

    assert ear.heard == []
    assert await outside.states() == ["no_consent", "no_hl7_message"]


@pytest.mark.parametrize("code", ["AE", "AR"])
async def test_what_is_not_taken_is_tried_again_under_the_same_identifier_and_decided_anew(
    outside: Outside, ear: Hl7Ear, code: str
) -> None:
    await outside.subscribes(ear.url, "attendance", "dose")
    person = await outside.admitted()
    consent = await outside.grants(person, "attendance", "dose")
    ear.code = code
    await outside.hears(attended(person))
    await outside.delivers()
    await outside.says(
        "narrow_consent", admission_id=person, consent_id=consent, data_classes=["attendance"]
    )
    assert [row["trouble"] for row in await listed(outside)] == [f"hl7_{code.lower()}"]
    ear.code = "AA"
    await outside.passes(1)
    await outside.delivers()

    assert ear.events() == ["S14", "S14"]
    assert len({ear.value(number, "MSH", 9) for number in (0, 1)}) == 1
    assert ["minutes" in one.to_er7() for one in ear.heard] == [True, False]
    assert await outside.states() == ["sent"]
    assert [row["what"] for row in await outside.told(person)] == ["unconfirmed", "delivered"]


async def test_an_answer_about_another_message_is_none(outside: Outside, ear: Hl7Ear) -> None:
    await outside.subscribes(ear.url)
    person = await outside.admitted()
    await outside.grants(person)
    ear.about = "another"
    await outside.hears(missed(person))
    await outside.delivers()

    assert [row["trouble"] for row in await listed(outside)] == ["no_acknowledgement"]
    assert await outside.states() == ["waiting"]


async def test_a_receiver_that_is_away_gets_all_in_order_afterwards(outside: Outside) -> None:
    with hearing(Hl7Ear()) as gone:
        url = gone.url
    await outside.subscribes(url)
    person = await outside.admitted()
    await outside.grants(person)
    await outside.hears(*(missed(person, number) for number in range(5)))
    await outside.delivers()
    assert [row["trouble"] for row in await listed(outside)] == ["connecterror"]
    assert await outside.told(person) == []

    with hearing(Hl7Ear()) as ear:
        await outside.pool.execute("update subscribers set url = $1", ear.url)
        await outside.passes(48)
        await outside.delivers()
        assert [ear.value(number, "MSH", 12) for number in range(5)] == list("12345")


async def test_nothing_is_sent_for_a_heartbeat(outside: Outside, ear: Hl7Ear) -> None:
    await outside.subscribes(ear.url)
    await outside.passes(2)
    await outside.delivers()

    assert ear.heard == []
    assert await outside.pool.fetchval(
        "select last_sent_at > now() - interval '1 minute' from subscribers"
    )


@pytest.mark.parametrize("kind", sorted(SEATS | STAYS))
async def test_each_message_is_valid_to_another_library(
    outside: Outside, ear: Hl7Ear, kind: str
) -> None:
    await outside.subscribes(ear.url, *ALL)
    person = await outside.admitted()
    await outside.grants(person, *ALL)
    await outside.hears(example(kind, person))
    await outside.delivers()

    assert ear.events() == [(SEATS | STAYS)[kind][0]]
    assert await outside.states() == ["sent"]


@pytest.mark.parametrize(
    "url",
    ["mllp://hospital.example:2575", "mllps://hospital.example", "mllps://u:p@h.example:2575"],
)
async def test_an_address_without_tls_or_port_is_not_entered(outside: Outside, url: str) -> None:
    with pytest.raises(Rejected) as told:
        await outside.subscribes(url)
    assert (told.value.code, told.value.field) == ("address_not_allowed", "url")


async def listed(outside: Outside) -> list[dict[str, Any]]:
    return await subscribers.listed(outside.pool, None)


def example(kind: str, person: UUID) -> AdmissionEvent:
    """The event's own example, of this person."""
    now = datetime.now(UTC)
    made = REGISTER[kind].model_validate_json((FOLDER / kind / "example.json").read_text())
    about = {"site_id": SITE, "admission_id": person, "occurred_at": now, "recorded_at": now}
    found = made.model_copy(update=about)
    assert isinstance(found, AdmissionEvent)
    return found
