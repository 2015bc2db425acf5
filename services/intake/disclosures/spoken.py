"""The same message in HL7 v2: SIU for seats, ADT for the stay. What a class opens, and no more."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from handrail.hl7.answers import escaped, stamped
from intake.disclosures import messages
from intake.disclosures.messages import Allowed

SCHEMES = ("mllps", "mllp")
OURS = "99HANDRAIL"
# By type of event: trigger event, and of a seat the status of its appointment (table 0278).
SEATS: dict[str, tuple[str, str]] = {
    "attendance.session_scheduled.v1": ("S12", "Booked"),
    "attendance.session_rescheduled.v1": ("S13", "Booked"),
    "attendance.session_swapped.v1": ("S13", "Booked"),
    "attendance.session_attended.v1": ("S14", "Complete"),
    "attendance.attendance_corrected.v1": ("S14", ""),
    "attendance.session_made_up.v1": ("S14", "Complete"),
    "attendance.session_excused.v1": ("S15", "Cancelled"),
    "attendance.session_cancelled_by_program.v1": ("S15", "Cancelled"),
    "attendance.session_missed.v1": ("S26", "Noshow"),
}
STAYS: dict[str, tuple[str, str]] = {
    "intake.intake_completed.v1": ("A01", "ADT_A01"),
    "intake.discharged.v1": ("A03", "ADT_A03"),
    "intake.level_of_care_changed.v1": ("A08", "ADT_A01"),
    "intake.plan_changed.v1": ("A08", "ADT_A01"),
    "intake.put_on_hold.v1": ("A08", "ADT_A01"),
    "intake.resumed.v1": ("A08", "ADT_A01"),
    "intake.admission_undone.v1": ("A11", "ADT_A09"),
    "intake.discharge_undone.v1": ("A13", "ADT_A01"),
}
CORRECTED = {"attended": "Complete", "no_show": "Noshow", "late_cancellation": "Cancelled"}
# What has a field of its own; the rest are observations.
_PLACED = frozenset({"seat", "session_type", "planned_on", "to_planned_on", "planned_minutes",
                     "reason", "admitted_on", "discharged_on"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the facts. `control` is MSH-10, the same in every repeat."""

    control: str
    recipient: str
    sequence: int
    part2: bool


def is_spoken(url: str) -> bool:
    """Whether this subscriber listens to HL7."""
    return url.partition("://")[0] in SCHEMES


def has_words(kind: str) -> bool:
    """Whether an event has a message in HL7."""
    return kind in SEATS or kind in STAYS


def control_of(delivery_id: UUID) -> str:
    """MSH-10: the same in every repeat."""
    return delivery_id.hex[:20]


def body(kind: str, data: Mapping[str, Any], key: bytes, told: Allowed, around: Around) -> bytes:
    """The message, with the notice and the scope of each consent (42 CFR 2.32) as observations."""
    facts = messages.facts_of(kind, told.classes, data, key)
    subject = str(messages.own_name(key, str(data["admission_id"])))
    at = stamped(datetime.fromisoformat(str(data["occurred_at"])))
    said = _said(kind, facts, told, part2=around.part2)
    if kind in SEATS:
        named = f"SIU^{SEATS[kind][0]}^SIU_S12"
        segments = _seat(kind, subject, facts, said)
    else:
        named = f"ADT^{'^'.join(STAYS[kind])}"
        segments = _stay(subject, facts, said, at)
    to = ("HANDRAIL", "", escaped(around.recipient), "")
    rest = (around.control, "P", "2.5.1", str(around.sequence))
    head = _line("MSH", "^~\\&", *to, at, "", named, *rest)
    return "".join([head, *segments]).encode("ascii")


def _seat(
    kind: str, subject: str, facts: Mapping[str, Any], said: Mapping[str, str]
) -> Iterator[str]:
    status = SEATS[kind][1] or CORRECTED.get(str(facts.get("now")), "Cancelled")
    day = _day(facts.get("to_planned_on") or facts.get("planned_on"))
    minutes = str(facts.get("planned_minutes", ""))
    reason = escaped(str(facts.get("reason", "") or status))
    sch = [""] * 25
    sch[1] = f"{facts.get('seat', subject)}^HANDRAIL"
    sch[5], sch[8], sch[9] = reason, minutes, "min" if minutes else ""
    sch[10] = f"^^^{day}" if day else ""
    sch[15] = sch[19] = "HANDRAIL"
    sch[24] = status
    yield _line("SCH", *sch)
    yield _person(subject)
    yield _visit(subject)
    yield from _observed(said)
    yield _line("RGS", "1")
    yield _line("AIS", "1", "", f"{escaped(str(facts.get('session_type', 'session')))}^^{OURS}")


def _stay(
    subject: str, facts: Mapping[str, Any], said: Mapping[str, str], at: str
) -> Iterator[str]:
    yield _line("EVN", "", at)
    yield _person(subject)
    yield _visit(subject, _day(facts.get("admitted_on")), _day(facts.get("discharged_on")))
    yield from _observed(said)


def _person(subject: str) -> str:
    """Nobody's name: the subscriber knows its own name of the person."""
    return _line("PID", "", "", f"{subject}^^^HANDRAIL^PI", "", "^^^^^^S")


def _visit(subject: str, admitted: str = "", discharged: str = "") -> str:
    pv1 = [""] * 45
    pv1[1], pv1[18], pv1[43], pv1[44] = "O", f"{subject}^^^HANDRAIL", admitted, discharged
    return _line("PV1", *pv1)


def _observed(told: Mapping[str, str]) -> Iterator[str]:
    for number, (name, value) in enumerate(told.items(), 1):
        where = (str(number), "ST", f"{name.partition(' ')[0]}^^{OURS}")
        yield _line("OBX", *where, "", escaped(value), *[""] * 5, "F")


def _said(kind: str, facts: Mapping[str, Any], told: Allowed, *, part2: bool) -> Mapping[str, str]:
    """Our name of the event, what has no field of its own, the notice, and each consent's scope."""
    said = {"event": kind} | {n: str(v) for n, v in facts.items() if n not in _PLACED}
    if part2:
        said["notice"] = messages.NOTICE
    if not told.consents:
        said["without_consent"] = messages.WITHOUT
    for number, consent in enumerate(told.consents):
        said[f"consent {number}"] = f"{consent.consent_id} {messages.scope_words(consent)}"
    return said


def _day(value: object) -> str:
    return str(value).replace("-", "") if value else ""


def _line(*fields: str) -> str:
    return "|".join(fields).rstrip("|") + "\r"
