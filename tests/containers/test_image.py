"""What is in the image, and what its containers may do."""

import json
import re

import pytest

from operate.home import SERVICES
from tests.containers.composed import ROOT, Composed
from tests.containers.daemon import docker
from tests.parts import until

MEGABYTE = 1_000_000


def test_the_image_is_less_than_200_megabytes_over_its_base(composed: Composed) -> None:
    names = composed.images["HANDRAIL_IMAGE"], composed.images["PYTHON_IMAGE"]
    ours, base = (int(docker("inspect", "-f", "{{.Size}}", name).stdout) for name in names)

    assert 0 < ours - base < 200 * MEGABYTE


def test_the_image_lists_what_it_is_made_of(composed: Composed) -> None:
    file = "/usr/share/sbom/handrail.cdx.json"
    words = ("run", "--rm", "--network", "none", "--entrypoint", "cat")
    bill = json.loads(docker(*words, composed.images["HANDRAIL_IMAGE"], file).stdout)

    lock = (ROOT / "requirements.server.lock").read_text()
    locked = set(re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE))
    listed = {(one["name"].lower(), one["version"]) for one in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert len(listed) > 40
    assert {(re.sub(r"[-_.]+", "-", name), version) for name, version in listed} <= locked


async def test_docker_finds_every_service_healthy(composed: Composed) -> None:
    async def is_so() -> bool:
        found = composed.inspect(*SERVICES).values()
        return all(one["State"]["Health"]["Status"] == "healthy" for one in found)

    await until(is_so, "all services are healthy", seconds=90)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_nothing_that_it_does_not_need(composed: Composed, service: str) -> None:
    container = composed.inspect(service)[service]

    assert container["Config"]["User"] == "10001:10001"
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in container["HostConfig"]["SecurityOpt"]
    assert {mount["RW"] for mount in container["Mounts"]} == {False}
    published = container["NetworkSettings"]["Ports"].values()
    assert {one["HostIp"] for places in published for one in places or ()} == {"127.0.0.1"}
