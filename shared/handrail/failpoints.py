"""Named steps at which a drill can end this process; they do nothing otherwise.

| step | when |
|---|---|
| `command.before_commit` | a command is carried out and its events are staged |
| `command.after_commit` | that is committed; nobody is answered yet, and the relay knows nothing |
| `relay.mid_batch` | some events of a batch are sent |
| `relay.after_send` | the broker has them all, and none is crossed off |
| `consumer.before_commit` | a batch is applied |
| `consumer.after_commit` | that is committed; Kafka knows nothing of it |
| `consumer.assigned` | partitions are given to this process, in a rebalance or at its start |
| `escalation.before_commit` | somebody else is told of a concern nobody took on |
"""

import os
import random
import signal
from pathlib import Path

PREFIX = "failpoint "
# Where several steps are planned, the one that is passed most would be the only one ever hit.
ONE_OF = "one of "

_HITS: dict[str, int] = {}


def _planned() -> dict[str, tuple[int, str]]:
    plans = {}
    planned = os.environ.get("HANDRAIL_FAILPOINTS", "")
    several = list(filter(None, planned.removeprefix(ONE_OF).split(",")))
    if planned.startswith(ONE_OF):
        several = [random.choice(several)]  # noqa: S311  # each process draws its own
    for plan in several:
        name, _, how = plan.partition("=kill:")
        after, _, once = how.partition(":")
        plans[name] = int(after or 1), once
    return plans


_PLANNED = _planned()


def hit(name: str) -> None:
    """Kill this process at the n-th pass when HANDRAIL_FAILPOINTS says `name=kill:n`.

    Each process counts anew; `name=kill:n:FILE` does it once, and leaves that file. After `one of `
    each process has one of the steps that follow.
    """
    if name not in _PLANNED:
        return
    after, once = _PLANNED[name]
    _HITS[name] = _HITS.get(name, 0) + 1
    if _HITS[name] != after or (once and Path(once).exists()):
        return
    if once:
        Path(once).touch()
    os.write(2, f"{PREFIX}{name}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
