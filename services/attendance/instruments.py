"""Instruments scored from their answers by their published rules, as pure functions.

Sources: PHQ-9 (Kroenke 2001), GAD-7 (Spitzer 2006), Brief Addiction Monitor with its 7-day recall
(Department of Veterans Affairs), Columbia screener triage (C-SSRS; a ladder without a total).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from handrail.receipts import Rejected

Instrument = Literal["phq_9", "gad_7", "bam_7_day", "c_ssrs_screener"]
Answers = Mapping[str, int]

_USE = ("4", "5", "6")
_RISK = ("1", "2", "3", "8", "11", "15")
_PROTECTIVE = ("9", "10", "12", "13", "14", "16")
_BEHAVIOUR_EVER, _BEHAVIOUR_LATELY = "6_lifetime", "6_three_months"


class Form(NamedTuple):
    """The items of an instrument, those that may be left out, and the highest answer (lowest 0)."""

    items: tuple[str, ...]
    optional: frozenset[str]
    highest: int


@dataclass(frozen=True, slots=True)
class Score:
    """One scored scale. `band` is its published band, `safety` says that someone must act now."""

    instrument: str
    score: int
    band: str
    safety: bool = False


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(n) for n in range(1, count + 1))


FORMS: dict[Instrument, Form] = {
    "phq_9": Form(_numbered(9), frozenset(), 3),
    "gad_7": Form(_numbered(7), frozenset(), 3),
    # Items 7 (by substance) and 17 are asked and not scored.
    "bam_7_day": Form(_numbered(17), frozenset({"7", "17"}), 4),
    # Questions 3 to 5 are asked only after a yes to 2; 6 by its two times.
    "c_ssrs_screener": Form(
        (*_numbered(5), _BEHAVIOUR_EVER, _BEHAVIOUR_LATELY),
        frozenset({"3", "4", "5", _BEHAVIOUR_LATELY}),
        1,
    ),
}


def score(instrument: Instrument, answers: Answers) -> list[Score]:
    """The scales of an instrument. Raises Rejected for an answer missing, unknown or out of range."""
    _require_complete(FORMS[instrument], answers)
    if instrument == "bam_7_day":
        return _bam(answers)
    if instrument == "c_ssrs_screener":
        return [_columbia(answers)]
    total = sum(answers.values())
    if instrument == "gad_7":
        return [Score("gad_7", total, _band(total, _GAD_7))]
    return [Score("phq_9", total, _band(total, _PHQ_9), safety=answers["9"] >= 1)]


_PHQ_9 = ((20, "severe"), (15, "moderately_severe"), (10, "moderate"), (5, "mild"), (0, "minimal"))
_GAD_7 = ((15, "severe"), (10, "moderate"), (5, "mild"), (0, "minimal"))


def _band(total: int, cuts: tuple[tuple[int, str], ...]) -> str:
    return next(name for least, name in cuts if total >= least)


def _bam(answers: Answers) -> list[Score]:
    use, risk, protective = (
        sum(answers[item] for item in items) for items in (_USE, _RISK, _PROTECTIVE)
    )
    return [
        Score("bam_use", use, "concern" if use >= 1 else "none"),
        Score("bam_risk", risk, "concern" if risk >= 12 else "none"),
        Score("bam_protective", protective, "concern" if protective <= 12 else "none"),
    ]


def _columbia(answers: Answers) -> Score:
    """The screener's triage as 0 none, 1 low, 2 moderate, 3 high."""

    def yes(item: str) -> bool:
        return answers.get(item, 0) == 1

    if yes("4") or yes("5") or yes(_BEHAVIOUR_LATELY):
        return Score("c_ssrs_screener", 3, "high", safety=True)
    if yes("3") or yes(_BEHAVIOUR_EVER):
        return Score("c_ssrs_screener", 2, "moderate")
    if yes("1") or yes("2"):
        return Score("c_ssrs_screener", 1, "low")
    return Score("c_ssrs_screener", 0, "none")


def _require_complete(form: Form, answers: Answers) -> None:
    for item in answers:
        if item not in form.items:
            detail = "The instrument has no such item; see /docs for its items."
            raise Rejected("item_not_in_instrument", detail, "answers")
    for item in form.items:
        if item not in answers:
            if item not in form.optional:
                raise Rejected("answer_missing", "Every scored item is needed.", f"answers.{item}")
        elif not 0 <= answers[item] <= form.highest:
            detail = f"An answer is 0 to {form.highest} here."
            raise Rejected("answer_out_of_range", detail, f"answers.{item}")
    if form is FORMS["c_ssrs_screener"]:
        _require_ladder(answers)


def _require_ladder(answers: Answers) -> None:
    """After a yes to 2 the next three are asked; a yes to behaviour asks when."""
    if answers["2"]:
        for item in ("3", "4", "5"):
            if item not in answers:
                raise Rejected("answer_missing", "Asked after a yes to 2.", f"answers.{item}")
    if answers[_BEHAVIOUR_EVER] and _BEHAVIOUR_LATELY not in answers:
        place = f"answers.{_BEHAVIOUR_LATELY}"
        raise Rejected("answer_missing", "Say whether it was within three months.", place)
    if not answers[_BEHAVIOUR_EVER] and answers.get(_BEHAVIOUR_LATELY):
        place = f"answers.{_BEHAVIOUR_EVER}"
        raise Rejected("answers_disagree", "What was lately was in the lifetime.", place)
