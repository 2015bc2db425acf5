"""A person recorded twice, as tables staff can read, here and where it is followed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alerts.facts import Fact, fact_of
from alerts.story import Story, learn
from attendance import facts as attendance_facts
from attendance import rules as attendance_rules
from handrail.envelope import Received
from handrail.events import AdmissionEvent
from handrail.events.intake import AdmissionsMerged, AdmissionsUnmerged
from handrail.receipts import Rejected
from intake.facts import Admission, Matter
from intake.rules import merge

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
TODAY = date(2026, 3, 5)
SEEN = TODAY - timedelta(days=2)
KEPT, TWICE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def admission(admission_id: UUID, status: str = "admitted", **facts: Any) -> Admission:
    made = Admission(admission_id, admission_id, "north", status, "self", NOON)
    return replace(made, **facts)


def matter(about: Admission) -> Matter:
    return Matter(about, NOON, NOON, TODAY)


def merged(twice: Admission) -> tuple[Admission, tuple[AdmissionEvent, ...]]:
    """The duplicate after the merge, and what both streams were told."""
    (after, told), (kept, also_told) = merge.merge(
        matter(admission(KEPT)), matter(twice), last_seen_on=SEEN
    )
    assert kept == admission(KEPT)
    return after, (*told, *also_told)


@pytest.mark.parametrize(
    "twice",
    [
        admission(TWICE, "referred"),
        admission(TWICE, "waitlisted", waitlisted_at=NOON),
        admission(TWICE, "admitted", admitted_on=TODAY),
        admission(TWICE, "on_hold", hold_reason="leave"),
        admission(TWICE, "discharged", ended_on=TODAY, ended_for="completed"),
        admission(TWICE, "lost", ended_on=TODAY, ended_for="not_reached"),
        admission(TWICE, "declined", ended_on=TODAY, ended_for="cost"),
    ],
)
def test_what_is_taken_apart_again_is_what_it_was(twice: Admission) -> None:
    after, told = merged(twice)
    assert (after.status, after.merged_into) == ("merged", KEPT)
    assert [event.admission_id for event in told] == [TWICE, KEPT]

    (again, said), (kept, _) = merge.unmerge(matter(admission(KEPT)), matter(after))
    assert again == twice
    assert kept == admission(KEPT)
    assert said[0].model_dump()["reason"] == (twice.hold_reason or twice.ended_for)


INTO_KEPT = admission(TWICE, "merged", status_before="admitted", merged_into=KEPT)


@pytest.mark.parametrize(
    ("kept", "twice", "refusal"),
    [
        (admission(KEPT), admission(KEPT), ("same_admission", "duplicate_id")),
        (INTO_KEPT, admission(OTHER), ("merged_already", "admission_id")),
        (admission(OTHER), INTO_KEPT, ("merged_already", "duplicate_id")),
    ],
)
def test_a_merge_that_cannot_be_is_refused_by_field(
    kept: Admission, twice: Admission, refusal: tuple[str, str]
) -> None:
    with pytest.raises(Rejected) as told:
        merge.merge(matter(kept), matter(twice), None)
    assert (told.value.code, told.value.field) == refusal


@pytest.mark.parametrize(
    ("kept", "twice"),
    [(admission(KEPT), admission(TWICE)), (admission(OTHER), INTO_KEPT)],
)
def test_only_what_is_merged_is_taken_apart(kept: Admission, twice: Admission) -> None:
    with pytest.raises(Rejected) as told:
        merge.unmerge(matter(kept), matter(twice))
    assert (told.value.code, told.value.field) == ("not_merged", "duplicate_id")


ABOUT = {
    "site_id": "north",
    "occurred_at": NOON,
    "recorded_at": NOON,
    "recorded_day": TODAY,
    "survivor_id": KEPT,
    "duplicate_id": TWICE,
}


def test_attendance_closes_the_duplicate_alone_and_opens_it_again() -> None:
    for admission_id, ended_on in ((TWICE, TODAY), (KEPT, None)):
        before = attendance_facts.Admission(admission_id, "north", "admitted", TODAY)
        ended = AdmissionsMerged(**ABOUT, admission_id=admission_id)
        after = attendance_rules.follow(before, ended, TODAY)
        assert after.ended_on == ended_on

        opened = AdmissionsUnmerged(**ABOUT, admission_id=admission_id, status="admitted")
        assert attendance_rules.follow(after, opened, TODAY) == before


def fact(event: AdmissionEvent) -> Fact | None:
    return fact_of(Received(event, "e", "intake", event.admission_id, 1, 1, None, 0, 0))


def test_the_story_of_the_survivor_knows_when_the_person_was_seen() -> None:
    heard = fact(AdmissionsMerged(**ABOUT, admission_id=KEPT, last_seen_on=SEEN))
    story = Story(phase="admitted")
    assert heard
    learn(story, heard)

    assert story.last_contact == SEEN.toordinal()
    assert fact(AdmissionsMerged(**ABOUT, admission_id=KEPT)) is None
    assert fact(AdmissionsUnmerged(**ABOUT, admission_id=KEPT, status="admitted")) is None


@pytest.mark.parametrize(
    ("status", "reason", "phase", "is_suppressed"),
    [
        ("referred", None, "referred", False),
        ("waitlisted", None, "referred", False),
        ("admitted", None, "admitted", False),
        ("on_hold", "jail", "admitted", True),
        ("discharged", "completed", "discharged", True),
        ("declined", "cost", "lost", True),
    ],
)
def test_the_story_of_the_duplicate_rests_and_goes_on(
    status: str,
    reason: str | None,
    phase: str,
    is_suppressed: bool,  # noqa: FBT001
) -> None:
    story = Story(phase="admitted")
    rests = fact(AdmissionsMerged(**ABOUT, admission_id=TWICE, last_seen_on=SEEN))
    goes_on = fact(AdmissionsUnmerged(**ABOUT, admission_id=TWICE, status=status, reason=reason))
    assert rests
    assert goes_on

    learn(story, rests)
    assert story.is_suppressed()
    learn(story, goes_on)
    assert (story.phase, story.is_suppressed()) == (phase, is_suppressed)
