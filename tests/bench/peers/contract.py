"""How the bench starts a peer, and what a peer tells it.

`program kafka url events`, in an empty folder that is removed afterwards. The last line it prints
is `{"events": …, "seconds": …}`: what it took, and how long from its first event until the last
one was committed.
"""

import json
import sys
import time

TOPIC = "attendance.events"
# A group that has committed nothing: every run starts at the first event.
GROUP = f"peer-{time.time_ns()}"


def words() -> tuple[str, str, int]:
    """Kafka, the database and how many events to take."""
    return sys.argv[1], sys.argv[2], int(sys.argv[3])


def tell(events: int, seconds: float) -> None:
    """Print the result for the bench."""
    print(json.dumps({"events": events, "seconds": seconds}), flush=True)
