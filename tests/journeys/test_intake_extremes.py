"""What lies at the edge of what can be said is refused with its field, never with a bug."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.clinic import Clinic, days_ago

NOW = datetime.now(UTC).isoformat()
NIL = "\x00"
NOBODY = "5d0f3bd1-8a59-4f0e-9c58-6d0a64c2b7aa"
ADMIT: dict[str, object] = {
    "do": "complete_intake",
    "program_id": "iop",
    "weekly_minutes": 540,
    "sessions_per_week": 3,
    "admission_id": str(uuid4()),
}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (ADMIT | {"admitted_on": "9999-12-31"}, "admitted_on"),
        (ADMIT | {"admitted_on": "0001-01-01"}, "admitted_on"),
        (ADMIT | {"admitted_on": days_ago(0), "key": NIL}, "key"),
        (ADMIT | {"admitted_on": days_ago(0), "referral_key": f"a{NIL}"}, "referral_key"),
        (ADMIT | {"admitted_on": days_ago(0), "occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        (ADMIT | {"admitted_on": days_ago(0), "weekly_minutes": 10_081}, "weekly_minutes"),
        ({"do": "close_day", "site_id": "north", "day": "9999-12-31"}, "day"),
        ({"do": "set_constraints", "constraints": [{"kind": "work", "weekday": 8, "starts": "09:00", "ends": "10:00"}]}, "constraints.0.weekday"),
        ({"do": "set_constraints", "constraints": [{"kind": "work", "weekday": 1, "starts": "24:00", "ends": "10:00"}]}, "constraints.0.starts"),
        ({"do": "name_support", "support_id": "Jane Roe", "relation": "friend", "may_contact": True}, "support_id"),
        ({"do": "name_support", "support_id": str(uuid4()), "relation": "friend", "may_contact": True, "surname": "Jane Roe"}, "(unknown field)"),
        ({"do": "change_plan", "weekly_minutes": 540, "sessions_per_week": 3, "doses": [{"session_type": "sauna", "sessions": 3, "minutes": 180}]}, "doses.0.session_type"),
        ({"do": "assign_role", "role": "owner", "staff_id": str(uuid4()), "from_on": days_ago(0)}, "role"),
    ],
)  # fmt: skip
async def test_a_command_at_the_edge_is_refused_by_field(
    clinic: Clinic, body: dict[str, Any], field: str
) -> None:
    answer = await clinic.post("intake", {"key": "k", "occurred_at": NOW} | body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].endswith(field)
    assert "Jane" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/admissions?site_id=%00",
        "/v1/admissions?status=%00",
        "/v1/programs?program_id=%00",
        "/v1/sites/%00/waitlist",
        "/v1/sites/north/plans-due?by=9999-12-31",
        "/v1/sites/north/referrals-going-cold?at=0001-01-01T00:00:00Z",
        "/v1/sites/north/referrals-going-cold?at=2026-01-01T00:00:00",
        "/v1/sites/north/referrals-going-cold?limit=1001",
        f"/v1/admissions/{NOBODY}/team?on=0001-01-01",
    ],
)
async def test_a_query_at_the_edge_is_refused(clinic: Clinic, path: str) -> None:
    answer = await clinic.client.get(clinic.url("intake") + path)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["clock", "team?on=2026-01-01", "consents?on=2026-01-01", "supports", "misfits?program_id=x"]
)  # fmt: skip
async def test_what_is_asked_of_nobody_is_a_404(clinic: Clinic, path: str) -> None:
    answer = await clinic.client.get(f"{clinic.url('intake')}/v1/admissions/{NOBODY}/{path}")

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["field"] == "admission_id"
