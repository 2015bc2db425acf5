"""What intake does from the referral to the end of a stay, as tables staff can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from handrail.receipts import Rejected
from intake import commands, rules
from intake.facts import Admission, Attempt, Chart, Matter, Member
from intake.rules import level, stay

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
TODAY = date(2026, 3, 5)
SUPERVISOR, OTHER = UUID(int=1), UUID(int=2)
ADMIT = {
    "admitted_on": TODAY,
    "program_id": "iop",
    "weekly_minutes": 540,
    "sessions_per_week": 3,
    "eligibility_waived_for": "urgent",
}


def admission(status: str = "referred", **facts: Any) -> Admission:
    in_care = (
        {"admitted_on": TODAY - timedelta(days=30)} if status in ("admitted", "on_hold") else {}
    )
    made = Admission(UUID(int=9), UUID(int=8), "north", status, "self", NOON)
    return replace(made, **(in_care | facts))


def matter(about: Admission, *, is_played: bool = False) -> Matter:
    return Matter(about, NOON, NOON, TODAY, is_played)


def command(do: str, **facts: Any) -> Any:
    said = {"do": do, "key": "k", "occurred_at": NOON, "admission_id": UUID(int=9), **facts}
    return commands.COMMANDS.validate_python([said])[0]


def refused(about: Admission, do: str, **facts: Any) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as told:
        rules.decide(matter(about), command(do, **facts))
    return told.value.code, told.value.field


@pytest.mark.parametrize(
    ("status", "do", "facts", "after", "told"),
    [
        ("referred", "waitlist", {"program_id": "iop"}, "waitlisted", "intake.waitlisted.v1"),
        ("waitlisted", "waitlist", {"program_id": "iop"}, "waitlisted", "intake.waitlisted.v1"),
        ("referred", "complete_intake", ADMIT, "admitted", "intake.intake_completed.v1"),
        ("waitlisted", "complete_intake", ADMIT, "admitted", "intake.intake_completed.v1"),
        ("waitlisted", "lose_referral", {"reason": "not_reached"}, "lost", "intake.intake_lost.v1"),
        ("referred", "decline_referral", {"by": "person", "reason": "cost"}, "declined", "intake.intake_declined.v1"),
        ("admitted", "put_on_hold", {"reason": "jail"}, "on_hold", "intake.put_on_hold.v1"),
        ("on_hold", "resume", {}, "admitted", "intake.resumed.v1"),
        ("admitted", "transfer", {"program_id": "iop-day"}, "admitted", "intake.transferred.v1"),
        ("on_hold", "discharge", {"reason": "incarcerated", "discharged_on": TODAY}, "discharged", "intake.discharged.v1"),
        ("discharged", "undo_discharge", {}, "admitted", "intake.discharge_undone.v1"),
        ("admitted", "undo_admission", {}, "referred", "intake.admission_undone.v1"),
        ("on_hold", "undo_admission", {}, "referred", "intake.admission_undone.v1"),
    ],
)  # fmt: skip
def test_a_step_of_the_stay_leads_on_and_is_told(
    status: str, do: str, facts: dict[str, Any], after: str, told: str
) -> None:
    now, events = rules.decide(matter(admission(status)), command(do, **facts))

    assert now.status == after
    assert [event.type for event in events] == [told]


@pytest.mark.parametrize(
    ("status", "do", "facts"),
    [
        ("admitted", "waitlist", {"program_id": "iop"}),
        ("lost", "waitlist", {"program_id": "iop"}),
        ("declined", "complete_intake", ADMIT),
        ("admitted", "decline_referral", {"by": "person", "reason": "cost"}),
        ("waitlisted", "put_on_hold", {"reason": "leave"}),
        ("discharged", "log_attempt", {"channel": "phone", "outcome": "reached", "attempted_on": TODAY}),
        ("referred", "transfer", {"program_id": "iop"}),
    ],
)  # fmt: skip
def test_a_step_out_of_place_is_refused(status: str, do: str, facts: dict[str, Any]) -> None:
    assert refused(admission(status), do, **facts) == ("wrong_status", "admission_id")


def test_a_place_in_the_queue_is_kept_when_it_is_said_again() -> None:
    first = NOON - timedelta(days=3)
    waits = admission("waitlisted", waitlisted_at=first)

    now, _ = rules.decide(matter(waits), command("waitlist", program_id="iop", urgent=True))

    assert (now.waitlisted_at, now.is_urgent) == (first, True)


def test_who_is_not_eligible_is_not_sent_away_to_nothing() -> None:
    said = {"by": "programme", "reason": "not_eligible"}

    assert refused(admission(), "decline_referral", **said) == (
        "referred_to_missing",
        "referred_to",
    )
    now, _ = rules.decide(
        matter(admission()), command("decline_referral", **said, referred_to="3.5")
    )
    assert now.ended_for == "not_eligible"


def attempts(*said: tuple[int, str]) -> tuple[Attempt, ...]:
    return tuple(
        Attempt.model_validate(
            {"channel": c, "outcome": "not_reached", "attempted_on": TODAY - timedelta(days=ago)}
        )
        for ago, c in said
    )


ENOUGH = attempts((5, "phone"), (3, "text"), (1, "phone"))
STANDS = Member(role="supervisor", staff_id=SUPERVISOR, from_on=TODAY - timedelta(days=9))


@pytest.mark.parametrize(
    ("made", "team", "supervisor", "fields"),
    [
        (ENOUGH, (STANDS,), SUPERVISOR, []),
        ((), (STANDS,), SUPERVISOR, ["reason"]),
        (ENOUGH[:2], (STANDS,), SUPERVISOR, ["reason"]),
        (attempts((5, "phone"), (3, "phone"), (1, "phone")), (STANDS,), SUPERVISOR, ["reason"]),
        (attempts((1, "phone"), (1, "text"), (1, "letter")), (STANDS,), SUPERVISOR, ["reason"]),
        (ENOUGH, (STANDS,), None, ["supervisor_id"]),
        (ENOUGH, (STANDS,), OTHER, ["supervisor_id"]),
        (ENOUGH, (), SUPERVISOR, ["supervisor_id"]),
        (ENOUGH, (STANDS.model_copy(update={"role": "peer"}),), SUPERVISOR, ["supervisor_id"]),
        (ENOUGH, (STANDS.model_copy(update={"until_on": TODAY - timedelta(days=1)}),), SUPERVISOR, ["supervisor_id"]),
        ((), (), None, ["reason", "supervisor_id"]),
    ],
)  # fmt: skip
def test_the_facility_ends_a_stay_only_as_a_last_resort(
    made: tuple[Attempt, ...], team: tuple[Member, ...], supervisor: UUID | None, fields: list[str]
) -> None:
    person = admission("admitted", chart=Chart(attempts=made, team=team))
    said: dict[str, Any] = {"reason": "terminated_by_facility", "discharged_on": TODAY, "supervisor_id": supervisor}  # fmt: skip

    assert [field for field, _ in stay.lacks(person.chart, supervisor, TODAY)] == fields
    if fields:
        assert refused(person, "discharge", **said) == ("facility_discharge_lacks", fields[0])
    else:
        now, (event,) = rules.decide(matter(person), command("discharge", **said))
        assert now.status == "discharged"
        assert event.model_dump()["attempts"] == 3


def test_recorded_history_is_told_as_it_was() -> None:
    said = command("discharge", reason="terminated_by_facility", discharged_on=TODAY)
    admit = command("complete_intake", **(ADMIT | {"weekly_minutes": 60}))

    assert rules.decide(matter(admission("admitted"), is_played=True), said)[0].ended_for
    assert rules.decide(matter(admission(), is_played=True), admit)[0].weekly_minutes == 60


HOURS = 60


@pytest.mark.parametrize(
    ("instrument", "edition", "name", "age", "fits", "does_not"),
    [
        ("asam", "4", "2.1", "adult", (540, 19 * HOURS, 1199), (539, 20 * HOURS)),
        ("asam", "3", "2.1", "adult", (540, 1199), (360, 1200)),
        ("asam", "4", "2.1", "adolescent", (360, 1199), (359, 1200)),
        ("asam", "4", "1.5", "adult", (0, 539), (540,)),
        ("asam", "4", "1.5", "adolescent", (359,), (360,)),
        ("asam", "4", "2.5", "adult", (1200,), (1199,)),
        ("asam", "4", "3.5", "adult", (0, 10_080), ()),
        ("locus", "20", "3", "adult", (540, 1199), (539, 1200)),
        ("locus", "20", "2", "adult", (120,), (540,)),
    ],
)
def test_a_level_of_care_has_its_hours(
    instrument: str, edition: str, name: str, age: str, fits: tuple[int, ...], does_not: tuple[int, ...]
) -> None:  # fmt: skip
    low, high = level.band(instrument, edition, name, age)

    assert all(low <= minutes < high for minutes in fits)
    assert not any(low <= minutes < high for minutes in does_not)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"weekly_minutes": 539}, ("hours_outside_level", "weekly_minutes")),
        ({"weekly_minutes": 1200}, ("hours_outside_level", "weekly_minutes")),
        ({"edition": "5"}, ("edition_not_known", "edition")),
        ({"level_of_care": "9"}, ("level_not_known", "level_of_care")),
        ({"level_of_care": "0.5"}, ("level_not_known", "level_of_care")),
        ({"instrument": "locus", "edition": "4", "level_of_care": "3"}, ("edition_not_known", "edition")),
        ({"instrument": "locus", "edition": "20", "level_of_care": "3"}, ("instrument_not_for_focus", "instrument")),
        ({"instrument": "locus", "edition": "20", "level_of_care": "3", "focus": "co_occurring"}, ("instrument_not_for_focus", "instrument")),
    ],
)  # fmt: skip
def test_an_admission_outside_its_level_is_refused_by_field(
    facts: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert refused(admission(), "complete_intake", **(ADMIT | facts)) == refusal


def test_adolescents_and_mental_health_have_their_own_rule() -> None:
    young = command(
        "complete_intake", **(ADMIT | {"weekly_minutes": 360, "age_group": "adolescent"})
    )
    mind = {"instrument": "locus", "edition": "20", "level_of_care": "3", "focus": "mental_health"}

    assert rules.decide(matter(admission()), young)[0].age_group == "adolescent"
    assert rules.decide(matter(admission()), command("complete_intake", **(ADMIT | mind)))


def test_another_level_may_bring_its_dose() -> None:
    rated = admission("admitted", instrument="asam", edition="4", level_of_care="2.1", weekly_minutes=540)  # fmt: skip

    assert refused(rated, "change_level_of_care", level_of_care="1.5") == ("hours_outside_level", "weekly_minutes")  # fmt: skip
    now, events = rules.decide(
        matter(rated),
        command("change_level_of_care", level_of_care="1.5", weekly_minutes=120, sessions_per_week=1),
    )  # fmt: skip
    assert (now.level_of_care, now.weekly_minutes) == ("1.5", 120)
    assert [event.type for event in events] == [
        "intake.level_of_care_changed.v1",
        "intake.plan_changed.v1",
    ]


def test_an_end_taken_back_leaves_the_hold_that_it_cut_short() -> None:
    held = admission("on_hold", hold_reason="hospital")
    over, _ = rules.decide(matter(held), command("discharge", reason="other", discharged_on=TODAY))

    again, [told] = rules.decide(matter(over), command("undo_discharge"))

    assert again == held
    assert (told.model_dump()["status"], told.model_dump()["reason"]) == ("on_hold", "hospital")


def test_only_what_happened_is_taken_back() -> None:
    assert refused(admission("admitted"), "undo_discharge") == ("wrong_status", "admission_id")
    for status in ("referred", "discharged", "merged"):
        assert refused(admission(status), "undo_admission") == ("wrong_status", "admission_id")
