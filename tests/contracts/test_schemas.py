"""What is published about the events is true, says nothing of a person, and stays."""

import json
from typing import Any
from uuid import UUID

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator, FormatChecker

from handrail import envelope, schemas
from handrail.envelope import Unreadable
from handrail.events import REGISTER, DayClosed
from handrail.schemas import FOLDER, breaks
from handrail.topics import partition_of

TYPES = sorted(REGISTER)
CANARY = "canary-5550100"
BOUND = ("enum", "const", "pattern", "format")


def published(name: str, file: str) -> Any:
    return json.loads((FOLDER / name / file).read_text())


def wire(name: str, **changed: bytes) -> envelope.Headers:
    """The headers of the example of an event, some changed."""
    headers = envelope.headers_of(
        event_id=UUID(int=7), type_=name, time="2026-11-02T18:30:00-05:00", sequence=1, incarnation=1, trace=None
    )  # fmt: skip
    return [(key, changed.get(key, value)) for key, value in headers]


def place(name: str) -> tuple[str, int]:
    """The owner and the partition of the example."""
    example = published(name, "example.json")
    key = example.get("admission_id")
    return name.split(".", maxsplit=1)[0], partition_of(UUID(key)) if key else example["partition"]


@pytest.mark.parametrize("name", TYPES)
def test_an_example_satisfies_the_published_schema(name: str) -> None:
    schema = published(name, "schema.json")

    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator(schema, format_checker=FormatChecker(["date", "uuid"]))
    checker.validate(published(name, "example.json"))


@pytest.mark.parametrize("name", TYPES)
def test_an_event_is_the_same_after_the_wire(name: str) -> None:
    event = REGISTER[name].model_validate(published(name, "example.json"))
    owner, partition = place(name)

    received = envelope.read(owner, partition, 3, event.model_dump_json().encode(), wire(name))

    assert received.event == event
    assert (received.owner, received.sequence, received.offset) == (owner, 1, 3)


@pytest.mark.parametrize("name", TYPES)
def test_a_reader_ignores_a_field_that_came_later(name: str) -> None:
    example = published(name, "example.json") | {"came_later": 1}

    assert REGISTER[name].model_validate(example) == REGISTER[name].model_validate(
        published(name, "example.json")
    )


@pytest.mark.parametrize("name", TYPES)
def test_no_event_has_room_for_free_text(name: str) -> None:
    for field, rule in published(name, "schema.json")["properties"].items():
        for part in [*rule.get("anyOf", ()), *rule.get("prefixItems", ()), rule.get("items", rule)]:
            if part.get("type") == "string":
                assert any(bound in part for bound in BOUND), field
            assert part.get("type") != "object", field


def test_the_headers_satisfy_the_asyncapi_document() -> None:
    rule = published(".", schemas.ASYNCAPI)["components"]["schemas"]["cloudEventHeaders"]

    for name in TYPES:
        Draft202012Validator(rule).validate({k: v.decode() for k, v in wire(name)})


def test_the_asyncapi_document_is_one_and_names_every_event() -> None:
    document = published(".", schemas.ASYNCAPI)

    ApplicationSchema.model_validate(document)
    named = [name for c in document["channels"].values() for name in c["messages"]]
    assert sorted(named) == TYPES


def test_the_folder_is_as_made_and_every_version_as_it_was_published() -> None:
    assert schemas.troubles() == []
    assert {path.parent.name for path in FOLDER.glob("*/*.json")} == set(TYPES)


BASE: dict[str, Any] = {
    "type": "object",
    "properties": {"level": {"type": "integer", "title": "Level"}, "kind": {"enum": ["a", "b"]}},
    "required": ["level"],
}


def changed(**properties: Any) -> dict[str, Any]:
    return BASE | {"properties": BASE["properties"] | properties}


@pytest.mark.parametrize(
    ("new", "trouble"),
    [
        (changed(), []),
        (changed(more={"type": "integer"}), []),
        (changed(level={"type": "integer", "title": "Other", "description": "Words."}), []),
        (changed(level={"type": "string"}), ["level allows something else"]),
        (changed(level={"type": "integer", "minimum": 1}), ["level allows something else"]),
        (changed(kind={"enum": ["a", "b", "c"]}), ["kind allows something else"]),
        (changed(kind={"enum": ["a"]}), ["kind allows something else"]),
        (BASE | {"$defs": {"Part": {"type": "object"}}}, []),
        (BASE | {"properties": {"level": {"type": "integer"}}}, ["kind is gone"]),
        (BASE | {"required": ["level", "kind"]}, ["kind is now required"]),
        (BASE | {"required": []}, ["level is no longer always there"]),
        (BASE | {"additionalProperties": False}, ["it allows something else"]),
    ],
)
def test_a_version_may_win_an_optional_field_and_nothing_else(
    new: dict[str, Any], trouble: list[str]
) -> None:
    assert breaks(BASE, new) == trouble


def test_a_part_that_an_event_is_made_of_stays_as_it_was() -> None:
    old = BASE | {"$defs": {"Part": {"type": "object"}}}

    assert breaks(old, BASE | {"$defs": {"Part": {"type": "string"}}}) == [
        "Part allows something else"
    ]
    assert breaks(old, BASE) == ["Part allows something else"]


MISSED = "attendance.session_missed.v1"


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (None, wire(MISSED), "no_value"),
        (b"", wire(MISSED), "no_value"),
        (b"{}", [("ce_type", b"\xff\xfe")], "bad_header"),
        (b"{}", [], "bad_header"),
        (b"{}", wire(MISSED, ce_sequence=CANARY.encode()), "bad_header"),
        (b"{}", wire(MISSED, ce_type=b"attendance.session_missed.v9"), "unknown_type"),
        (b"{}", wire("intake.discharged.v1"), "wrong_owner"),
        (CANARY.encode(), wire(MISSED), "bad_payload"),
        (json.dumps({"site_id": CANARY * 9}).encode(), wire(MISSED), "bad_payload"),
        (json.dumps(published(MISSED, "example.json")).encode(), wire(MISSED), "wrong_partition"),
    ],
)
def test_a_record_nobody_can_read_is_refused_by_a_code_alone(
    value: bytes | None, headers: envelope.Headers, reason: str
) -> None:
    partition = (place(MISSED)[1] + 1) % 8

    with pytest.raises(Unreadable) as refused:
        envelope.read("attendance", partition, 0, value, headers)

    assert refused.value.reason == reason
    assert CANARY not in str(refused.value)


def test_a_day_closed_belongs_to_its_site_and_partition() -> None:
    for name in TYPES:
        if issubclass(REGISTER[name], DayClosed):
            event = REGISTER[name].model_validate(published(name, "example.json"))
            owner, partition = place(name)
            with pytest.raises(Unreadable, match="wrong_partition"):
                envelope.read(owner, partition + 1, 0, event.model_dump_json().encode(), wire(name))
