"""The decisions of the kit's protocol, as the simulation asks for them; planted bugs change one."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from handrail import inbox, relay
from handrail.dead_letters import Letter
from handrail.envelope import Received
from handrail.inbox import Claimed, Standing
from handrail.topics import partition_of


@dataclass(slots=True)
class Row:
    """One staged event: its place in the outbox and in its stream."""

    id: int
    xid: int
    key: UUID
    sequence: int
    command: int
    event: Received


class Protocol:
    """What the kit does. Every method is one decision; the pure ones are the kit's own."""

    name = "true"
    checks_receipts = True
    locks_stream = True
    stages_in_transaction = True
    waits_for_answers = True
    marks_before_answer = False
    drops_producer = True
    producer_keeps_order = True
    moves_offset_with_effects = True
    keeps_refused = True
    keeps_letters = True
    mends = True
    locks_parked = True
    unparks_early = False
    stands_before = True
    position_from_kafka = False

    def may_take(self, *, mine: bool, expired: bool) -> bool:
        """Whether a relay gets the lease of a shard."""
        return mine or expired

    def renews(self, seconds_since_renewal: float) -> bool:
        """Whether a relay renews its leases on the way through a batch."""
        return seconds_since_renewal >= relay.RENEW_SECONDS

    def goes_on(self, seconds_since_asked: float, same: bool) -> bool:  # noqa: FBT001  # a fact
        """Whether a relay sends on after a renewal: it came in time, and nobody was in between."""
        return same and seconds_since_asked <= relay.SILENT_SECONDS

    def may_cross_off(self, *, held: bool, same_epoch: bool) -> bool:
        """Whether rows of a shard are crossed off."""
        return held and same_epoch

    def crossed_off(self, sent: Sequence[Row], pending: Sequence[Row]) -> Sequence[Row]:
        """Which rows are crossed off after `sent` was answered."""
        del pending
        return sent

    def due(self, pending: Sequence[Row], highest_sent: int) -> list[Row]:
        """The rows to send, in order."""
        del highest_sent
        return sorted(pending, key=lambda row: row.id)

    def partition(self, key: UUID, dice: float) -> int:
        """Where a record goes."""
        del dice
        return partition_of(key)

    def moves(self, stored: int, expected: int) -> bool:
        """The compare in compare-and-set."""
        return stored == expected

    def sort(
        self, records: Sequence[Received | Letter], standings: dict[UUID, Standing]
    ) -> Claimed:
        """What becomes of each record."""
        return inbox.sort(records, standings)

    def verdict(self, record: Received, standing: Standing) -> str | None:
        """What becomes of one kept record that is played back."""
        return inbox.verdict(record, standing)

    def in_order(
        self, kept: Sequence[tuple[Letter, Received | None]]
    ) -> list[tuple[Letter, Received | None]]:
        """Kept records as they are played back: unreadable ones first, then by sequence."""
        return sorted(
            kept, key=lambda one: (one[1] is not None, one[0].sequence or 0, one[0].offset)
        )
