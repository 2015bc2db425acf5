"""Named steps at which a drill can end this process; they do nothing otherwise."""

import os
import signal

_HITS: dict[str, int] = {}


def _planned() -> dict[str, int]:
    plans = {}
    for plan in filter(None, os.environ.get("HANDRAIL_FAILPOINTS", "").split(",")):
        name, _, after = plan.partition("=kill:")
        plans[name] = int(after or 1)
    return plans


_PLANNED = _planned()


def hit(name: str) -> None:
    """Kill this process at the n-th pass when HANDRAIL_FAILPOINTS says `name=kill:n`."""
    if name not in _PLANNED:
        return
    _HITS[name] = _HITS.get(name, 0) + 1
    if _HITS[name] == _PLANNED[name]:
        os.kill(os.getpid(), signal.SIGKILL)
