"""Eligibility, the person's week, supports and consents, as tables staff can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from handrail.events.care import Constraint, Window
from handrail.receipts import Rejected
from intake import commands, rules
from intake.facts import Access, Admission, Chart, Consent, Matter, Program, Support
from intake.rules import disclosure, needs

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
TODAY = date(2026, 3, 5)
FIRST, SECOND = UUID(int=1), UUID(int=2)
REFERRED = Admission(UUID(int=9), UUID(int=8), "north", "referred", "self", NOON)
ADMIT = {
    "admitted_on": TODAY,
    "program_id": "iop",
    "weekly_minutes": 540,
    "sessions_per_week": 3,
}


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


def decide(about: Admission, do: str, *, is_played: bool = False, **facts: Any) -> Any:
    (said,) = commands.COMMANDS.validate_python(
        [{"do": do, "key": "k", "occurred_at": NOON, "admission_id": UUID(int=9), **facts}]
    )
    assert isinstance(said, commands.AdmissionCommand)
    return rules.decide(Matter(about, NOON, NOON, TODAY, is_played), said)


def refused(about: Admission, do: str, **facts: Any) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as told:
        decide(about, do, **facts)
    return told.value.code, told.value.field


@pytest.mark.parametrize(
    ("round_the_clock", "stable", "safe", "supportive", "refer_to"),
    [
        (False, True, True, True, None),
        (False, True, False, True, "recovery_residence"),
        (False, True, True, False, "recovery_residence"),
        (False, True, False, False, "recovery_residence"),
        (False, False, True, True, "partial_hospital"),
        (False, False, False, True, "residential"),
        (False, False, True, False, "residential"),
        (True, True, True, True, "residential"),
        (True, True, False, False, "residential"),
        (True, False, True, True, "inpatient"),
        (True, False, False, False, "inpatient"),
    ],
)
def test_who_is_not_eligible_is_referred_up(
    round_the_clock: bool,  # noqa: FBT001
    stable: bool,  # noqa: FBT001
    safe: bool,  # noqa: FBT001
    supportive: bool,  # noqa: FBT001
    refer_to: str | None,
) -> None:
    found = needs.eligibility(
        needs_24h_supervision=round_the_clock,
        symptoms_stable=stable,
        home_safe=safe,
        home_supportive=supportive,
    )

    assert (found.eligible, found.refer_to) == (refer_to is None, refer_to)
    assert len(found.reasons) == [round_the_clock, not stable, not safe, not supportive].count(True)


YES = {
    "needs_24h_supervision": False,
    "symptoms_stable": True,
    "home_safe": True,
    "home_supportive": True,
}


def test_an_admission_waits_until_the_answer_is_yes() -> None:
    no, _ = decide(REFERRED, "assess_eligibility", **YES | {"home_safe": False})
    assert refused(no, "complete_intake", **ADMIT) == ("not_eligible", "admission_id")

    waived = ADMIT | {"eligibility_waived_for": "urgent"}
    assert refused(no, "complete_intake", **waived) == ("not_eligible", "admission_id")

    yes, (event,) = decide(no, "assess_eligibility", **YES)
    assert event.eligible
    assert decide(yes, "complete_intake", **ADMIT)[0].status == "admitted"
    assert decide(no, "complete_intake", **ADMIT, is_played=True)[0].status == "admitted"


def test_an_admission_without_an_answer_needs_a_stated_reason() -> None:
    missing = ("eligibility_missing", "eligibility_waived_for")
    assert refused(REFERRED, "complete_intake", **ADMIT) == missing

    waived = ADMIT | {"eligibility_waived_for": "assessed_elsewhere"}
    after, (event,) = decide(REFERRED, "complete_intake", **waived)
    assert (after.status, event.eligibility_waived_for) == ("admitted", "assessed_elsewhere")
    assert "eligibility" in needs.missing(after)
    assert decide(REFERRED, "complete_intake", **ADMIT, is_played=True)[0].status == "admitted"


@pytest.mark.parametrize(
    ("status", "is_eligible", "policy_on", "steps"),
    [
        ("referred", None, None, ["eligibility", "attendance_policy"]),
        ("waitlisted", True, None, ["attendance_policy"]),
        ("admitted", None, TODAY, ["eligibility"]),
        ("referred", False, TODAY, []),
        ("lost", None, None, []),
    ],
)
def test_steps_of_intake_that_were_not_taken(
    status: str,
    is_eligible: bool | None,  # noqa: FBT001
    policy_on: date | None,
    steps: list[str],
) -> None:
    person = replace(REFERRED, status=status, is_eligible=is_eligible, policy_on=policy_on)

    assert needs.missing(person) == steps


PROGRAM = Program(
    "north", "iop", "substance_use", "adult", "asam", "4", "2.1", "evening", 540,
    ("group",), ("in_person",), 12, (Window(weekday=1, starts="18:00", ends="21:00"),),
)  # fmt: skip


def busy(weekday: int, starts: str, ends: str, kind: str = "work") -> Constraint:
    return Constraint(weekday=weekday, starts=starts, ends=ends, kind=kind)


def access(**facts: Any) -> Access:
    usual = {"transport": "own", "online": "not_needed", "has_device": True, "has_internet": True}
    return Access.model_validate(usual | facts)


@pytest.mark.parametrize(
    ("chart", "misfits"),
    [
        (Chart(), []),
        (Chart(constraints=(busy(1, "09:00", "18:00"),)), []),
        (Chart(constraints=(busy(1, "09:00", "18:01"),)), ["work"]),
        (Chart(constraints=(busy(1, "20:59", "23:00", "childcare"),)), ["childcare"]),
        (Chart(constraints=(busy(1, "21:00", "23:00"),)), []),
        (Chart(constraints=(busy(2, "18:00", "21:00"),)), []),
        (Chart(constraints=(busy(1, "17:00", "19:00"), busy(1, "18:00", "20:00", "school"))), ["school", "work"]),
        (Chart(access=access(online="required")), ["not_online"]),
        (Chart(access=access(online="required", has_device=False)), ["not_online", "no_device"]),
        (Chart(access=access(online="preferred")), []),
        (Chart(access=access(transport="needs_ride")), ["transport_to_arrange"]),
        (Chart(access=access(transport="public")), []),
    ],
)  # fmt: skip
def test_a_programme_fits_the_week_or_says_why_not(chart: Chart, misfits: list[str]) -> None:
    found = needs.misfits(replace(REFERRED, chart=chart), PROGRAM)

    assert [misfit.code for misfit in found] == misfits


def test_online_sessions_need_a_device_and_a_line() -> None:
    at_home = access(online="required", transport="none", has_internet=False)
    person = replace(REFERRED, age_group="adolescent", chart=Chart(access=at_home))

    found = needs.misfits(person, replace(PROGRAM, modes=("online",)))
    assert [misfit.code for misfit in found] == ["other_age_group", "no_internet"]


SUPPORT = Support(support_id=FIRST, relation="parent", may_contact=True)
GRANT = {
    "recipient_class": "hospital",
    "recipient": "general",
    "purpose": "tpo",
    "data_classes": ["status", "attendance"],
    "from_on": TODAY,
}
GRANTED = Consent.model_validate(GRANT | {"consent_id": FIRST})
KNOWN = replace(REFERRED, chart=Chart(supports=(SUPPORT,), consents=(GRANTED,)))


@pytest.mark.parametrize(
    ("do", "facts", "refusal"),
    [
        ("set_constraints", {"constraints": [{"kind": "work", "weekday": 1, "starts": "18:00", "ends": "09:00"}]}, ("ends_before_it_begins", "constraints")),
        ("acknowledge_policy", {"policy": "p1", "acknowledged_on": day(1)}, ("in_the_future", "acknowledged_on")),
        ("name_support", {"support_id": FIRST, "relation": "friend", "may_contact": False}, ("support_named", "support_id")),
        ("change_support_consent", {"support_id": SECOND, "may_contact": True}, ("support_unknown", "support_id")),
        ("remove_support", {"support_id": SECOND}, ("support_unknown", "support_id")),
        ("grant_consent", GRANT | {"consent_id": FIRST}, ("consent_granted", "consent_id")),
        ("grant_consent", GRANT | {"consent_id": SECOND, "until_on": day(-1)}, ("ends_before_it_begins", "until_on")),
        ("grant_consent", GRANT | {"consent_id": SECOND, "recipient_class": "court"}, ("purpose_not_for_recipient", "purpose")),
        ("grant_consent", GRANT | {"consent_id": SECOND, "purpose": "legal"}, ("purpose_not_for_recipient", "purpose")),
        ("grant_consent", GRANT | {"consent_id": SECOND, "recipient_class": "payer", "data_classes": ["risk"]}, ("never_told", "data_classes")),
        ("revoke_consent", {"consent_id": SECOND}, ("consent_unknown", "consent_id")),
        ("narrow_consent", {"consent_id": SECOND}, ("consent_unknown", "consent_id")),
        ("narrow_consent", {"consent_id": FIRST, "data_classes": ["dose"]}, ("wider_than_before", "data_classes")),
        ("narrow_consent", {"consent_id": FIRST, "until_on": day(-1)}, ("ends_before_it_begins", "until_on")),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_field(
    do: str, facts: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert refused(KNOWN, do, **facts) == refusal


def test_a_support_says_yes_or_no_for_themselves() -> None:
    no, (event,) = decide(KNOWN, "change_support_consent", support_id=FIRST, may_contact=False)
    assert not no.chart.supports[0].may_contact
    assert not event.may_contact

    gone, _ = decide(no, "remove_support", support_id=FIRST)
    assert gone.chart.supports == ()


def test_a_consent_can_only_become_narrower() -> None:
    less, (event,) = decide(
        KNOWN, "narrow_consent", consent_id=FIRST, data_classes=["status"], until_on=day(9)
    )
    (left,) = less.chart.consents
    assert (left.data_classes, left.until_on) == (("status",), day(9))
    assert event.data_classes == ("status",)

    wider = {"consent_id": FIRST, "until_on": day(10)}
    assert refused(less, "narrow_consent", **wider) == ("wider_than_before", "until_on")


@pytest.mark.parametrize("status", ["referred", "discharged", "lost", "declined"])
def test_a_consent_can_be_revoked_whatever_became_of_the_stay(status: str) -> None:
    now, _ = decide(replace(KNOWN, status=status), "revoke_consent", consent_id=FIRST)

    assert disclosure.in_force(now.chart.consents, TODAY, NOON) == []
    assert refused(now, "revoke_consent", consent_id=FIRST) == ("consent_revoked", "consent_id")


@pytest.mark.parametrize(
    ("from_on", "until_on", "revoked_at", "holds"),
    [
        (day(0), None, None, True),
        (day(1), None, None, False),
        (day(-9), day(0), None, True),
        (day(-9), day(-1), None, False),
        (day(-9), None, NOON, False),
        (day(-9), None, NOON + timedelta(microseconds=1), True),
    ],
)
def test_a_consent_holds_from_its_first_day_until_it_ends(
    from_on: date,
    until_on: date | None,
    revoked_at: datetime | None,
    holds: bool,  # noqa: FBT001
) -> None:
    one = GRANTED.model_copy(
        update={"from_on": from_on, "until_on": until_on, "revoked_at": revoked_at}
    )

    assert bool(disclosure.in_force([one], TODAY, NOON)) is holds


@pytest.mark.parametrize(
    ("known", "ahead", "expected"),
    [
        # The first sessions go on without them; after a week they are overdue.
        ({}, 7, []),
        ({}, 8, ["eligibility", "attendance_policy"]),
        ({"policy_on": TODAY}, 8, ["eligibility"]),
        ({"is_eligible": True}, 8, ["attendance_policy"]),
        # An answer that says no is an answer.
        ({"is_eligible": False, "policy_on": TODAY}, 8, []),
        # Nobody asks who is on leave, has gone, or has not come yet.
        ({"status": "on_hold"}, 30, []),
        ({"status": "discharged"}, 30, []),
        ({"status": "referred", "admitted_on": None}, 30, []),
    ],
)
def test_a_step_of_intake_is_overdue_a_week_after_the_admission(
    known: dict[str, Any], ahead: int, expected: list[str]
) -> None:
    person = replace(REFERRED, **{"status": "admitted", "admitted_on": TODAY} | known)

    assert needs.overdue(person, day(ahead)) == expected
