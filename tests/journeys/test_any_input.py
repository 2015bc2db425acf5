"""Whatever a schema allows, and much that it does not, is answered; never by a mistake of ours."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from operate.home import SERVICES
from tests.journeys import hl7_as_text
from tests.journeys.clinic import Clinic

ROOT = Path(__file__).parents[2]
EXAMPLES = 12
NUL = "a\0b"
SERVER_ERROR = 500
UNPROCESSABLE = 422


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_no_generated_input_is_answered_by_a_5xx(
    clinic: Clinic, service: str, tmp_path: Path
) -> None:
    tried = subprocess.run(  # noqa: ASYNC221  # nothing else runs in this test
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            clinic.url(service) + "/openapi.json",
            *("--checks", "not_a_server_error", "--phases", "examples,fuzzing"),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--generation-deterministic"),
            *("--exclude-path-regex", "redrive", "--warnings", "off", "--no-color"),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,  # what it remembers of former runs stays here
        env=os.environ | {"SCHEMATHESIS_HOOKS": hl7_as_text.__name__, "PYTHONPATH": str(ROOT)},
    )

    assert tried.returncode == 0, tried.stdout[-6000:] + tried.stderr[-2000:]
    assert "No issues found" in tried.stdout


@pytest.mark.parametrize("service", SERVICES)
async def test_a_nul_in_any_value_of_a_query_is_refused_by_its_name(
    clinic: Clinic, service: str
) -> None:
    described = await clinic.get(service, "/openapi.json")
    queries = {path: one["get"] for path, one in described["paths"].items() if "get" in one}
    answers = {}
    for path, query in queries.items():
        named = {p["name"]: p["in"] for p in query.get("parameters", ())}
        for bad in named:
            values = {name: NUL if name == bad else given(name) for name in named}
            where = path
            for name, place in named.items():
                if place == "path":
                    where = where.replace(f"{{{name}}}", quote(values[name]))
            asked = {n: v for n, v in values.items() if named[n] == "query" and (n == bad or v)}
            answer = await clinic.client.get(clinic.url(service) + where, params=asked)
            answers[path, bad] = answer

    assert answers
    fell = {place for place, answer in answers.items() if answer.status_code >= SERVER_ERROR}
    assert fell == set()
    refused = {place: a.json() for place, a in answers.items() if a.status_code == UNPROCESSABLE}
    unnamed = {
        place
        for place, problem in refused.items()
        if not any(place[1] in error["field"] for error in problem.get("errors", ()))
    }
    assert refused
    assert unnamed == set()


def given(name: str) -> str:
    """A value that is fine, for most parameters; nothing for the rest."""
    if name.endswith("_id") and name != "site_id":
        return str(uuid4())
    return {"site_id": "north", "day": "2026-03-02", "by": "2026-03-02"}.get(name, "")
