"""A Docker daemon: the one that answers here, or one that starts and ends with the tests.

Where the machine allows none, the tests are skipped and say why.
"""

import contextlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE_SECONDS = 60
END_SECONDS = 60
# Docker's own init: a static program, so that an image of it alone can run.
INIT = "docker-init"
PROBE = "handrail-probe"
# What Docker answers where the image has no such program, which is no fault of the machine.
NOT_FOUND = 127


@contextlib.contextmanager
def running_daemon() -> Iterator[None]:
    """DOCKER_HOST leads to a daemon that has run a container on a network of its own."""
    if shutil.which("docker") is None:
        pytest.skip("there is no Docker: apt-get install docker.io docker-compose debootstrap")
    with contextlib.ExitStack() as stack:
        if not _answers():
            stack.enter_context(_own_daemon())
        _require_a_container()
        yield


@contextlib.contextmanager
def _own_daemon() -> Iterator[None]:
    """Everything it keeps lies in one folder that goes with it."""
    dockerd = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if dockerd is None or os.geteuid() != 0:
        pytest.skip("no Docker daemon answers, and it takes root and dockerd to start one")
    folder = Path(tempfile.mkdtemp(prefix="handrail-docker-"))
    host = f"unix://{folder}/socket"
    # However these tests end, the daemon is told to end too.
    argv = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "TERM", dockerd, "--host", host]
    argv += ["--data-root", f"{folder}/data", "--bridge", "none"]
    argv += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    with (folder / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            _wait_for(process, folder / "log")
            yield
        finally:
            process.terminate()
            process.wait(END_SECONDS)
            # The daemon leaves the machine's own network mounted there.
            left = ["umount", f"{folder}/exec/netns/default"]
            subprocess.run(left, check=False, capture_output=True)
            shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not _answers():
        if process.poll() is not None or time.monotonic() > until:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            pytest.skip(f"no Docker daemon can be started on this machine: {' '.join(last)}")
        time.sleep(0.2)


def _answers() -> bool:
    return docker("version", "--format", "{{.Server.Version}}").returncode == 0


def _require_a_container() -> None:
    """A machine may have a daemon and forbid what containers need; that is no fault of ours."""
    init = shutil.which(INIT, path=f"{os.environ['PATH']}:/usr/libexec/docker")
    if init is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "probe.tar")
        with tarfile.open(archive, "w", dereference=True) as tar:
            tar.add(init, "init")
        steps = (
            ("import", str(archive), PROBE),
            ("network", "create", PROBE),
            ("run", "--rm", "--network", PROBE, PROBE, "/init", "--version"),
        )
        tried = [docker(*words) for words in steps]
    docker("network", "rm", PROBE)
    docker("image", "rm", PROBE)
    assert tried[-1].returncode != NOT_FOUND, tried[-1].stderr
    trouble = [one.stderr.strip() for one in tried if one.returncode]
    if trouble:
        pytest.skip(f"this machine runs no containers: {trouble[0].splitlines()[0]}")


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    """Docker's command, and what it said."""
    argv = [shutil.which("docker") or "docker", *words]
    return subprocess.run(argv, check=False, capture_output=True, text=True)
