"""FHIR Subscriptions: what may be asked for, and what is said, judged by a library nobody here wrote."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from handrail.receipts import Rejected
from intake.disclosures import messages
from intake.disclosures.backport import asked, fetched, notified, shown, topics
from intake.disclosures.backport.asked import Subscription, Wanted, is_under, wanted
from intake.disclosures.backport.kept import Kept
from intake.disclosures.backport.notified import Standing
from intake.disclosures.messages import Allowed
from intake.facts import Consent

ONE, TWO, THREE = (UUID(int=n) for n in (1, 2, 3))
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
KEY = b"a subscriber's own"
MISSED = "urn:handrail:subscription-topic:session-missed"
KEPT = Kept(
    subscription_id=ONE,
    registered_id=TWO,
    topic="session-missed",
    subjects=None,
    content="id-only",
    headers=("Authorization: Bearer secret",),
    has_heartbeat=True,
    timeout_seconds=10,
    end_at=None,
    base="https://here.example/fhir/R4",
    is_answered=True,
    secrets=("whsec_x",),
)
EVENT = {
    "admission_id": str(TWO),
    "session_id": str(THREE),
    "occurred_at": "2026-11-02T09:00:00Z",
    "recorded_at": "2026-11-02T10:00:00Z",
}
CONSENT = Consent(
    consent_id=THREE,
    recipient_class="hospital",
    recipient="general",
    purpose="treatment",
    data_classes=("attendance",),
    from_on=date(2026, 11, 1),
    given_by=("person",),
)


def resource(**changed: Any) -> dict[str, Any]:
    """A Subscription that can be had, changed at `channel.name`, `name` or an extension."""
    content = {"url": asked.CONTENT, "valueCode": changed.pop("content", "id-only")}
    channel = {
        "type": "rest-hook",
        "endpoint": "https://hospital.example/hook",
        "payload": "application/fhir+json",
        "_payload": {"extension": [content]},
    }
    for name in [name for name in changed if name in ("type", "payload", "header", "extension")]:
        channel[name] = changed.pop(name)
    filters = [{"url": asked.FILTER, "valueString": one} for one in changed.pop("filters", ())]
    whole = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know",
        "criteria": MISSED,
        "_criteria": {"extension": filters},
        "channel": channel,
    }
    return whole | changed


def want(**changed: Any) -> Wanted:
    """What is wanted, of a resource that the library finds to be one."""
    made = resource(**changed)
    get_fhir_model_class("Subscription").model_validate(json.loads(json.dumps(made)))
    return wanted(Subscription.model_validate(made))


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({}, "content", "id-only"),
        ({"content": "empty"}, "content", "empty"),
        ({}, "topic", "session-missed"),
        ({}, "subjects", None),
        ({"filters": [f"Appointment?patient={ONE}"]}, "subjects", (ONE,)),
        ({"filters": [f"Appointment?patient=Patient/{ONE},{TWO}"]}, "subjects", (ONE, TWO)),
        (
            {"filters": [f"Appointment?patient={ONE},{TWO}", f"Appointment?patient={TWO}"]},
            "subjects",
            (TWO,),
        ),
        ({}, "heartbeat_seconds", None),
        (
            {"extension": [{"url": asked.HEARTBEAT, "valueUnsignedInt": 60}]},
            "heartbeat_seconds",
            60,
        ),
        ({"extension": [{"url": asked.TIMEOUT, "valueUnsignedInt": 600}]}, "timeout_seconds", 15),
        ({"extension": [{"url": asked.MAX_COUNT, "valuePositiveInt": 20}]}, "max_count", 20),
        ({}, "headers", None),
        ({"header": ["Authorization: Bearer x"]}, "headers", ("Authorization: Bearer x",)),
        ({"header": ["X-Api-Key: x"]}, "headers", ("X-Api-Key: x",)),
        ({"status": "off"}, "is_off", True),
    ],
)
def test_what_a_subscription_asks_for(changed: dict[str, Any], field: str, value: object) -> None:
    assert getattr(want(**changed), field) == value


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"content": "full-resource"}, "content_not_allowed", "channel.payload"),
        ({"content": "everything"}, "content_not_allowed", "channel.payload"),
        ({"criteria": "Observation?code=1"}, "topic_not_known", "criteria"),
        ({"criteria": MISSED + "x"}, "topic_not_known", "criteria"),
        ({"type": "email"}, "channel_not_known", "channel.type"),
        ({"payload": "application/fhir+xml"}, "payload_not_known", "channel.payload"),
        ({"filters": ["Appointment?patient=Smith"]}, "filter_not_known", "criteria.extension"),
        ({"filters": ["Appointment?status=noshow"]}, "filter_not_known", "criteria.extension"),
        ({"filters": [f"Encounter?patient={ONE}"]}, "filter_not_known", "criteria.extension"),
    ],
)
def test_what_cannot_be_had_is_refused_by_its_element(
    changed: dict[str, Any], code: str, where: str
) -> None:
    with pytest.raises(Rejected) as refused:
        want(**changed)

    assert (refused.value.code, refused.value.field) == (code, f"Subscription.{where}")


@pytest.mark.parametrize(
    "header",
    [
        "Host: inside.example",
        "Content-Length: 0",
        "webhook-signature: v1,mine",
        "Transfer-Encoding: chunked",
        "X-A: b\r\nHost: inside.example",
        "X-A: b\n",
        "no header",
    ],
)
def test_a_header_that_would_change_the_request_is_refused(header: str) -> None:
    with pytest.raises(ValidationError):
        Subscription.model_validate(resource(header=[header]))


@pytest.mark.parametrize(
    ("endpoint", "lies_there"),
    [
        ("https://hospital.example/fhir", True),
        ("https://hospital.example/fhir/hook?one=1", True),
        ("https://HOSPITAL.example/fhir/hook", True),
        ("https://hospital.example/fhirs", False),
        ("https://hospital.example/", False),
        ("https://hospital.example/fhir/../other", False),
        ("https://hospital.example/fhir/%2e%2e/other", False),
        ("http://hospital.example/fhir", False),
        ("https://hospital.example:8443/fhir", False),
        ("https://other.example/fhir", False),
        ("https://hospital.example.evil.example/fhir", False),
        ("https://hospital.example@evil.example/fhir", False),
        ("https://[/fhir", False),
    ],
)
def test_an_address_lies_below_the_registered_one(endpoint: str, *, lies_there: bool) -> None:
    assert is_under(endpoint, "https://hospital.example/fhir") is lies_there


def test_each_event_that_leaves_belongs_to_a_topic_and_no_other_does() -> None:
    belongs = {kind for topic in topics.TOPICS.values() for kind in topic.events}

    assert belongs == set(messages.TOLD)


def parsed(made: dict[str, Any]) -> Any:
    """As the library reads it."""
    return get_fhir_model_class(made["resourceType"]).model_validate_json(json.dumps(made))


def told(kept: Kept = KEPT, *consents: Consent, classes: tuple[str, ...] = ("attendance",)) -> Any:
    """The notification of one event."""
    said = Allowed(classes, consents, "consent")
    event = notified.event(kept, 7, EVENT, KEY, said, part2=True)
    stands = Standing("active", 7)
    return parsed(notified.bundle(kept, "event-notification", ONE, stands, NINE, [event]))


def parameters(status: Any) -> dict[str, Any]:
    return {one.name: one for one in status.parameter}


def test_a_notification_says_its_number_whose_seat_it_is_and_by_which_consent() -> None:
    bundle = told(KEPT, CONSENT)
    said = parameters(bundle.entry[0].resource)
    parts = said["notification-event"].part
    own = messages.own_name(KEY, str(TWO))

    assert bundle.type == "history"
    assert said["subscription"].valueReference.reference == f"{KEPT.base}/Subscription/{ONE}"
    assert said["topic"].valueCanonical == MISSED
    assert (said["status"].valueCode, said["type"].valueCode) == ("active", "event-notification")
    assert said["events-since-subscription-start"].valueString == "7"
    assert [one.name for one in parts] == [
        *("event-number", "timestamp", "focus", "additional-context", "additional-context")
    ]
    assert parts[0].valueString == "7"
    seat = parts[2].valueReference
    assert (
        seat.reference == f"https://here.example/fhir/told/R4/Appointment/{seat.identifier.value}"
    )
    assert parts[3].valueReference.identifier.value == str(own)
    assert parts[4].valueReference.display.startswith("for treatment: attendance; from 2026-11-01")
    assert [one.display for one in bundle.meta.security if one.display] == [messages.NOTICE]
    assert str(TWO) not in bundle.model_dump_json()


def test_an_empty_notification_says_a_number_and_nothing_else() -> None:
    bundle = told(replace(KEPT, content="empty"), CONSENT)
    said = parameters(bundle.entry[0].resource)

    assert "topic" not in said
    assert [one.name for one in said["notification-event"].part] == ["event-number"]
    assert str(messages.own_name(KEY, str(TWO))) not in bundle.model_dump_json()


def test_without_the_class_of_attendance_no_seat_is_named() -> None:
    parts = parameters(told(classes=("status",)).entry[0].resource)["notification-event"].part

    assert [one.valueReference.type for one in parts[2:]] == ["EpisodeOfCare"]


def test_what_is_told_without_a_consent_says_so() -> None:
    assert [one.code for one in told().meta.tag] == ["without-consent"]


@pytest.mark.parametrize("what", ["handshake", "heartbeat"])
def test_a_handshake_and_a_heartbeat_say_nothing_of_anybody(what: notified.What) -> None:
    stands = Standing("requested", 0)
    bundle = parsed(notified.bundle(KEPT, what, ONE, stands, NINE))

    assert "notification-event" not in parameters(bundle.entry[0].resource)
    assert [one.code for one in bundle.meta.security] == ["R", "ETH"]


def test_a_trouble_is_an_error_of_the_status() -> None:
    made = notified.status_of(KEPT, "query-status", ONE, Standing("error", 7, "http_500"))

    assert parameters(parsed(made))["error"].valueCodeableConcept.text == "http_500"


@pytest.mark.parametrize(
    ("changed", "subject", "takes"),
    [
        ({}, TWO, True),
        ({"topic": "discharge"}, TWO, False),
        ({"subjects": frozenset({messages.own_name(KEY, str(TWO))})}, TWO, True),
        ({"subjects": frozenset({messages.own_name(KEY, str(TWO))})}, THREE, False),
        ({"subjects": frozenset()}, TWO, False),
    ],
)
def test_a_subscription_takes_what_it_asked_for(
    changed: dict[str, Any], subject: UUID, *, takes: bool
) -> None:
    kept = replace(KEPT, **changed)

    assert kept.takes("attendance.session_missed.v1", subject, KEY) is takes


def test_a_subscription_is_shown_without_its_header_and_its_address_to_itself_alone() -> None:
    row = {
        "subscriber_id": ONE,
        "status": "requested",
        "trouble": None,
        "purpose": "treatment",
        "recipient_class": "hospital",
        "topic": "session-missed",
        "subjects": [TWO],
        "content": "id-only",
        "has_heartbeat": True,
        "heartbeat_seconds": 60,
        "timeout_seconds": 15,
        "max_count": None,
        "end_at": NINE,
        "url": "fhir+https://hospital.example/hook",
    }
    mine, others = shown.subscription(row, is_own=True), shown.subscription(row)

    assert parsed(mine).channel.endpoint == "https://hospital.example/hook"
    assert "endpoint" not in others["channel"]
    assert "header" not in mine["channel"]
    again = wanted(Subscription.model_validate(mine))
    assert (again.topic, again.subjects, again.heartbeat_seconds) == ("session-missed", (TWO,), 60)


@pytest.mark.parametrize(
    ("kind", "facts", "status"),
    [
        ("session_scheduled", {}, "booked"),
        ("session_rescheduled", {"to_planned_on": "2026-11-04"}, "booked"),
        ("session_attended", {}, "fulfilled"),
        ("session_missed", {"kind": "no_show", "reason": "transport"}, "noshow"),
        ("session_missed", {"kind": "late_cancellation"}, "cancelled"),
        ("session_excused", {}, "cancelled"),
        ("session_cancelled_by_program", {}, "cancelled"),
        ("session_made_up", {}, "fulfilled"),
        ("attendance_corrected", {"now": "attended"}, "fulfilled"),
        ("attendance_corrected", {"now": "no_show"}, "noshow"),
        ("attendance_corrected", {"now": "excused"}, "cancelled"),
    ],
)
def test_a_seat_that_was_told_of_is_read_as_it_was_told(
    kind: str, facts: dict[str, Any], status: str
) -> None:
    known = {"seat": str(THREE), "session_type": "group", "planned_on": "2026-11-02"}
    made = fetched.appointment(f"attendance.{kind}.v1", known | facts, ONE)
    read = parsed(made)

    assert (read.status, read.id) == (status, str(THREE))
    assert str(read.requestedPeriod[0].start) == facts.get("to_planned_on", "2026-11-02")
    assert read.participant[0].actor.identifier.value == str(ONE)
    assert bool(read.reasonCode) == ("reason" in facts)
    assert ("_start" in made) == (status != "cancelled")


@pytest.mark.parametrize(
    ("classes", "level"), [(("status",), None), (("status", "level_of_care"), "2.1")]
)
def test_a_stay_that_was_told_of_says_what_the_consents_open(
    classes: tuple[str, ...], level: str | None
) -> None:
    row = {"status": "admitted", "admitted_on": date(2026, 11, 2), "ended_on": None}
    read = parsed(fetched.episode(row | {"level_of_care": "2.1"}, ONE, classes))

    assert (read.status, str(read.period.start), read.id) == ("active", "2026-11-02", str(ONE))
    assert (read.type[0].text if read.type else None) == level
