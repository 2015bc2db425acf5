"""Prometheus's own files with every duration divided by one number, so that hours pass in minutes.

Divided are: ranges in brackets, `for`, the intervals, and a number that a metric in seconds is
compared with. Shares, counts, names and everything else stay as they are.
"""

import re
from collections.abc import Mapping

_MILLISECONDS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\[|\bfor: |_interval: )(\d+)([smhd])\b")
_SECONDS = re.compile(r"(_seconds(?:\{[^}]*\})? > )(\d+)\b")
_TARGET = re.compile(r'"(\w+):8080"')


def divided(text: str, factor: int) -> str:
    """A file of rules or a configuration, with its durations divided."""

    def shorter(found: re.Match[str]) -> str:
        milliseconds = int(found[2]) * _MILLISECONDS[found[3]] / factor
        return f"{found[1]}{milliseconds:.0f}ms"

    def sooner(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) / factor:g}"

    return _SECONDS.sub(sooner, _DURATION.sub(shorter, text))


def placed(configuration: str, addresses: Mapping[str, str]) -> str:
    """The configuration with where this home's services answer: by service, host and port."""
    return _TARGET.sub(lambda found: f'"{addresses[found[1]]}"', configuration)
