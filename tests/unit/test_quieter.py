"""Which lines of the log are left out."""

import logging

from handrail.telemetry import REPEAT_SECONDS, Quieter


def is_written(quieter: Quieter, logger: str, message: object, at: float, *args: object) -> bool:
    record = logging.LogRecord(logger, logging.ERROR, "", 0, message, args, None)
    record.created = at
    return quieter.filter(record)


def test_a_library_says_the_same_once_in_a_while() -> None:
    quieter, line = Quieter(), "Group Coordinator Request failed: %s"

    said = [is_written(quieter, "aiokafka", line, 100 + n / 10, n) for n in range(100)]

    assert said == [True, *[False] * 99]
    assert is_written(quieter, "aiokafka", line, 100 + REPEAT_SECONDS)
    assert is_written(quieter, "aiokafka", "Another line", 101)
    assert is_written(quieter, "asyncio", line, 101)


def test_our_own_lines_all_stand() -> None:
    quieter = Quieter()

    assert all(is_written(quieter, "handrail", "relay.waits", 100) for _ in range(3))


def test_what_was_said_is_not_remembered_without_end() -> None:
    quieter = Quieter()

    assert all(is_written(quieter, "aiokafka", f"record {n} failed", 100) for n in range(2000))
    assert len(quieter._said) <= 500
