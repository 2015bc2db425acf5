"""May this be told to this recipient now? One pure answer from a table; deny by default."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from handrail.events.care import DataClass, Focus, Purpose, RecipientClass
from intake.facts import Admission, Consent

Law = Literal["part2", "hipaa"]
NONE = "none"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Part):
    """What these recipients may be told for these purposes."""

    recipients: frozenset[RecipientClass]
    purposes: frozenset[Purpose]
    with_consent: frozenset[DataClass]
    by_tpo: frozenset[DataClass]
    without_consent: frozenset[DataClass]


class State(_Part):
    """What a state's law adds."""

    minors_alone: bool
    without_consent: frozenset[DataClass]


class Table(_Part):
    """All of it, as in `disclosure.toml`."""

    version: str
    rows: tuple[Row, ...]
    programs: dict[Focus | Literal["none"], Law]
    states: dict[str, State]

    def row(self, recipient_class: str) -> Row | None:
        """The row of a class of recipients."""
        return next((row for row in self.rows if recipient_class in row.recipients), None)

    def never(self, recipient_class: str) -> frozenset[str]:
        """What these are never told, whatever a consent says."""
        row = self.row(recipient_class)
        return frozenset(get_args(DataClass)) - (row.with_consent if row else frozenset())

    def state(self, name: str | None) -> State:
        """A state's rules; the strictest where it is not known."""
        return self.states.get(name or NONE, self.states[NONE])


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who would be told, and what for."""

    recipient_class: RecipientClass
    recipient: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Subject:
    """What counts about the person, with the consents recorded for this admission."""

    law: Law
    is_minor: bool
    is_merged: bool
    state: str | None
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may be told, why, and by which consent."""

    may: bool
    reason: str
    consent: Consent | None = None


def load() -> Table:
    """The table in the package. Raises pydantic.ValidationError when it says what cannot be."""
    return Table.model_validate(
        tomllib.loads(files("intake.rules").joinpath("disclosure.toml").read_text())
    )


TABLE = load()


def subject_of(admission: Admission, state: str | None, table: Table = TABLE) -> Subject:
    """What the table asks about an admission. Consents of a merged duplicate stay with it."""
    return Subject(
        law=table.programs[admission.focus or "none"],
        is_minor=admission.age_group != "adult",
        is_merged=admission.merged_into is not None,
        state=state,
        consents=admission.chart.consents,
    )


def decide(  # the axes of the table
    subject: Subject,
    recipient: Recipient,
    data_class: str,
    *,
    day: date,
    at: datetime,
    table: Table = TABLE,
) -> Verdict:
    """Whether this class may be told at this moment of this local day of the site."""
    row, state = table.row(recipient.recipient_class), table.state(subject.state)
    if row is None or data_class not in row.with_consent:
        return Verdict(may=False, reason="never_told")
    if recipient.purpose not in row.purposes:
        return Verdict(may=False, reason="purpose_not_for_recipient")
    if subject.is_merged:
        return Verdict(may=False, reason="merged")
    for consent in in_force(subject.consents, day, at):
        if _covers(consent, recipient, data_class, row) and _is_signed(consent, subject, state):
            return Verdict(may=True, reason="consent", consent=consent)
    without = row.without_consent & state.without_consent
    if subject.law == "hipaa" and not subject.is_minor and data_class in without:
        return Verdict(may=True, reason="no_consent_needed")
    return Verdict(may=False, reason="no_consent")


def in_force(consents: Iterable[Consent], day: date, at: datetime) -> list[Consent]:
    """The consents that hold at this moment of this local day."""
    return [
        consent
        for consent in consents
        if consent.from_on <= day
        and (consent.until_on is None or day <= consent.until_on)
        and (consent.revoked_at is None or at < consent.revoked_at)
    ]


def _covers(consent: Consent, recipient: Recipient, data_class: str, row: Row) -> bool:
    if consent.recipient_class != recipient.recipient_class:
        return False
    if data_class not in consent.data_classes:
        return False
    if consent.purpose == "tpo":
        named = {recipient.recipient, recipient.recipient_class}
        return consent.recipient in named and data_class in row.by_tpo
    return consent.purpose == recipient.purpose and consent.recipient == recipient.recipient


def _is_signed(consent: Consent, subject: Subject, state: State) -> bool:
    needed = {"person"}
    if subject.is_minor and not state.minors_alone:
        needed.add("guardian")
    return needed <= set(consent.given_by)
