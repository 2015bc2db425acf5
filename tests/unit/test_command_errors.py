"""What `./handrail` prints when something it does fails, also when that was one of several tasks."""

import asyncio
import signal
import subprocess
import sys

import pytest
import typer

from operate import cli
from operate.errors import OperateError


async def _fail(text: str) -> None:
    raise OperateError(text)


async def _two_at_once() -> None:
    async with asyncio.TaskGroup() as outer:
        outer.create_task(_grouped("the day stands still"))


async def _grouped(text: str) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_fail(text))
        group.create_task(_fail(text))


async def _with_a_fault_of_ours() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_fail("known"))
        group.create_task(_divide())


async def _divide() -> float:
    return 1 / int("0")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    app = typer.Typer()
    app.command("none")(lambda: None)
    app.command("one")(lambda: asyncio.run(_fail("the day stands still")))
    app.command("several")(lambda: asyncio.run(_two_at_once()))
    app.command("fault")(lambda: asyncio.run(_with_a_fault_of_ours()))
    monkeypatch.setattr(cli, "app", app)
    return app


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("asked", ["one", "several"])
def test_a_known_failure_is_one_line(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["handrail", asked])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == cli.EXIT_FAILED
    assert capsys.readouterr().err == "handrail: the day stands still\n"


@pytest.mark.usefixtures("app")
def test_a_fault_of_ours_beside_it_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["handrail", "fault"])

    with pytest.raises(ExceptionGroup) as raised:
        cli.main()

    assert raised.group_contains(ZeroDivisionError)


ENDLESS = """
import asyncio
import signal
import typer
from operate import cli

# As at a terminal; who starts us in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def serve():
    try:
        print("begun", flush=True)
        await asyncio.sleep(60)
    finally:
        print("stopped", flush=True)

cli.app = typer.Typer()
cli.app.command("none")(lambda: None)
cli.app.command("serve")(lambda: asyncio.run(serve()))
cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_ended_stops_what_it_started(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, "serve"], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"

        run.send_signal(number)

        assert run.communicate(timeout=30)[0] == "stopped\n"
    assert run.returncode == cli.EXIT_INTERRUPTED
