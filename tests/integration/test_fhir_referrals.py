"""What other systems write of referrals and stays in FHIR, over a database of intake's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.integration.fhir_desk import FhirDesk, bundle, of_a_stay

WHY = {"url": "urn:handrail:discharge-reason", "valueCode": "completed"}


@pytest.fixture
def desk(stays: FhirDesk) -> FhirDesk:
    return stays


def said(kind: str, person: int, status: str, minute: int, **more: Any) -> dict[str, Any]:
    """Of the person's one referral or episode."""
    at = datetime.now(UTC) - timedelta(minutes=60 - minute)
    return of_a_stay(kind, person, status, at, **more)


# What is said in this order, R of a referral and E of an episode, and what is then of the stays.
MAP: dict[str, tuple[list[str], list[str]]] = {
    "referred": (["R active"], ["referred"]),
    "not yet": (["R draft", "R on-hold"], []),
    "referred, and taken back": (["R active", "R revoked"], ["declined"]),
    "expected": (["E planned"], ["referred"]),
    "one stay from its referral on": (["R active", "E planned", "E active"], ["admitted"]),
    "on the list": (["E waitlist"], ["waitlisted"]),
    "in care": (["E active"], ["admitted"]),
    "away and back": (["E active", "E onhold", "E active"], ["admitted"]),
    "away": (["E onhold"], ["on_hold"]),
    "over": (["E active", "E finished"], ["discharged"]),
    "over, and not after all": (["E active", "E finished", "E active"], ["admitted"]),
    "over before it began": (["E planned", "E finished"], ["declined"]),
    "over and never known": (["E finished"], []),
    "never was": (["E active", "E entered-in-error"], ["declined"]),
    "called off": (["R active", "E planned", "E cancelled"], ["declined"]),
    "a referral taken back too late": (["E active", "R revoked"], ["admitted"]),
}
KINDS = {"R": "ServiceRequest", "E": "EpisodeOfCare"}


async def stays(desk: FhirDesk) -> list[str]:
    rows = await desk.pool.fetch("select status from admissions order by referred_at")
    return [row["status"] for row in rows]


async def test_referrals_and_episodes_are_stays(desk: FhirDesk) -> None:
    for person, (case, (words, expected)) in enumerate(MAP.items()):
        before = len(await stays(desk))
        for minute, word in enumerate(words):
            kind, _, status = word.partition(" ")
            answer = await desk.send(said(KINDS[kind], person, status, minute))
            assert answer[0] in (200, 201), (case, answer)
        assert (await stays(desk))[before:] == expected, case


async def test_what_is_older_or_the_same_changes_nothing(desk: FhirDesk) -> None:
    begun = said("EpisodeOfCare", 1, "active", 5)
    over_ = said("EpisodeOfCare", 1, "finished", 9, extension=[WHY])
    answers = [await desk.send(one) for one in (begun, begun, over_, begun)]
    await desk.send(said("EpisodeOfCare", 1, "onhold", 7))

    assert [status for status, _ in answers] == [201, 200, 200, 200]
    assert answers[2][1]["status"] == answers[3][1]["status"] == "finished"
    types = [row["type"] for row in await desk.pool.fetch("select type from outbox order by id")]
    assert types == [
        f"intake.{name}.v1" for name in ("referral_received", "intake_completed", "discharged")
    ]
    ended = await desk.pool.fetchval("select data from outbox order by id desc limit 1")
    assert orjson.loads(ended)["reason"] == "completed"


async def test_a_referral_and_its_episode_come_together_or_not_at_all(desk: FhirDesk) -> None:
    referral = said("ServiceRequest", 1, "active", 1)
    episode = said("EpisodeOfCare", 2, "active", 2)
    episode["referralRequest"] = [{"identifier": referral["identifier"][0]}]
    wrong = said("EpisodeOfCare", 3, "gone", 3)

    status, why = await desk.send(bundle("transaction", episode, referral, wrong), "")
    assert (status, why["issue"][0]["expression"]) == (422, ["Bundle.entry[2].resource.status"])
    assert await stays(desk) == []
    status, done = await desk.send(bundle("transaction", episode, referral), "")
    assert [one["resource"]["status"] for one in done["entry"]] == ["active", "completed"]
    assert await stays(desk) == ["admitted"]


async def test_what_is_kept_is_known_as_the_persons(desk: FhirDesk) -> None:
    await desk.send(said("EpisodeOfCare", 1, "active", 1))
    for person, kind in ((1, "EpisodeOfCare"), (1, "ServiceRequest"), (2, "EpisodeOfCare")):
        status, _ = await desk.send(said(kind, person, "gone", 2))
        assert status == 422

    rows = await desk.pool.fetch(
        "select about from hl7_messages where state = 'kept' order by kind"
    )
    patient_id = await desk.pool.fetchval("select patient_id from admissions")
    assert patient_id
    assert sorted(str(row["about"]) for row in rows) == sorted([str(patient_id)] * 2 + ["None"])
