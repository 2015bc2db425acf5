"""A restore to an earlier moment: the services agree again, or it is said what is not known."""

import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from operate.backup import put_back
from operate.drill import judge
from operate.errors import OperateError
from operate.home import SERVICES
from tests.journeys.clinic import Clinic
from tests.parts import running_system, temporary_home


@pytest.mark.drill
@pytest.mark.slow
async def test_after_a_restore_the_services_agree_and_what_was_forgotten_is_told(
    tmp_path: Path,
) -> None:
    with running_system() as system:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            clinic = Clinic(system, client, f"site-{uuid4().hex[:12]}")
            person = await clinic.admitted()
            await clinic.missed(person, 6)
            await clinic.known_to_alerts(person)
            contact = f"/v1/admissions/{person}/contact"
            put = await client.put(clinic.url("intake") + contact, json={"name": "Ferrymark"})
            assert put.is_success, put.text
            assert await judge.until_rest(system.home, 30)
            folders = ("--keys", str(tmp_path / "keys"))
            taken = system.handrail("backup", "--out", str(tmp_path / "one"), *folders)
            assert taken.returncode == 0, taken.stderr

            assert system.handrail("keys", "rotate").returncode == 0
            await clinic.missed(person, 4)
            late = await clinic.admitted()
            assert await judge.until_rest(system.home, 30)
            assert system.handrail("restore", "--from", str(tmp_path / "one")).returncode != 0
            assert system.handrail("down").returncode == 0
            restored = system.handrail("restore", "--from", str(tmp_path / "one"), *folders)
            assert restored.returncode == 0, restored.stderr
            told = json.loads(restored.stdout[restored.stdout.index("{") :])

            assert told["forgotten"]["attendance"][str(person)] == {
                "attendance.session_missed.v1": 1
            }
            assert str(late) in told["forgotten"]["intake"]
            assert told["positions_beyond"] == []
            assert told["incarnation"] == dict.fromkeys(SERVICES, 2)

            started = system.handrail("up", "--detach")
            assert started.returncode == 0, started.stderr
            assert await judge.until_rest(system.home, 60)
            # Its own data is gone back; what it said is still known to those who heard it.
            assert len(await clinic.get("attendance", f"/v1/admissions/{person}/attendance")) == 1
            await clinic.concern(person, level=2, state="open")
            [kept] = await clinic.get("intake", f"{contact}s")
            assert kept["name"] == "Ferrymark"

            await clinic.missed(person, 2)
            assert await judge.until_rest(system.home, 30)
            for service in SERVICES:
                assert not await judge.ask(system.home, service, judge.LETTERS), service
            facts = await judge.ask(system.home, "alerts", judge.FACTS)
            assert sorted(n for key, n in facts if key == str(person)) == [1, 2, 3]


@pytest.mark.parametrize("content", ["", '{"format": 99}'])
async def test_a_folder_that_is_no_backup_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "backup.json").write_text(content)
    with temporary_home() as home, pytest.raises(OperateError, match=r"no (whole )?backup"):
        await put_back(home, tmp_path, print)
