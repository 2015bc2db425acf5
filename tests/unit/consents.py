"""Random histories of consents, and a checker that judges them from the table file and a diary.

The checker shares no code with the rules: it spells the table out into every single permission
there is, and reads what was signed from a diary of plain rows.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import product
from random import Random
from typing import Any
from uuid import UUID

from handrail.receipts import Rejected
from intake import commands, rules
from intake.facts import Admission, Matter
from intake.rules import disclosure, merge
from intake.rules.disclosure import Recipient

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLASSES = (
    "status",
    "level_of_care",
    "attendance",
    "dose",
    "miss_reasons",
    "measures",
    "screens",
    "risk",
)
RECIPIENT_CLASSES = ("treating_provider", "hospital", "primary_care", "receiving_program", "payer", "support", "court")  # fmt: skip
PURPOSES = ("treatment", "payment", "operations", "support", "legal")
NAMES = ("general", "riverside")
FOCUSES = (None, "substance_use", "co_occurring", "mental_health")
STATES = (None, "nj", "federal", "nowhere")
SURVIVOR, DUPLICATE = UUID(int=1), UUID(int=2)


@dataclass
class Told:
    """One question, the moment it was asked, and what the rules said."""

    step: int
    admission: UUID
    recipient: Recipient
    data_class: str
    at: datetime
    may: bool
    consent: UUID | None


@dataclass
class Diary:
    """What happened, one plain row a thing, and what was asked."""

    state: str | None
    age: dict[UUID, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


def play(seed: int) -> Diary:
    """Grants, narrowings, revocations, merges, moves and questions, asked and asked again."""
    return _Play(Random(seed)).play()


@dataclass
class _Play:
    random: Random
    now: datetime = START
    admissions: dict[UUID, Admission] = field(default_factory=dict)
    queue: list[tuple[UUID, Recipient, str]] = field(default_factory=list)
    grants: int = 0

    def play(self) -> Diary:
        random = self.random
        self.diary = Diary(state=random.choice(STATES))
        for name in (SURVIVOR, DUPLICATE):
            age = random.choice(("adult", "adult", "adolescent"))
            self.diary.age[name] = age
            focus = random.choice(FOCUSES)
            self.admissions[name] = Admission(
                admission_id=name,
                patient_id=name,
                site_id="north",
                status="admitted",
                referral_source="self",
                referred_at=START,
                age_group=age,
                focus=focus,
            )
            self._note(what="focus", admission=name, focus=focus)
        for _ in range(random.randint(4, 14)):
            self.now += timedelta(hours=random.choice((0, 1, 5, 20, 60, 200)))
            self._step()
        return self.diary

    def _step(self) -> None:
        random, what = self.random, self.random.random()
        who = random.choice((SURVIVOR, SURVIVOR, DUPLICATE))
        if what < 0.28:
            self._grant(who)
        elif what < 0.36:
            self._sign("narrow")
        elif what < 0.44:
            self._sign("revoke")
        elif what < 0.49:
            self._merge()
        elif what < 0.54:
            focus = random.choice(FOCUSES)
            self.admissions[who] = replace(self.admissions[who], focus=focus)
            self._note(what="focus", admission=who, focus=focus)
        else:
            for _ in range(random.randint(1, 4)):
                self._ask(who)

    def _grant(self, who: UUID) -> None:
        random = self.random
        recipient_class = random.choice(RECIPIENT_CLASSES)
        purpose = random.choice((*PURPOSES, "tpo"))
        facts = {
            "consent_id": UUID(int=100 + self.grants),
            "recipient_class": recipient_class,
            "recipient": random.choice((*NAMES, recipient_class)),
            "purpose": "legal" if recipient_class == "court" else purpose,
            "data_classes": tuple(random.sample(CLASSES, random.randint(1, 5))),
            "from_on": self._day(random.choice((-3, 0, 0, 2))),
            "until_on": self._day(random.choice((3, 9))) if random.random() < 0.5 else None,
            "given_by": random.choice(
                (("person",), ("person",), ("guardian",), ("person", "guardian"))
            ),
        }
        if self._said(who, commands.GrantConsent, facts):
            self.grants += 1
            self._note(what="grant", admission=who, **facts)

    def _sign(self, what: str) -> None:
        """Less of something that was granted, or none of it."""
        grants = [r for r in self.diary.rows if r["what"] == "grant"]
        if not grants:
            return
        granted = self.random.choice(grants)
        facts: dict[str, Any] = {"consent_id": granted["consent_id"]}
        if what == "narrow":
            classes = granted["data_classes"]
            facts["data_classes"] = tuple(
                self.random.sample(classes, self.random.randint(1, len(classes)))
            )
            facts["until_on"] = self._day(self.random.choice((0, 3, 9)))
        command = commands.NarrowConsent if what == "narrow" else commands.RevokeConsent
        if self._said(granted["admission"], command, facts):
            self._note(what=what, admission=granted["admission"], **facts)

    def _merge(self) -> None:
        matters = [self._matter(name) for name in (SURVIVOR, DUPLICATE)]
        was_merged = self.admissions[DUPLICATE].merged_into is not None
        decided = merge.unmerge(*matters) if was_merged else merge.merge(*matters, None)
        for admission, _ in decided:
            self.admissions[admission.admission_id] = admission
        self._note(what="unmerge" if was_merged else "merge", admission=DUPLICATE)

    def _ask(self, who: UUID) -> None:
        """A new question, or a retry of one from the queue."""
        random = self.random
        if not self.queue or random.random() < 0.5:
            self.queue.append(self._question(who))
        name, recipient, data_class = random.choice(self.queue)
        subject = disclosure.subject_of(self.admissions[name], self.diary.state)
        verdict = disclosure.decide(
            subject, recipient, data_class, day=self.now.date(), at=self.now
        )
        consent = verdict.consent.consent_id if verdict.consent else None
        step = len(self.diary.rows)
        asked = (name, recipient, data_class, self.now)
        self.diary.told.append(Told(step, *asked, verdict.may, consent))

    def _question(self, who: UUID) -> tuple[UUID, Recipient, str]:
        """Often about what somebody signed, or nearly that."""
        random = self.random
        grants = [r for r in self.diary.rows if r["what"] == "grant"]
        if not grants or random.random() < 0.2:
            recipient_class = random.choice(RECIPIENT_CLASSES)
            recipient = Recipient(recipient_class, random.choice(NAMES), random.choice(PURPOSES))
            return who, recipient, random.choice(CLASSES)
        signed = random.choice(grants)
        name, purpose = signed["recipient"], signed["purpose"]
        if name not in NAMES or random.random() < 0.1:
            name = random.choice(NAMES)
        if purpose == "tpo" or random.random() < 0.1:
            purpose = random.choice(PURPOSES)
        recipient = Recipient(signed["recipient_class"], name, purpose)
        told = CLASSES if random.random() < 0.2 else signed["data_classes"]
        return signed["admission"], recipient, random.choice(told)

    def _said(self, who: UUID, command: type[Any], facts: dict[str, Any]) -> bool:
        said = command.model_validate(
            {"key": "k", "occurred_at": self.now, "admission_id": who} | facts
        )
        try:
            self.admissions[who], _ = rules.decide(self._matter(who), said)
        except Rejected:
            return False
        return True

    def _matter(self, name: UUID) -> Matter:
        return Matter(self.admissions[name], self.now, self.now, self.now.date())

    def _day(self, ahead: int) -> date:
        return self.now.date() + timedelta(days=ahead)

    def _note(self, **row: Any) -> None:
        self.diary.rows.append(row | {"at": self.now})


def permissions() -> Iterator[tuple[str, str, str, str, str]]:
    """(way, recipient class, purpose, purpose of the consent, data class): every one there is."""
    table = tomllib.loads(files("intake.rules").joinpath("disclosure.toml").read_text())
    for row in table["rows"]:
        for who, purpose in product(row["recipients"], row["purposes"]):
            for told in row["with_consent"]:
                yield ("named", who, purpose, purpose, told)
            for told in row["by_tpo"]:
                yield ("general", who, purpose, "tpo", told)
            for told in row["without_consent"]:
                yield ("none", who, purpose, "", told)


FILE = tomllib.loads(files("intake.rules").joinpath("disclosure.toml").read_text())
PERMITTED = frozenset(permissions())
PART_2 = {None, "substance_use", "co_occurring"}


def is_permitted(diary: Diary, told: Told) -> bool:
    """Whether the diary up to that moment lets this be told."""
    rows = [r for r in diary.rows[: told.step] if r["admission"] == told.admission]
    focus = next(r["focus"] for r in reversed(rows) if r["what"] == "focus")
    if sum(r["what"] == "merge" for r in rows) > sum(r["what"] == "unmerge" for r in rows):
        return False
    is_child = diary.age[told.admission] != "adult"
    state = FILE["states"].get(diary.state) or FILE["states"]["none"]
    needed = {"person", "guardian"} if is_child and not state["minors_alone"] else {"person"}
    if any(needed <= set(paper["given_by"]) and allows(paper, told) for paper in papers(rows)):
        return True
    ask = (told.recipient.recipient_class, told.recipient.purpose)
    told_without = told.data_class in state["without_consent"]
    is_outside = focus not in PART_2 and not is_child
    return is_outside and told_without and ("none", *ask, "", told.data_class) in PERMITTED


def papers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is signed after all this, as it reads then."""
    kept: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if row["what"] == "grant":
            kept[row["consent_id"]] = dict(row)
        elif row["what"] == "narrow":
            kept[row["consent_id"]] |= {k: row[k] for k in ("data_classes", "until_on")}
        elif row["what"] == "revoke":
            del kept[row["consent_id"]]
    return list(kept.values())


def allows(paper: dict[str, Any], told: Told) -> bool:
    """Whether one paper lets this be told on that day."""
    who, purpose = told.recipient.recipient_class, told.recipient.purpose
    if paper["recipient_class"] != who or told.data_class not in paper["data_classes"]:
        return False
    if not paper["from_on"] <= told.at.date() <= (paper["until_on"] or date.max):
        return False
    ways = {"named"} if paper["recipient"] == told.recipient.recipient else set()
    if paper["recipient"] in (told.recipient.recipient, who):
        ways.add("general")
    return any((way, who, purpose, paper["purpose"], told.data_class) in PERMITTED for way in ways)
