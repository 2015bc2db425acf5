"""What clinics need grows with them, and no service is planned to run alone or beyond its topic."""

import os

import psutil

from operate.bench import sizing
from operate.home import SERVICES

COST = sizing.Cost(dict.fromkeys((*SERVICES, "postgres"), 2.0), 1000.0, 400.0, 1.5)


def test_a_hundred_clinics_need_a_hundred_times_of_one() -> None:
    one, hundred = sizing.needs(COST, 1), sizing.needs(COST, 100)

    assert one["events_a_day"] == 90
    assert hundred["events_a_day"] == 9000
    # Half of 9,000 in a quarter of an hour; 2 ms each, of cores that are half busy.
    assert hundred["peak_events_a_second"] == 5.0
    assert hundred["cores"]["postgres"] == 0.02
    assert hundred["database_gb_a_year"] == 3.3
    assert hundred["topics_gb_a_year"] == 1.3


def test_two_of_each_service_at_least_and_one_more_for_each_core() -> None:
    assert set(sizing.needs(COST, 1)["instances"].values()) == {2}
    assert sizing.needs(COST, 10_000)["cores"]["alerts"] == 2.0
    assert sizing.needs(COST, 11_000)["instances"]["alerts"] == 3


def test_more_processes_than_a_topic_has_partitions_are_another_installation() -> None:
    assert sizing.needs(COST, 40_000) | {"installations": 1} == sizing.needs(COST, 40_000)
    assert sizing.needs(COST, 41_000)["installations"] == 2


def test_a_process_is_counted_with_those_it_started() -> None:
    me = {"services": {"me": {"pid": os.getpid()}}, "parts": {}}
    before = sizing.cpu_seconds(me)["me"]
    busy = psutil.Popen(["python3", "-c", "sum(range(10**6))"])
    busy.wait()

    assert sizing.cpu_seconds(me)["me"] > before
