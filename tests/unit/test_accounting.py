"""An accounting of disclosures: each row of the ledger in words, and the page to hand over."""

import io
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader

from alerts.page.accounting import Told, as_pdf, told
from alerts.page.texts import speaker
from intake.disclosures.emergencies import Emergency, told_of
from intake.facts import Admission

ONE = UUID(int=1)
ROW = {
    "what": "delivered",
    "at": "2026-11-02T09:00:01+00:00",
    "recipient": "general",
    "recipient_class": "hospital",
    "purpose": "treatment",
    "type": "attendance.session_missed.v1",
    "classes": ["attendance", "miss_reasons"],
    "consents": [{"consent_id": "12345678-0000-0000-0000-000000000000"}],
}
EMERGENCY = {
    "what": "told_in_emergency",
    "at": "2026-11-02T09:00:01+00:00",
    "recipient": "night-doctor",
    "affiliation": "general",
    "nature": "suicide_risk",
    "purpose": "emergency",
    "classes": ["status"],
}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            ROW,
            Told(
                "2026-11-02 09:00",
                "general · hospital",
                "session missed (attendance, miss reasons)",
                "treatment",
                "12345678",
                is_unconfirmed=False,
            ),
        ),
        (
            ROW | {"what": "unconfirmed", "consents": []},
            Told(
                "2026-11-02 09:00",
                "general · hospital",
                "session missed (attendance, miss reasons)",
                "treatment",
                "",
                is_unconfirmed=True,
            ),
        ),
        (
            EMERGENCY,
            Told(
                "2026-11-02 09:00",
                "night-doctor · general",
                "status",
                "emergency",
                "suicide risk",
                is_unconfirmed=False,
            ),
        ),
    ],
)
def test_a_row_of_the_ledger_in_words(row: dict[str, Any], words: Told) -> None:
    assert told(row) == words


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pdf_says_the_same_in_both_languages(language: str) -> None:
    say = speaker(language)
    rows = [told(ROW), told(EMERGENCY)] * 40

    read = PdfReader(io.BytesIO(as_pdf(rows, str(ONE), say)))
    words = " ".join(" ".join(page.extract_text() for page in read.pages).split())

    assert len(read.pages) > 1
    assert words.count("night-doctor") == 40
    assert words.count("12345678") == 40
    assert say("accounting") in words
    assert str(ONE) in words
    empty = PdfReader(io.BytesIO(as_pdf([], str(ONE), say)))
    assert say("nothing_told") in " ".join(empty.pages[0].extract_text().split())


ADMISSION = Admission(
    ONE,
    ONE,
    "north",
    "admitted",
    "self",
    referred_at=None,  # type: ignore[arg-type]  # not asked for here
    admitted_on=date(2026, 11, 2),
    program_id="iop",
    level_of_care="2.1",
)


@pytest.mark.parametrize(
    ("classes", "opened"),
    [
        (("status",), {"status": {"status", "program_id", "admitted_on", "ended_on"}}),
        (("level_of_care",), {"level_of_care": {"level_of_care"}}),
        (("attendance",), {"attendance": {"last_seen_on", "sessions"}}),
        ((), {}),
    ],
)
def test_an_emergency_opens_what_was_declared_and_no_more(
    classes: tuple[str, ...], opened: dict[str, set[str]]
) -> None:
    found = told_of(ADMISSION, classes, {"last_seen_on": None, "sessions": 0})

    assert {name: set(facts) for name, facts in found.items()} == opened


GOOD = {
    "admission_id": str(ONE),
    "recipient": "night-doctor",
    "affiliation": "general",
    "discloser_id": str(ONE),
    "nature": "overdose",
    "data_classes": ["status"],
}


@pytest.mark.parametrize("left_out", list(GOOD))
def test_the_glass_is_not_broken_without_each_of_its_fields(left_out: str) -> None:
    Emergency.model_validate(GOOD)

    with pytest.raises(ValueError, match=left_out):
        Emergency.model_validate({n: v for n, v in GOOD.items() if n != left_out})


@pytest.mark.parametrize(
    "wrong",
    [
        {"data_classes": ["risk"]},
        {"data_classes": []},
        {"nature": "curious"},
        {"recipient": "Jane Doe, who said so"},
        {"minutes": 1441},
        {"minutes": 0},
        {"note": "text"},
    ],
)
def test_nothing_else_is_taken(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Emergency.model_validate(GOOD | wrong)
