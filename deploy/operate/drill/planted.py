"""Bugs planted in the protocol, one each; the simulation has to catch every one."""

from collections.abc import Sequence
from uuid import UUID

from handrail import inbox
from handrail.dead_letters import Letter
from handrail.envelope import Received
from handrail.inbox import Claimed, Standing
from handrail.topics import PARTITIONS
from operate.drill.protocol import Protocol, Row


class ReceiptNotChecked(Protocol):  # noqa: D101  # the name says it, here and below
    checks_receipts = False


class SequenceWithoutLock(Protocol):  # noqa: D101
    locks_stream = False


class StagedAfterCommit(Protocol):  # noqa: D101
    stages_in_transaction = False


class LeaseTakenFromTheLiving(Protocol):  # noqa: D101
    def may_take(self, *, mine: bool, expired: bool) -> bool:  # noqa: D102
        del mine, expired
        return True


class LeaseWithoutEpoch(Protocol):  # noqa: D101
    def may_cross_off(self, *, held: bool, same_epoch: bool) -> bool:  # noqa: D102
        del held, same_epoch
        return True


class LeaseNotRenewedInABatch(Protocol):  # noqa: D101
    def renews(self, seconds_since_renewal: float) -> bool:  # noqa: D102
        del seconds_since_renewal
        return False


class LateRenewalTrusted(Protocol):  # noqa: D101
    def goes_on(self, seconds_since_asked: float, same: bool) -> bool:  # noqa: D102, FBT001
        del seconds_since_asked
        return same


class LostLeaseNotNoticed(Protocol):  # noqa: D101
    def goes_on(self, seconds_since_asked: float, same: bool) -> bool:  # noqa: D102, FBT001
        del same
        return super().goes_on(seconds_since_asked, True)  # noqa: FBT003


class CrossedOffByRange(Protocol):  # noqa: D101
    def crossed_off(self, sent: Sequence[Row], pending: Sequence[Row]) -> Sequence[Row]:  # noqa: D102
        return [row for row in pending if row.id <= sent[-1].id]


class MarkedBeforeTheAnswer(Protocol):  # noqa: D101
    marks_before_answer = True


class AnswersIgnored(Protocol):  # noqa: D101
    waits_for_answers = False


class ProducerKeptAfterAnError(Protocol):  # noqa: D101
    drops_producer = False


class ProducerNotIdempotent(Protocol):  # noqa: D101
    producer_keeps_order = False


class CursorInsteadOfPendingRows(Protocol):  # noqa: D101
    def due(self, pending: Sequence[Row], highest_sent: int) -> list[Row]:  # noqa: D102
        return [row for row in super().due(pending, highest_sent) if row.id > highest_sent]


class OrderedByTransaction(Protocol):  # noqa: D101
    def due(self, pending: Sequence[Row], highest_sent: int) -> list[Row]:  # noqa: D102
        del highest_sent
        return sorted(pending, key=lambda row: (row.xid, row.id))


class BatchWithoutKeys(Protocol):  # noqa: D101
    def partition(self, key: UUID, dice: float) -> int:  # noqa: D102
        del key
        return int(dice * PARTITIONS)


class OffsetNotCompared(Protocol):  # noqa: D101
    def moves(self, stored: int, expected: int) -> bool:  # noqa: D102
        del stored, expected
        return True


class OffsetMovedBeforeTheEffects(Protocol):  # noqa: D101
    moves_offset_with_effects = False


class PositionFromKafka(Protocol):  # noqa: D101
    position_from_kafka = True


class RefusedBatchSkipped(Protocol):  # noqa: D101
    keeps_refused = False


class LettersDropped(Protocol):  # noqa: D101
    keeps_letters = False


class GapNeverMended(Protocol):  # noqa: D101
    mends = False


class UnparkedTooEarly(Protocol):  # noqa: D101
    unparks_early = True


class StandingNotSetBack(Protocol):  # noqa: D101
    stands_before = False


class RedriveWithoutALock(Protocol):  # noqa: D101
    locks_parked = False


class PlayedBackAsTheyCame(Protocol):  # noqa: D101
    def in_order(  # noqa: D102
        self, kept: Sequence[tuple[Letter, Received | None]]
    ) -> list[tuple[Letter, Received | None]]:
        return sorted(kept, key=lambda one: one[0].offset)


class _OtherVerdict(Protocol):
    """`inbox.sort` with another verdict in it."""

    def sort(
        self, records: Sequence[Received | Letter], standings: dict[UUID, Standing]
    ) -> Claimed:
        kept, inbox.verdict = inbox.verdict, self.verdict
        try:
            return inbox.sort(records, standings)
        finally:
            inbox.verdict = kept


class RepeatsApplied(_OtherVerdict):  # noqa: D101
    def verdict(self, record: Received, standing: Standing) -> str | None:  # noqa: D102
        return _true(record, standing) or None


class NoGapCheck(_OtherVerdict):  # noqa: D101
    def verdict(self, record: Received, standing: Standing) -> str | None:  # noqa: D102
        reason = _true(record, standing)
        return None if reason == inbox.GAP else reason


class ParkedNotHeld(_OtherVerdict):  # noqa: D101
    def verdict(self, record: Received, standing: Standing) -> str | None:  # noqa: D102
        return _true(record, Standing(standing.sequence, standing.incarnation))


_true = inbox.verdict
PLANTED: tuple[type[Protocol], ...] = (
    ReceiptNotChecked,
    SequenceWithoutLock,
    StagedAfterCommit,
    LeaseTakenFromTheLiving,
    LeaseWithoutEpoch,
    LeaseNotRenewedInABatch,
    LateRenewalTrusted,
    LostLeaseNotNoticed,
    CrossedOffByRange,
    MarkedBeforeTheAnswer,
    AnswersIgnored,
    ProducerKeptAfterAnError,
    ProducerNotIdempotent,
    CursorInsteadOfPendingRows,
    OrderedByTransaction,
    BatchWithoutKeys,
    OffsetNotCompared,
    OffsetMovedBeforeTheEffects,
    PositionFromKafka,
    RefusedBatchSkipped,
    LettersDropped,
    GapNeverMended,
    UnparkedTooEarly,
    StandingNotSetBack,
    RedriveWithoutALock,
    PlayedBackAsTheyCame,
    RepeatsApplied,
    NoGapCheck,
    ParkedNotHeld,
)
