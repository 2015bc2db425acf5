"""Quix Streams, exactly once: the same work as `work.py` does in PostgreSQL.

An event is kept once by key and sequence, with its type and body, and each key's events are
counted. The offsets and the changelog of the state move in one Kafka transaction.

What differs: the state lies in RocksDB on this machine, and durably in a changelog topic, from
which it is read again after a crash. So it is exactly once inside Kafka, and nothing outside can
query it or take part in the transaction. A commit is as durable as a topic: the broker has it and
leaves the disk to the system, where PostgreSQL waits for the disk. State belongs to a record's
key, which is the admission's. A commit is made every 100 ms, as Kafka Streams does by default;
here that would be 5 s, too long to wait for an alert.
"""

import time
from threading import Event, Thread
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient
from contract import GROUP, TOPIC, tell, words
from quixstreams import Application, State

COMMIT_SECONDS = 0.1


class Peer:
    """Keeps and counts what is taken, and knows when the last of it was committed."""

    def __init__(self, kafka: str, wanted: int) -> None:
        """`kafka` is where to look for what is committed; `wanted` how many events are taken."""
        self.kafka, self.wanted, self.taken = kafka, wanted, 0
        self.began = self.ended = 0.0
        self.all_taken = Event()

    def keep(self, body: Any, _key: Any, _at: int, headers: Any, state: State) -> None:
        """One event, in the state of its key."""
        self.began = self.began or time.perf_counter()
        about = dict(headers)
        sequence = about["ce_sequence"].decode()
        if not state.exists(sequence):
            state.set(sequence, [about["ce_type"].decode(), body])
            state.set("events", state.get("events", 0) + 1)
        self.taken += 1
        if self.taken == self.wanted:
            self.all_taken.set()

    def watch(self) -> None:
        """Note when the offsets of all that was wanted lie in a finished transaction."""
        admin = AdminClient({"bootstrap.servers": self.kafka})
        self.all_taken.wait()
        while self._committed(admin) < self.wanted:
            time.sleep(0.002)
        self.ended = time.perf_counter()

    def _committed(self, admin: AdminClient) -> int:
        asked = [ConsumerGroupTopicPartitions(GROUP)]
        found = admin.list_consumer_group_offsets(asked, require_stable=True)[GROUP].result()
        return sum(max(place.offset, 0) for place in found.topic_partitions)


def main() -> None:
    kafka, _url, wanted = words()
    peer = Peer(kafka, wanted)
    app = Application(
        kafka,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_SECONDS,
        loglevel="ERROR",
    )
    topic = app.topic(TOPIC, key_deserializer="bytes", value_deserializer="json")
    app.dataframe(topic).update(peer.keep, stateful=True, metadata=True)
    watching = Thread(target=peer.watch, daemon=True)
    watching.start()
    app.run(count=wanted, collect=False)
    watching.join()
    tell(peer.taken, peer.ended - peer.began)


main()
