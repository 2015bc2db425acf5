"""Who may be told what: cases that staff can read, the page, and random histories.

`HANDRAIL_HISTORIES=0+100000 ./handrail test unit -k disclosure` judges as many as you like.
"""

import os
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from intake.facts import Consent
from intake.rules import disclosure
from intake.rules.disclosure import TABLE, Recipient, Subject
from tests.unit.consents import is_permitted, play

FIRST, COUNT = (int(n) for n in os.environ.get("HANDRAIL_HISTORIES", "0+1500").split("+"))
NOON, TODAY = datetime(2026, 3, 5, 12, tzinfo=UTC), date(2026, 3, 5)
HOSPITAL = Recipient("hospital", "general", "treatment")
PAYER = Recipient("payer", "county-plan", "payment")
COURT = Recipient("court", "drug-court", "legal")
AUNT = Recipient("support", "aunt", "support")
EVERYTHING = ("status", "level_of_care", "attendance", "dose", "miss_reasons", "measures", "screens", "risk")  # fmt: skip


def signed(to: Recipient, *classes: str, **more: Any) -> Consent:
    facts = {
        "consent_id": UUID(int=1),
        "recipient_class": to.recipient_class,
        "recipient": to.recipient,
        "purpose": to.purpose,
        "data_classes": classes or EVERYTHING,
        "from_on": TODAY,
    }
    return Consent.model_validate(facts | more)


def general(*classes: str, **more: Any) -> Consent:
    return signed(HOSPITAL, *classes, purpose="tpo", recipient="hospital", **more)


PART_2 = {"law": "part2", "is_minor": False, "is_merged": False, "state": None}
CHILD = PART_2 | {"is_minor": True}
OUTSIDE = PART_2 | {"law": "hipaa", "state": "federal"}


@pytest.mark.parametrize(
    ("person", "consents", "to", "told"),
    [
        # A programme under Part 2 tells nobody that there is anything to tell.
        (PART_2, (), HOSPITAL, ""),
        (PART_2 | {"state": "federal"}, (), HOSPITAL, ""),
        (PART_2, (), PAYER, ""),
        (PART_2, (signed(HOSPITAL, "status"),), HOSPITAL, "status"),
        (PART_2, (signed(HOSPITAL),), HOSPITAL, " ".join(EVERYTHING)),
        (PART_2, (general(),), HOSPITAL, "status level_of_care attendance"),
        # Another recipient, class or purpose than the one named is not told.
        (PART_2, (signed(HOSPITAL),), Recipient("hospital", "other", "treatment"), ""),
        (PART_2, (signed(HOSPITAL),), Recipient("primary_care", "general", "treatment"), ""),
        (PART_2, (signed(HOSPITAL),), Recipient("hospital", "general", "operations"), ""),
        (PART_2, (signed(HOSPITAL),), Recipient("hospital", "general", "legal"), ""),
        # A class of recipients can only be named in a general consent.
        (PART_2, (signed(HOSPITAL, recipient="hospital"),), HOSPITAL, ""),
        # What never leaves, whatever was signed.
        (PART_2, (signed(PAYER),), PAYER, "status level_of_care attendance dose measures screens"),
        (PART_2, (signed(COURT),), COURT, "status level_of_care attendance dose miss_reasons measures screens"),
        (PART_2, (signed(AUNT),), AUNT, "status level_of_care attendance dose miss_reasons measures"),
        (PART_2, (general(),), COURT, ""),
        # A minor.
        (CHILD, (signed(HOSPITAL, "status"),), HOSPITAL, ""),
        (CHILD, (signed(HOSPITAL, "status", given_by=["guardian"]),), HOSPITAL, ""),
        (CHILD, (signed(HOSPITAL, "status", given_by=["person", "guardian"]),), HOSPITAL, "status"),
        (CHILD | {"state": "nj"}, (signed(HOSPITAL, "status"),), HOSPITAL, "status"),
        # Outside Part 2, by what the state lets; a state nobody knows lets nothing.
        (OUTSIDE, (), HOSPITAL, "status level_of_care"),
        (OUTSIDE | {"state": None}, (), HOSPITAL, ""),
        (OUTSIDE | {"state": "nowhere"}, (), HOSPITAL, ""),
        (OUTSIDE | {"state": "nj"}, (), HOSPITAL, ""),
        (OUTSIDE, (), PAYER, ""),
        (OUTSIDE | {"is_minor": True}, (), HOSPITAL, ""),
        (OUTSIDE, (signed(HOSPITAL, "dose"),), HOSPITAL, "status level_of_care dose"),
        # A person recorded twice: nothing leaves about the duplicate.
        (PART_2 | {"is_merged": True}, (signed(HOSPITAL),), HOSPITAL, ""),
        (OUTSIDE | {"is_merged": True}, (), HOSPITAL, ""),
        # Not yet, no longer, revoked.
        (PART_2, (signed(HOSPITAL, from_on=date(2026, 3, 6)),), HOSPITAL, ""),
        (PART_2, (signed(HOSPITAL, from_on=date(2026, 3, 1), until_on=date(2026, 3, 4)),), HOSPITAL, ""),
        (PART_2, (signed(HOSPITAL, revoked_at=NOON),), HOSPITAL, ""),
        (PART_2, (signed(HOSPITAL, revoked_at=NOON), signed(HOSPITAL, "dose")), HOSPITAL, "dose"),
    ],
)  # fmt: skip
def test_who_is_told_what(
    person: dict[str, Any], consents: tuple[Consent, ...], to: Recipient, told: str
) -> None:
    subject = Subject(**person, consents=consents)

    found = [
        name for name in EVERYTHING if disclosure.decide(subject, to, name, day=TODAY, at=NOON).may
    ]
    assert found == told.split()


def test_the_risk_is_never_told_to_a_payer_a_court_or_a_support() -> None:
    for name in ("payer", "court", "support"):
        assert "risk" in TABLE.never(name)
    assert TABLE.never("somebody") == set(EVERYTHING)


def test_the_page_shows_the_table_in_force() -> None:
    page = Path("docs/consent.md").read_text()

    for row in TABLE.rows:
        for name in EVERYTHING:
            cells = [
                "yes" if name in classes else "-"
                for classes in (row.with_consent, row.by_tpo, row.without_consent)
            ]
            who = "clinical" if "hospital" in row.recipients else "".join(row.recipients)
            assert f"| {who} | {name} | {' | '.join(cells)} |" in page
    for name, state in TABLE.states.items():
        alone = "yes" if state.minors_alone else "-"
        without = ", ".join(sorted(state.without_consent)) or "-"
        assert f"| {name} | {alone} | {without} |" in page
    assert f"Version {TABLE.version}." in page


def test_in_random_histories_nothing_is_told_that_an_independent_checker_forbids() -> None:
    seen: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + COUNT):
        diary = play(seed)
        for told in diary.told:
            assert told.may == is_permitted(diary, told), (seed, told)
            seen["told" if told.may else "kept back"] += 1
            seen["by consent"] += told.consent is not None
        seen.update(row["what"] for row in diary.rows)
    things = ("told", "kept back", "by consent", "grant", "narrow", "revoke", "merge", "unmerge")
    assert all(seen[thing] > COUNT // 100 for thing in things), seen
