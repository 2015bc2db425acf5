"""Two of each service behind the door, and every one replaced while commands come in."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from operate.drill import roll
from operate.ground import EXTERNAL_DATABASE
from operate.home import HOST, SERVICES
from tests.containers.composed import BEHIND_THE_DOOR, ROOT, Composed

EACH = 2
PATIENCE_SECONDS = 400


@pytest.fixture
def behind_the_door(composed: Composed) -> Iterator[Composed]:
    """The system that runs, with its data, as two of each service; afterwards as it was."""
    composed.compose("rm", "--stop", "--force", *SERVICES)
    doubled = replace(composed, files=BEHIND_THE_DOOR)
    try:
        doubled.start()
        yield doubled
    finally:
        # The door is in no file of the others, and would keep their network and their ports.
        doubled.compose("rm", "--stop", "--force", "door", *SERVICES)
    composed.start()


@pytest.mark.drill
async def test_every_service_is_replaced_under_load_and_nothing_is_lost_repeated_or_failed(
    behind_the_door: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = behind_the_door.home
    password = behind_the_door.compose("exec", "-T", "postgres", "cat", "/keys/password").strip()
    place = f"{HOST}:{home.ports()['postgres']}"
    monkeypatch.setenv(EXTERNAL_DATABASE, f"postgresql://postgres:{password}@{place}/postgres")
    before = {name: behind_the_door.ids(name) for name in SERVICES}

    async def roll_once() -> None:
        print(await asyncio.to_thread(rolled, behind_the_door))

    told = await roll.drill(home, behind_the_door.system().addresses, roll_once)

    print(told)
    assert told["good"], told
    assert told["commands"] > 1000
    after = {name: behind_the_door.ids(name) for name in SERVICES}
    assert {len(ids) for ids in (*before.values(), *after.values())} == {EACH}
    assert not any(set(before[name]) & set(after[name]) for name in SERVICES)


def rolled(handrail: Composed) -> str:
    """Roll as a person does; gives what it says."""
    files = {"COMPOSE_FILE": ":".join(handrail.files), "COMPOSE_PROJECT_NAME": handrail.project}
    done = subprocess.run(
        [ROOT / "deploy" / "door" / "roll"],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env=os.environ | handrail.settings() | files,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
