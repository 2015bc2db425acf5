"""FHIR R4: what each thing of ours becomes, judged by a library that nobody here wrote."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class

from alerts import fhir as alerts
from attendance import fhir as attendance
from handrail.access.table import Role
from handrail.fhir import asked, scopes
from handrail.fhir.asked import BadSearch
from handrail.fhir.outcome import outcome
from handrail.fhir.routes import capabilities
from handrail.fhir.words import Resource
from intake import fhir as intake
from intake.disclosures.backport import shown

ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
MONDAY = date(2026, 11, 2)
SEAT = {
    "id": ONE.hex + TWO.hex,
    "session_id": ONE,
    "admission_id": TWO,
    "session_type": "group",
    "modality": "cbt",
    "held_on": MONDAY,
    "planned_on": MONDAY,
    "starts_at": NINE,
    "planned_minutes": 180,
    "status": "scheduled",
    "minutes": 0,
    "mode": "in_person",
    "attended_on": None,
    "reason": None,
    "moved_to": None,
    "joined_at": None,
    "left_at": None,
}
CONCERN = {
    "concern_id": ONE,
    "admission_id": TWO,
    "level": 1,
    "kind": "missed_sessions",
    "opened_on": MONDAY,
    "opened_at": NINE,
    "closed_on": None,
    "closed_at": None,
    "ending": None,
    "next_step": "call",
    "due_at": NINE,
    "owner_role": "case_manager",
    "acknowledged_at": None,
    "attempts": 0,
    "flag": "open",
    "task": "requested",
}
OUTREACH = {
    "outreach_id": ONE,
    "concern_id": TWO,
    "admission_id": THREE,
    "channel": "phone",
    "outcome": "no_answer",
    "party": "person",
    "day": MONDAY,
    "occurred_at": NINE,
    "is_undone": False,
}
STAY = {
    "admission_id": ONE,
    "patient_id": TWO,
    "site_id": "north",
    "program_id": "iop",
    "status": "admitted",
    "admitted_on": MONDAY,
    "ended_on": None,
    "level_of_care": "2.1",
    "team": [{"role": "counsellor", "staff_id": str(THREE), "from_on": "2026-11-02"}],
}
GRANTED = {
    "id": ONE.hex + TWO.hex,
    "admission_id": ONE,
    "patient_id": TWO,
    "state": "active",
    "consent": {
        "consent_id": str(TWO),
        "recipient_class": "hospital",
        "recipient": "general",
        "purpose": "treatment",
        "data_classes": ["status", "attendance"],
        "from_on": "2026-11-02",
    },
}
RISK = {"admission_id": ONE, "day": MONDAY, "risk28": 0.25, "risk14": 0.1, "table_version": "4"}
TOLD = {
    "number": 7,
    "admission_id": ONE,
    "subscriber_id": TWO,
    "entry": json.dumps({"what": "delivered", "at": "2026-11-02T09:00:00+00:00"}),
}
SUBSCRIBER = {
    "subscriber_id": ONE,
    "status": "active",
    "topic": None,
    "trouble": None,
    "purpose": "treatment",
    "recipient_class": "hospital",
    "data_classes": ["status"],
    "heartbeat_seconds": 60,
}


def valid(made: Resource) -> dict[str, Any]:
    """What it is made to be, if the library takes it and writes the same."""
    kind = get_fhir_model_class(made["resourceType"])
    read = kind.model_validate_json(json.dumps(made))
    again: dict[str, Any] = json.loads(read.model_dump_json(exclude_none=True))
    assert set(again) == set(made)
    return again


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, "booked"),
        ({"status": "attended", "minutes": 170}, "fulfilled"),
        ({"status": "no_show"}, "noshow"),
        ({"status": "late_cancellation"}, "cancelled"),
        ({"status": "excused"}, "cancelled"),
        ({"status": "cancelled_by_program"}, "cancelled"),
        ({"moved_to": THREE}, "cancelled"),
        ({"starts_at": None}, "booked"),
        ({"starts_at": None, "status": "no_show"}, "noshow"),
    ],
)
def test_a_seat_is_an_appointment_of_one_person(ours: dict[str, Any], theirs: str) -> None:
    made = valid(attendance.appointment(SEAT | ours))

    assert made["status"] == theirs
    assert made["identifier"][0]["value"] == str(ONE)
    assert [one["actor"]["identifier"]["value"] for one in made["participant"]] == [str(TWO)]
    assert ("cancelationReason" in made) == (theirs == "cancelled")
    # app-3: only what is cancelled may be without both ends.
    assert ("start" in made and "end" in made) or "_start" in made or theirs == "cancelled"


@pytest.mark.parametrize(
    ("ours", "code", "starts", "ends"),
    [
        ({}, "AMB", "2026-11-02T09:00:00", "2026-11-02T11:50:00"),
        ({"mode": "online"}, "VR", "2026-11-02T09:00:00", "2026-11-02T11:50:00"),
        (
            {"joined_at": NINE.replace(minute=10), "left_at": NINE.replace(hour=12)},
            "AMB",
            "2026-11-02T09:10:00",
            "2026-11-02T12:00:00",
        ),
        ({"starts_at": None, "attended_on": MONDAY}, "AMB", "2026-11-02", None),
    ],
)
def test_who_came_has_an_encounter(
    ours: dict[str, Any], code: str, starts: str, ends: str | None
) -> None:
    made = valid(attendance.encounter(SEAT | {"status": "attended", "minutes": 170} | ours))

    assert made["status"] == "finished"
    assert made["class"]["code"] == code
    assert made["length"]["value"] == 170
    assert made["appointment"][0]["reference"] == f"Appointment/{SEAT['id']}"
    assert made["period"]["start"].startswith(starts)
    assert made["period"].get("end", "").startswith(ends or "")


@pytest.mark.parametrize(
    ("ours", "flag", "task", "priority"),
    [
        ({}, "active", "requested", "urgent"),
        ({"level": 0}, "active", "requested", "stat"),
        ({"task": "accepted", "level": 2}, "active", "accepted", "asap"),
        ({"task": "in-progress", "level": 3}, "active", "in-progress", "routine"),
        (
            {"flag": "closed", "task": "completed", "ending": "returned", "closed_at": NINE},
            "inactive",
            "completed",
            "urgent",
        ),
        (
            {"flag": "closed", "task": "failed", "ending": "exhausted"},
            "inactive",
            "failed",
            "urgent",
        ),
        (
            {"flag": "withdrawn", "task": "entered-in-error", "ending": "withdrawn"},
            "entered-in-error",
            "entered-in-error",
            "urgent",
        ),
    ],
)
def test_a_concern_is_a_flag_and_a_task(
    ours: dict[str, Any], flag: str, task: str, priority: str
) -> None:
    flagged, tasked = valid(alerts.flag(CONCERN | ours)), valid(alerts.task(CONCERN | ours))

    assert (flagged["status"], tasked["status"], tasked["priority"]) == (flag, task, priority)
    assert tasked["focus"]["reference"] == f"Flag/{ONE}"
    is_safety = flagged["category"][0]["coding"][0]["code"] == "safety"
    assert is_safety == (ours.get("level") == 0)


@pytest.mark.parametrize(
    ("ours", "status"),
    [
        ({}, "not-done"),
        ({"outcome": "reached_returning"}, "completed"),
        ({"outcome": "reached_returning", "is_undone": True}, "entered-in-error"),
    ],
)
def test_an_outreach_is_a_communication(ours: dict[str, Any], status: str) -> None:
    made = valid(alerts.communication(OUTREACH | ours))

    assert made["status"] == status
    assert "payload" not in made


@pytest.mark.parametrize(
    ("status", "episode", "team"),
    [
        ("referred", "planned", "proposed"),
        ("waitlisted", "waitlist", "proposed"),
        ("admitted", "active", "active"),
        ("on_hold", "onhold", "active"),
        ("discharged", "finished", "inactive"),
        ("lost", "cancelled", "inactive"),
        ("declined", "cancelled", "inactive"),
        ("merged", "entered-in-error", "entered-in-error"),
    ],
)
def test_an_admission_is_an_episode_with_a_team(status: str, episode: str, team: str) -> None:
    stay = STAY | {"status": status}

    assert valid(intake.episode(stay))["status"] == episode
    assert valid(intake.care_team(stay))["status"] == team
    bare = STAY | {"admitted_on": None, "level_of_care": None, "team": None}
    assert "period" not in valid(intake.episode(bare))
    assert "participant" not in valid(intake.care_team(bare))


@pytest.mark.parametrize(
    ("purpose", "codes"),
    [
        ("treatment", ["TREAT"]),
        ("tpo", ["TREAT", "HPAYMT", "HOPERAT"]),
        ("payment", ["HPAYMT"]),
        ("operations", ["HOPERAT"]),
        ("support", ["FAMRQT"]),
        ("legal", ["HLEGAL"]),
    ],
)
def test_a_consent_permits_to_one_for_something(purpose: str, codes: list[str]) -> None:
    said = GRANTED["consent"] | {"purpose": purpose}  # type: ignore[operator]  # a row of the table
    made = valid(intake.consent(GRANTED | {"consent": said}))

    assert [one["code"] for one in made["provision"]["purpose"]] == codes
    assert [one["code"] for one in made["provision"]["class"]] == ["status", "attendance"]


def test_the_risk_the_ledger_and_a_subscriber() -> None:
    risk = valid(alerts.risk_assessment(RISK))
    told, asks = valid(intake.audit_event(TOLD)), valid(shown.subscription(SUBSCRIBER))
    bare = TOLD | {"admission_id": None, "subscriber_id": None}

    assert [one["probabilityDecimal"] for one in risk["prediction"]] == [0.25, 0.1]
    assert told["entity"][0]["what"]["identifier"]["value"] == str(ONE)
    assert "entity" not in valid(intake.audit_event(bare))
    assert "endpoint" not in asks["channel"]


def test_everything_is_labelled_and_the_version_is_of_the_content() -> None:
    first, same = alerts.flag(CONCERN), alerts.flag(CONCERN)
    other = alerts.flag(CONCERN | {"flag": "closed"})

    assert first["meta"] == same["meta"] != other["meta"]
    assert [one["code"] for one in first["meta"]["security"]] == ["R", "ETH"]


@pytest.mark.parametrize("kinds", [intake.KINDS, attendance.KINDS, alerts.KINDS])
def test_each_service_says_what_it_can(kinds: tuple[Any, ...]) -> None:
    made = valid(capabilities("http://here", "Handrail", kinds))

    assert [one["type"] for one in made["rest"][0]["resource"]] == [one.name for one in kinds]


def test_a_problem_is_an_outcome() -> None:
    made = valid(
        outcome({"status": 404, "title": "no", "detail": "not here", "errors": [{"field": "_id"}]})
    )

    assert (made["issue"][0]["code"], made["issue"][0]["expression"]) == ("not-found", ["_id"])


@pytest.mark.parametrize(
    ("scope", "role", "read", "search"),
    [
        ("system/Flag.read", "system", True, True),
        ("system/Flag.rs", "system", True, True),
        ("system/Flag.r", "system", True, False),
        ("system/Flag.s", "system", False, True),
        ("system/*.read", "system", True, True),
        ("system/*.cruds", "subscriber", True, True),
        ("system/Flag.*", "system", True, True),
        ("openid system/Task.read system/Flag.r", "system", True, False),
        ("user/Flag.read", "counsellor", True, True),
        ("system/Flag.read", "counsellor", False, False),
        ("user/Flag.read", "system", False, False),
        ("patient/Flag.read", "counsellor", False, False),
        ("system/Task.read", "system", False, False),
        ("system/Flag.write", "system", False, False),
        ("system/Flag.", "system", False, False),
        ("system/Flag", "system", False, False),
        ("system/flag.read", "system", False, False),
        ("system/Flag.read2", "system", False, False),
        ("", "system", False, False),
    ],
)
def test_what_a_scope_lets_one_read(scope: str, role: Role, *, read: bool, search: bool) -> None:
    said = scope.split()

    assert scopes.allows(said, role, "Flag", "read") is read
    assert scopes.allows(said, role, "Flag", "search") is search


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("system/Subscription.cruds", "create update delete"),
        ("system/Subscription.c", "create"),
        ("system/Subscription.cu", "create update"),
        ("system/Subscription.d", "delete"),
        ("system/Subscription.write", "create update delete"),
        ("system/*.*", "create update delete"),
        ("system/Subscription.read", ""),
        ("system/Subscription.rs", ""),
        ("user/Subscription.cruds", ""),
        ("system/Task.cruds", ""),
    ],
)
def test_what_a_scope_lets_one_write(scope: str, may: str) -> None:
    found = [
        one
        for one in ("create", "update", "delete")
        if scopes.allows([scope], "subscriber", "Subscription", one)  # type: ignore[arg-type]  # three of them
    ]

    assert found == may.split()


BY, STATUSES = ("_id", "patient", "status", "date"), ("active", "finished")


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ([], "limit", 50),
        ([("_count", "7")], "limit", 7),
        ([("_count", "9999")], "limit", 200),
        ([("_id", "a,b")], "ids", ("a", "b")),
        ([("patient", f"Patient/{ONE}")], "patients", (ONE,)),
        ([("patient", f"urn:handrail:admission|{ONE}")], "patients", (ONE,)),
        ([("patient", "nobody")], "patients", ()),
        ([("status", "active,finished")], "statuses", ("active", "finished")),
        ([("status", "http://x|active")], "statuses", ("active",)),
        ([("date", "2026-11-02")], "since", MONDAY),
        ([("date", "2026-11-02")], "until", MONDAY),
        ([("date", "ge2026-11-02"), ("date", "lt2026-11-09")], "until", date(2026, 11, 8)),
        ([("date", "gt2026-11-01")], "since", MONDAY),
        ([("date", "ge2026-11-02T09:00:00Z")], "since", MONDAY),
        ([("date", "le2026-11-02")], "since", None),
    ],
)
def test_what_a_search_asks_for(query: list[tuple[str, str]], field: str, value: object) -> None:
    assert getattr(asked.read(query, BY, STATUSES), field) == value


@pytest.mark.parametrize(
    "query",
    [
        [("name", "Smith")],
        [("_count", "0")],
        [("_count", "-1")],
        [("_count", "²")],
        [("status", "gone")],
        [("date", "tomorrow")],
        [("date", "xx2026-11-02")],
        [("date", "0001-01-01")],
        [("_format", "application/fhir+xml")],
        [("_include", "*")],
    ],
)
def test_what_is_not_understood_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(BadSearch):
        asked.read(query, BY, STATUSES)
