"""A person recorded twice, driven from outside."""

from uuid import UUID, uuid4

from tests.journeys.clinic import Clinic, days_ago
from tests.journeys.intake_desk import refused, told
from tests.parts import until


async def test_two_records_of_one_person_become_one_and_two_again(clinic: Clinic) -> None:
    kept, twice = await clinic.admitted(), await clinic.admitted()
    await clinic.attended(twice, 0)
    pair: dict[str, object] = {"admission_id": str(kept), "duplicate_id": str(twice)}
    cold = f"/v1/sites/{clinic.site_id}/referrals-going-cold"
    later = {"at": f"{days_ago(-4)}T00:00:00Z"}

    async def is_seen() -> bool:
        clock = await clinic.get("intake", f"/v1/admissions/{twice}/clock")
        return clock["first_session_on"] is not None

    await until(is_seen, "intake has heard of the session")
    assert [row["admission_id"] for row in await clinic.get("intake", cold, **later)] == [str(kept)]
    assert await refused(clinic, "merge_admissions", **pair | {"duplicate_id": str(uuid4())}) == (
        404,
        "duplicate_id",
    )
    await clinic.say("intake", "merge_admissions", **pair)

    one = await clinic.get("intake", f"/v1/admissions/{kept}")
    both = await clinic.get("intake", f"/v1/patients/{one['patient_id']}/admissions")
    assert [(row["admission_id"], row["status"]) for row in both] == [
        (str(kept), "admitted"),
        (str(twice), "merged"),
    ]
    assert await clinic.get("intake", cold, **later) == []
    assert await refused(clinic, "put_on_hold", admission_id=str(twice), reason="leave") == (
        409,
        "admission_id",
    )
    await takes_nothing(clinic, twice)

    await clinic.say("intake", "unmerge_admissions", **pair)
    assert (await clinic.get("intake", f"/v1/admissions/{twice}"))["status"] == "admitted"
    alone = await clinic.get("intake", f"/v1/patients/{one['patient_id']}/admissions")
    assert [row["admission_id"] for row in alone] == [str(kept)]
    assert len(await clinic.get("intake", cold, **later)) == 1
    for person in (kept, twice):
        merged, unmerged = await told(
            clinic, str(person), "admissions_merged", "admissions_unmerged"
        )
        assert merged["last_seen_on"] == days_ago(0)
        assert unmerged["status"] == "admitted"


async def test_an_open_safety_concern_goes_with_the_person_and_back(clinic: Clinic) -> None:
    kept, twice = await clinic.admitted(), await clinic.admitted()
    about = {"admission_id": str(twice), "instrument": "c_ssrs", "score": 4, "safety": True}
    await clinic.say("attendance", "record_measure", **about)
    await clinic.concern(twice, level=0, state="open")
    pair: dict[str, object] = {"admission_id": str(kept), "duplicate_id": str(twice)}

    await clinic.say("intake", "merge_admissions", **pair)
    one = await clinic.concern(kept, level=0, state="open")
    assert [c["ending"] for c in await clinic.concerns(twice)] == ["moved_over"]
    assert [alert["level"] for alert in one["alerts"]] == [0]
    assert one["escalate_at"]

    await clinic.say("intake", "unmerge_admissions", **pair)
    await clinic.concern(kept, ending="withdrawn")
    assert (await clinic.concern(twice, level=0, state="open"))["spell"] == 2
    [moved] = [said for name, said in await clinic.told("alerts", twice) if "concern_moved" in name]
    assert moved["to_admission_id"] == str(kept)


async def takes_nothing(clinic: Clinic, person: UUID) -> None:
    """Wait until attendance refuses a session of tomorrow for this admission."""

    async def is_refused() -> bool:
        answer = await clinic.post(
            "attendance",
            {
                "do": "record_missed",
                "key": uuid4().hex,
                "occurred_at": f"{days_ago(0)}T00:00:00Z",
                "admission_id": str(person),
                "session_key": uuid4().hex,
                "session": {
                    "session_type": "group",
                    "planned_on": days_ago(-1),
                    "planned_minutes": 180,
                },
                "kind": "late_cancellation",
            },
        )
        return answer.status_code == 409 and "after_discharge" in answer.text

    await until(is_refused, "attendance takes nothing more for the duplicate")
