"""The layers of Compose, each way they are used together, as Compose itself reads them."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate.home import SERVICES

ROOT = Path(__file__).parents[2]
OBSERVE = ROOT / "deploy" / "observe"
ONE, TWO = "docker-compose.override.yml", "deploy/door/compose.yml"
OBSERVED, BROKERS = "deploy/observe/compose.yml", "deploy/brokers/compose.yml"
LAYERS = (
    (ONE,),
    (TWO,),
    (ONE, OBSERVED),
    (ONE, BROKERS),
    (TWO, BROKERS, OBSERVED),
)
IN_THREE = ("kafka", "kafka-2", "kafka-3")
# The official images of these start as root, or write beside their data.
STORES = {"postgres", *IN_THREE}
Composition = dict[str, Any]


def compose() -> list[str]:
    plugin = ["docker", "compose"]
    if shutil.which("docker") and not _run([*plugin, "version"]).returncode:
        return plugin
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    why = "there is no Compose: apt-get install docker-compose"
    assert os.environ.get("CI") != "true", why
    pytest.skip(why)


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    # What this machine sets must not be what the files say.
    plain = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.run(argv, check=False, capture_output=True, text=True, cwd=ROOT, env=plain)


@functools.cache
def read(layers: tuple[str, ...]) -> Composition:
    """What Compose makes of these on top of docker-compose.yml."""
    files = [word for file in ("docker-compose.yml", *layers) for word in ("--file", file)]
    done = _run([*compose(), *files, "config"])
    assert done.returncode == 0, done.stderr
    found: Composition = yaml.safe_load(done.stdout)
    return found


def published(service: Composition) -> list[str]:
    """Address and port of this machine; the two generations of Compose write it differently."""
    return [
        port.rpartition(":")[0]
        if isinstance(port, str)
        else f"{port['host_ip']}:{port['published']}"
        for port in service.get("ports", [])
    ]


def settings(service: Composition) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


@pytest.mark.parametrize("layers", LAYERS, ids=" ".join)
def test_all_is_published_on_loopback_alone_once_and_each_image_has_a_tag(
    layers: tuple[str, ...],
) -> None:
    services = read(layers)["services"]
    places = [place for service in services.values() for place in published(service)]

    assert len(set(places)) == len(places) >= 6
    assert all(place.startswith("127.0.0.1:") for place in places), places
    for name, service in services.items():
        _, _, tag = service["image"].rpartition("/")[2].partition(":")
        assert tag not in ("", "latest"), name


@pytest.mark.parametrize("layers", LAYERS, ids=" ".join)
def test_all_but_the_stores_are_hardened(layers: tuple[str, ...]) -> None:
    for name, service in read(layers)["services"].items():
        if name not in STORES:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


@pytest.mark.parametrize("layers", [one for one in LAYERS if BROKERS in one], ids=" ".join)
def test_three_brokers_keep_three_of_each_and_two_must_have_it(layers: tuple[str, ...]) -> None:
    services = read(layers)["services"]
    brokers = {name: settings(services[name]) for name in services if name.startswith("kafka")}
    assert tuple(sorted(brokers)) == IN_THREE

    voters = ",".join(f"{number}@{name}:9093" for number, name in enumerate(IN_THREE, 1))
    for number, (name, told) in enumerate(sorted(brokers.items()), 1):
        assert told["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        assert told["KAFKA_NODE_ID"] == str(number)
        assert told["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        # Another broker must reach it there.
        assert told["KAFKA_LISTENERS"].endswith("CONTROLLER://0.0.0.0:9093")
        assert told["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert told["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "2"
        copies = [value for key, value in told.items() if key.endswith("REPLICATION_FACTOR")]
        assert copies == ["3"] * 3
    assert len({told["CLUSTER_ID"] for told in brokers.values()}) == 1
    folders = {str(services[name]["volumes"]) for name in brokers}
    assert len(folders) == len(IN_THREE)
    assert services["prepare"]["command"][-2:] == ["--replicas", "3"]
    everywhere = ",".join(f"{name}:9092" for name in IN_THREE)
    for name in (*SERVICES, "prepare"):
        assert settings(services[name])["HANDRAIL_KAFKA_BOOTSTRAP"] == everywhere


def test_three_brokers_are_another_cluster_than_one() -> None:
    """Two empty ones could outvote the one that has data, and it would throw that away."""
    alone, three = (read((ONE, *more))["services"]["kafka"] for more in ((), (BROKERS,)))

    assert settings(alone)["CLUSTER_ID"] != settings(three)["CLUSTER_ID"]


@pytest.mark.parametrize("layers", [one for one in LAYERS if TWO in one], ids=" ".join)
def test_behind_the_door_are_two_and_it_alone_is_published(layers: tuple[str, ...]) -> None:
    services = read(layers)["services"]

    for name in SERVICES:
        assert int(services[name]["deploy"]["replicas"]) == 2
        assert not published(services[name])
    assert len(published(services["door"])) == 6


@pytest.mark.parametrize("layers", [one for one in LAYERS if OBSERVED in one], ids=" ".join)
def test_traces_go_to_the_collector_on_to_jaeger_and_the_page_leads_there(
    layers: tuple[str, ...],
) -> None:
    services = read(layers)["services"]
    collector = yaml.safe_load((OBSERVE / "collector.yml").read_text())
    [exporter] = collector["service"]["pipelines"]["traces"]["exporters"]
    [receiver] = collector["service"]["pipelines"]["traces"]["receivers"]
    port = collector["receivers"][receiver]["protocols"]["http"]["endpoint"].rpartition(":")[2]

    assert collector["exporters"][exporter]["endpoint"].split(":")[0] in services
    for name in SERVICES:
        assert settings(services[name])["HANDRAIL_OTLP_ENDPOINT"] == f"http://collector:{port}"
    leads_to = settings(services["alerts"])["HANDRAIL_TRACE_URL"]
    assert leads_to == "http://localhost:16686/trace/{trace_id}"
    assert published(services["jaeger"]) == ["127.0.0.1:16686"]


def test_prometheus_and_grafana_find_what_their_files_name() -> None:
    services = read((ONE, OBSERVED))["services"]
    prometheus = yaml.safe_load((OBSERVE / "prometheus.yml").read_text())
    scraped = [
        target.split(":")
        for job in prometheus["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    assert sorted(name for name, _ in scraped) == sorted(SERVICES)
    for name, port in scraped:
        assert settings(services[name]).get("HANDRAIL_HTTP_PORT", "8080") == port
    mounted = "".join(map(str, services["prometheus"]["volumes"]))
    assert all(file in mounted for file in ("prometheus.yml", *prometheus["rule_files"]))

    provisioning = OBSERVE / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    boards = [json.loads(file.read_text()) for file in (OBSERVE / "grafana").glob("*.json")]
    asked = {panel["datasource"]["uid"] for board in boards for panel in board["panels"]}
    assert asked == {source["uid"]}
    [provider] = yaml.safe_load((provisioning / "dashboards" / "handrail.yml").read_text())[
        "providers"
    ]
    assert provider["options"]["path"] in "".join(map(str, services["grafana"]["volumes"]))
