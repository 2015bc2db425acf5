"""The instruments agree with their published scoring on every boundary."""

from itertools import product

import pytest

from attendance.instruments import FORMS, Instrument, score
from handrail.receipts import Rejected


def answered(instrument: Instrument, total: int = 0, **changed: int) -> dict[str, int]:
    """Answers that add up to `total`, from the first item on; `changed` items are named `i9`."""
    form, left = FORMS[instrument], total
    answers = {}
    for item in form.items:
        answers[item] = min(left, form.highest)
        left -= answers[item]
    return answers | {item.removeprefix("i"): value for item, value in changed.items()}


@pytest.mark.parametrize(
    ("instrument", "total", "band"),
    [
        ("phq_9", 0, "minimal"),
        ("phq_9", 4, "minimal"),
        ("phq_9", 5, "mild"),
        ("phq_9", 9, "mild"),
        ("phq_9", 10, "moderate"),
        ("phq_9", 14, "moderate"),
        ("phq_9", 15, "moderately_severe"),
        ("phq_9", 19, "moderately_severe"),
        ("phq_9", 20, "severe"),
        ("phq_9", 27, "severe"),
        ("gad_7", 0, "minimal"),
        ("gad_7", 4, "minimal"),
        ("gad_7", 5, "mild"),
        ("gad_7", 9, "mild"),
        ("gad_7", 10, "moderate"),
        ("gad_7", 14, "moderate"),
        ("gad_7", 15, "severe"),
        ("gad_7", 21, "severe"),
    ],
)
def test_a_total_falls_into_its_published_band(
    instrument: Instrument, total: int, band: str
) -> None:
    [scale] = score(instrument, answered(instrument, total))

    assert (scale.score, scale.band) == (total, band)


@pytest.mark.parametrize(("ninth", "safety"), [(0, False), (1, True), (2, True), (3, True)])
def test_any_thought_of_death_in_item_9_is_a_safety_matter(ninth: int, *, safety: bool) -> None:
    [scale] = score("phq_9", answered("phq_9", 0, i9=ninth))

    assert scale.safety is safety


def test_anxiety_alone_never_is() -> None:
    assert not score("gad_7", answered("gad_7", 21))[0].safety


BAM_SCALES = {
    "bam_use": ("4", "5", "6"),
    "bam_risk": ("1", "2", "3", "8", "11", "15"),
    "bam_protective": ("9", "10", "12", "13", "14", "16"),
}


@pytest.mark.parametrize("item", FORMS["bam_7_day"].items)
def test_each_item_of_the_bam_counts_on_its_own_scale_only(item: str) -> None:
    scales = {s.instrument: s.score for s in score("bam_7_day", answered("bam_7_day") | {item: 4})}

    assert scales == {name: 4 * (item in items) for name, items in BAM_SCALES.items()}


@pytest.mark.parametrize(
    ("scale", "total", "band"),
    [
        ("bam_use", 0, "none"),
        ("bam_use", 1, "concern"),
        ("bam_use", 12, "concern"),
        ("bam_risk", 11, "none"),
        ("bam_risk", 12, "concern"),
        ("bam_risk", 24, "concern"),
        ("bam_protective", 0, "concern"),
        ("bam_protective", 12, "concern"),
        ("bam_protective", 13, "none"),
        ("bam_protective", 24, "none"),
    ],
)
def test_each_scale_of_the_bam_has_its_own_cut(scale: str, total: int, band: str) -> None:
    answers, left = answered("bam_7_day"), total
    for item in BAM_SCALES[scale]:
        answers[item] = min(left, 4)
        left -= answers[item]

    found = {s.instrument: s for s in score("bam_7_day", answers)}[scale]

    assert (found.score, found.band, found.safety) == (total, band, False)


def test_the_unscored_items_of_the_bam_may_be_left_out() -> None:
    answers = answered("bam_7_day")
    for item in ("7", "17"):
        del answers[item]

    assert len(score("bam_7_day", answers)) == 3


@pytest.mark.parametrize("yes", list(product([0, 1], repeat=7)))
def test_the_columbia_screener_is_triaged_by_its_ladder(yes: tuple[int, ...]) -> None:
    answers = dict(zip(FORMS["c_ssrs_screener"].items, yes, strict=True))
    if answers["6_three_months"] and not answers["6_lifetime"]:
        with pytest.raises(Rejected):
            score("c_ssrs_screener", answers)
        return

    [scale] = score("c_ssrs_screener", answers)

    high = answers["4"] or answers["5"] or answers["6_three_months"]
    moderate = answers["3"] or answers["6_lifetime"]
    low = answers["1"] or answers["2"]
    expected = "high" if high else "moderate" if moderate else "low" if low else "none"
    assert scale.band == expected
    assert scale.safety is bool(high)


@pytest.mark.parametrize(
    ("instrument", "changed", "code", "field"),
    [
        ("phq_9", {"10": 0}, "item_not_in_instrument", "answers"),
        ("phq_9", {"9": None}, "answer_missing", "answers.9"),
        ("phq_9", {"3": 4}, "answer_out_of_range", "answers.3"),
        ("gad_7", {"7": None}, "answer_missing", "answers.7"),
        ("bam_7_day", {"16": 5}, "answer_out_of_range", "answers.16"),
        ("c_ssrs_screener", {"2": 1, "4": None}, "answer_missing", "answers.4"),
        (
            "c_ssrs_screener",
            {"6_lifetime": 1, "6_three_months": None},
            "answer_missing",
            "answers.6_three_months",
        ),
        ("c_ssrs_screener", {"1": 2}, "answer_out_of_range", "answers.1"),
    ],
)
def test_a_form_that_is_not_complete_is_refused_by_the_name_of_its_item(
    instrument: Instrument, changed: dict[str, int | None], code: str, field: str
) -> None:
    mixed = answered(instrument) | changed
    answers = {item: value for item, value in mixed.items() if value is not None}

    with pytest.raises(Rejected) as refused:
        score(instrument, answers)

    assert (refused.value.code, refused.value.field) == (code, field)
