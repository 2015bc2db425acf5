"""A bulk export: asked for, waited for, fetched and deleted, by whoever asked and nobody else."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from tests.journeys.clinic import Clinic
from tests.journeys.exported import Exporting
from tests.journeys.test_fhir import token


@pytest.fixture
async def exporting(clinic: Clinic) -> AsyncIterator[Exporting]:
    """A warehouse that may export aggregates."""
    bearer = await token(clinic, "system", "system/MeasureReport.rs")
    async with Exporting.of(clinic.url("alerts"), bearer) as made:
        yield made


async def test_an_export_is_asked_for_waited_for_and_deleted(
    clinic: Clinic, exporting: Exporting
) -> None:
    await clinic.known_to_alerts(await clinic.admitted())
    where = await exporting.asked()
    manifest = await exporting.made(where)
    assert manifest["requiresAccessToken"] is True
    assert manifest["request"].endswith("/fhir/R4/$export")
    assert manifest["error"] == []

    stranger = await token(clinic, "privacy_officer", "user/*.read")
    for method in ("GET", "DELETE"):
        answer = await clinic.client.request(method, where, headers={"authorization": stranger})
        assert answer.status_code == httpx.codes.NOT_FOUND
    assert (await exporting.client.delete(where)).status_code == httpx.codes.ACCEPTED
    assert (await exporting.client.get(where)).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("$export", {}, 400),
        ("$export?_type=Patient", {"prefer": "respond-async"}, 400),
        ("$export?_since=never", {"prefer": "respond-async"}, 400),
        ("Patient/$export", {"prefer": "respond-async"}, 404),
        ("Group/1/$export", {"prefer": "respond-async"}, 404),
    ],
)
async def test_what_cannot_be_exported_is_an_outcome(
    exporting: Exporting, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await exporting.client.get(f"/fhir/R4/{path}", headers=headers)

    assert answer.status_code == status
    OperationOutcome.model_validate_json(answer.text)


@pytest.mark.parametrize(
    ("role", "scope", "programs", "status"),
    [
        ("system", "system/Flag.read", "*", 403),
        ("system", "system/*.read", "iop", 403),
        ("counsellor", "user/*.read", "*", 403),
        ("subscriber", "system/*.read", "*", 403),
    ],
)
async def test_only_who_may_see_whole_sites_exports(
    clinic: Clinic, role: str, scope: str, programs: str, status: int
) -> None:
    bearer = await token(clinic, role, scope, programs)
    headers = {"authorization": bearer, "prefer": "respond-async"}
    answer = await clinic.client.get(f"{clinic.url('alerts')}/fhir/R4/$export", headers=headers)

    assert answer.status_code == status
