"""A spreadsheet is previewed, carried out, and carried out again: by the command, from outside."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.journeys.clinic import Clinic, today

MAPPING = """
source = "sheet-{site}"
site_id = "{site}"
time_zone = "UTC"
[columns]
person = "MRN"
what = "Event"
day = "Date"
session = "Group"
minutes = "Min"
reason = "Why"
[dates]
day = "%m/%d/%Y"
[what]
Referred = "referral"
Intake = "admitted"
Here = "attended"
Absent = "no_show"
"Called in" = "late_cancellation"
Out = "discharged"
[reasons]
bus = "transport"
[ends]
AMA = "dropped_out"
[program]
program_id = "iop-evening"
weekly_minutes = 540
sessions_per_week = 3
[sittings.Family]
session_type = "family"
planned_minutes = 60
"""
HEAD = "MRN,Event,Date,Group,Min,Why,Name"


def ago(days: int) -> str:
    day: date = today() - timedelta(days=days)
    return f"{day:%m/%d/%Y}"


SHEET = [
    f"m-1,Intake,{ago(30)},,,,Canary Quill",
    f"m-1,Here,{ago(9)},CBT,170,,",
    f"m-1,Absent,{ago(4)},CBT,,bus,",
    f"m-1,Called in,{ago(2)},CBT,,,",
    f"m-2,Referred,{ago(8)},,,,",
    f"m-2,Intake,{ago(7)},,,,",
    f"m-2,Here,{ago(4)},CBT,180,,",
    f"m-2,Here,{ago(3)},Family,60,,",
    f"m-2,Out,{ago(1)},,,AMA,",
]
BAD = [
    (f"m-1,Vanished,{ago(3)},CBT,,,", "what: "),
    ("m-1,Here,2026-13-01,CBT,,,", "day: it is not written"),
    (f"m-1,Here,{ago(-3)},CBT,,,", "day: it has not come yet"),
    (f",Here,{ago(3)},CBT,,,", "person: "),
    (f"m-1,Here,{ago(6)},CBT,many,,", "minutes: "),
    (f"m-1,Here,{ago(5)},Family,90,,", "minutes_above_session: "),
    (f"m-1,Here,{ago(40)},CBT,90,,", "before_admission: "),
    ("m-1,Here", "malformed_row: "),
]


class Office:
    """Whoever keeps the sheet."""

    def __init__(self, clinic: Clinic, folder: Path) -> None:
        """The mapping is of this site."""
        self.clinic, self.folder = clinic, folder
        (folder / "map.toml").write_text(MAPPING.replace("{site}", clinic.site_id))

    def imports(self, *rows: str, apply: bool) -> dict[str, Any]:
        (self.folder / "sheet.csv").write_text("\n".join([HEAD, *rows]) + "\n")
        words = [
            "import",
            str(self.folder / "sheet.csv"),
            "--mapping",
            str(self.folder / "map.toml"),
        ]
        words += ["--out", str(self.folder / "out")] + (["--apply"] if apply else [])
        done = self.clinic.system.handrail(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads((self.folder / "out" / "summary.json").read_text())
        return found

    def rejected(self) -> dict[int, str]:
        with (self.folder / "out" / "rejected.csv").open() as file:
            return {int(row["line"]): row["reason"] for row in csv.DictReader(file)}


async def test_a_sheet_is_previewed_then_done_once_however_often(
    clinic: Clinic, tmp_path: Path
) -> None:
    office = Office(clinic, tmp_path)

    preview = office.imports(*SHEET, apply=False)
    assert (preview["rows"], preview["people"], preview["new_people"]) == (9, 2, 2)
    assert preview["outcomes"]["complete_intake applied"] == 2
    assert preview["outcomes"]["attended after_admission"] == 3
    assert await clinic.get("intake", "/v1/admissions", site_id=clinic.site_id) == []

    done = office.imports(*SHEET, apply=True)
    assert office.rejected() == {}
    assert done["outcomes"] == {
        "receive_referral applied": 2,
        "complete_intake applied": 2,
        "discharge applied": 1,
        "record_attended applied": 3,
        "record_missed applied": 2,
    }
    again = office.imports(*reversed(SHEET), apply=True)
    assert set(again["outcomes"]) == {
        name.replace("applied", "duplicate") for name in done["outcomes"]
    }

    found = await clinic.get("intake", "/v1/admissions", site_id=clinic.site_id)
    by_status = {one["status"]: one for one in found}
    assert set(by_status) == {"admitted", "discharged"}
    assert by_status["discharged"]["ended_for"] == "dropped_out"
    person = by_status["admitted"]["admission_id"]
    seats = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    assert [(seat["status"], seat["minutes"], seat["reason"]) for seat in seats] == [
        ("attended", 170, None),
        ("no_show", 0, "transport"),
        ("late_cancellation", 0, "unknown"),
    ]
    other = by_status["discharged"]["admission_id"]
    together = await clinic.get("attendance", f"/v1/admissions/{other}/attendance")
    assert together[0]["session_id"] == seats[1]["session_id"]  # one group, two people
    assert "Quill" not in clinic.system.logs()


async def test_what_is_not_understood_or_refused_is_named_by_line_and_harms_no_other(
    clinic: Clinic, tmp_path: Path
) -> None:
    office = Office(clinic, tmp_path)
    office.imports(SHEET[0], apply=True)
    rows = [SHEET[1], *(row for row, _ in BAD), SHEET[2]]

    preview = office.imports(*rows, apply=False)
    told = office.rejected()
    done = office.imports(*rows, apply=True)

    assert office.rejected() == told
    for line, (row, why) in enumerate(BAD, 3):
        assert told[line].startswith(why), (row, told[line])
    assert len(told) == len(BAD)
    assert preview["outcomes"] == done["outcomes"]
    assert done["outcomes"]["record_attended applied"] == 1
    assert "m-1" not in (tmp_path / "out" / "rejected.csv").read_text()


async def test_a_mapping_that_cannot_be_used_is_one_clear_line(
    clinic: Clinic, tmp_path: Path
) -> None:
    office = Office(clinic, tmp_path)
    for wrong, words in (
        (MAPPING.replace('"no_show"', '"gone"'), "what.Absent"),
        (MAPPING.replace("UTC", "Mars/One"), "time_zone"),
        (MAPPING.replace('day = "Date"', 'day = "Datum"'), "there is no column Datum"),
    ):
        (tmp_path / "map.toml").write_text(wrong.replace("{site}", clinic.site_id))
        (tmp_path / "sheet.csv").write_text(f"{HEAD}\n")
        done = clinic.system.handrail(
            *("import", str(tmp_path / "sheet.csv"), "--mapping", str(tmp_path / "map.toml")),
            *("--out", str(tmp_path / "out")),
        )
        assert done.returncode == 1
        assert words in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1
    assert office.folder == tmp_path
