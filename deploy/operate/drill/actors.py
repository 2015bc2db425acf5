"""The processes of the simulation: each `yield` is a place where it can be ended or frozen."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from handrail import inbox
from handrail.dead_letters import BEHIND, Letter
from handrail.envelope import Received
from handrail.events.attendance import ScreenResulted
from handrail.relay import LEASE_SECONDS, RENEW_SECONDS, SEND_SECONDS, SILENT_SECONDS
from handrail.topics import PARTITIONS, partition_of, shard_of
from operate.drill.protocol import Row

if TYPE_CHECKING:
    from operate.drill.simulation import Work, World

# By partition: where its records begin, and the records.
Batches: TypeAlias = dict[int, tuple[int, list[Received | Letter]]]

TOPIC = "attendance.events"
BATCH = 8
# One event in so many makes its handler fail until it is mended.
FAILS_EVERY = 211
_NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
_EVENTS: dict[UUID, ScreenResulted] = {}


def _received(key: UUID, sequence: int, command: int) -> Received:
    event = _EVENTS.get(key)
    if event is None:
        event = _EVENTS[key] = ScreenResulted(
            site_id="north",
            occurred_at=_NOON,
            recorded_at=_NOON,
            recorded_day=date(2026, 11, 2),
            admission_id=key,
            positives=(),
        )
    name = str(UUID(int=command))
    return Received(event, name, "attendance", key, sequence, 1, None, partition_of(key), 0)


def unreadable(partition: int, offset: int, key: UUID, reason: str) -> Letter:
    """A record nobody can read."""
    return Letter(TOPIC, partition, offset, key, None, None, reason, b"")


def can_be_applied(event: Received | None) -> bool:
    """Whether it can be read, and its handler does not fail before it is mended."""
    return event is not None and int(event.event_id[-8:], 16) % FAILS_EVERY != 0


def writer(w: "World") -> Iterator[None]:
    """A service that takes commands: state, receipt and event in one transaction."""
    while True:
        if not w.unanswered:
            yield
            continue
        command, key = w.dice.choice(w.unanswered)
        work = w.begin()
        try:
            xid = w.draw()
            yield
            while w.protocol.locks_stream and not (work.dead or w.lock(work, key)):
                yield
            sequence = w.streams.get(key, 0) + 1
            row = Row(w.draw(), xid, key, sequence, command, _received(key, sequence, command))
            for _ in range(w.dice.randrange(1, 6)):
                yield
            if work.dead or (w.protocol.checks_receipts and command in w.receipts):
                if command in w.receipts:
                    _answer(w, command, key)
                continue
            w.receipts.add(command)
            w.committed[key].append(command)
            w.promised.add(command)
            if w.protocol.stages_in_transaction:
                w.streams[key] = sequence
                w.pending[row.id] = row
        finally:
            w.end(work)
        yield
        if not w.protocol.stages_in_transaction:
            sequence = w.streams.get(key, 0) + 1
            w.streams[key] = sequence
            row = Row(w.draw(), xid, key, sequence, command, _received(key, sequence, command))
            w.pending[row.id] = row
        _answer(w, command, key)


def _answer(w: "World", command: int, key: UUID) -> None:
    if (command, key) in w.unanswered:
        w.unanswered.remove((command, key))


def relay(w: "World") -> Iterator[None]:  # noqa: C901, PLR0912  # one loop, as in the kit
    """Line by line what `handrail.relay.Relay.run` does."""
    from operate.drill.simulation import Wire  # noqa: PLC0415  # they know each other

    holder, epochs, renewed, highest = w.draw(), dict[int, int](), -1e9, 0
    wire: Wire | None = None
    try:
        while True:
            yield
            if not epochs or w.now - renewed >= RENEW_SECONDS:
                epochs, renewed = yield from _renew(w, holder)
            rows = w.protocol.due(w.shard_rows(set(epochs)), highest)[:BATCH]
            if not rows:
                continue
            yield
            if wire is None:
                wire = Wire()
                w.wires.append(wire)
            good, read_under = True, epochs
            if w.protocol.marks_before_answer:
                _cross_off(w, holder, epochs, rows)
            for row in rows:
                if w.protocol.renews(w.now - renewed):
                    epochs, renewed = yield from _renew(w, holder)
                    good = w.protocol.goes_on(w.now - renewed, _same(rows, read_under, epochs))
                if not good:
                    break
                _look_at_lease(w, renewed, same=_same([row], read_under, epochs))
                # A producer that failed takes nothing more, for ever.
                if not wire.failed:
                    wire.queues[w.protocol.partition(row.key, w.dice.random())].append(row)
                yield
            began = w.now
            while good and w.protocol.waits_for_answers:
                if all(row.id in wire.answered for row in rows):
                    break
                good = not wire.failed and w.now - began < SEND_SECONDS
                yield
            if not good:
                epochs = {}
                if w.protocol.drops_producer:
                    wire.dropped, wire = True, None
                continue
            yield
            _cross_off(w, holder, epochs, rows)
            highest = max(highest, rows[-1].id)
    finally:
        if wire:
            wire.dropped = True


def _renew(w: "World", holder: int) -> Generator[None, None, tuple[dict[int, int], float]]:
    """The leases that are held from now on, and when they were asked for."""
    asked = w.now
    yield
    epochs = _take_leases(w, holder)
    yield
    return epochs, asked


def _take_leases(w: "World", holder: int) -> dict[int, int]:
    taken = {}
    for shard in w.shards:
        who, epoch, expires = w.leases.get(shard, (0, 0, -1.0))
        mine, expired = who == holder, expires < w.now
        if w.protocol.may_take(mine=mine, expired=expired):
            if not (mine or expired):
                w.troubles["lease_taken_from_the_living"] += 1
            w.leases[shard] = (holder, epoch if mine else epoch + 1, w.now + LEASE_SECONDS)
            taken[shard] = w.leases[shard][1]
    return taken


def _same(rows: list[Row], before: dict[int, int], now: dict[int, int]) -> bool:
    """Whether the rows' shards are held as they were, without anybody in between."""
    shards = {shard_of(partition_of(row.key)) for row in rows}
    return all(now.get(shard) == before.get(shard) for shard in shards)


def _look_at_lease(w: "World", renewed: float, *, same: bool) -> None:
    """Nothing is sent when somebody else may have the shard, as far as the relay can know."""
    if w.now - renewed > SILENT_SECONDS:
        w.troubles["sent_when_the_lease_may_have_ended"] += 1
    if not same:
        w.troubles["sent_after_the_lease_was_lost"] += 1


def _cross_off(w: "World", holder: int, epochs: dict[int, int], rows: list[Row]) -> None:
    for row in w.protocol.crossed_off(rows, w.shard_rows(set(epochs))):
        shard = shard_of(partition_of(row.key))
        held, epoch = w.holds(holder, shard)
        same = epochs.get(shard) == epoch
        if w.protocol.may_cross_off(held=held, same_epoch=same):
            if not (held and same):
                w.troubles["crossed_off_without_the_lease"] += 1
            w.pending.pop(row.id, None)


def consumer(w: "World", me: int) -> Iterator[None]:
    """What `handrail.feed.Feed` does with what it is assigned."""
    generation, expected = -1, dict[int, int]()
    while True:
        yield
        if generation != w.generation:
            generation = w.generation
            expected = {p: _position(w, p) for p in range(PARTITIONS) if w.assigned[p] == me}
            yield
        waiting = [p for p, at in expected.items() if at < len(w.log[p])]
        if not waiting:
            continue
        places = sorted(w.dice.sample(waiting, w.dice.randint(1, len(waiting))))
        batches = {p: (expected[p], w.log[p][expected[p] : expected[p] + BATCH]) for p in places}
        for place, (began, records) in batches.items():
            w.hints[place] = began + len(records)
        yield
        # A rebalance does not wait for what runs: whoever is late is told by the offset.
        moved = yield from _take(w, batches)
        yield
        if generation == w.generation:
            for place, (began, records) in batches.items():
                is_moved = place in moved
                expected[place] = began + len(records) if is_moved else _position(w, place)


def _take(w: "World", batches: Batches) -> Generator[None, None, set[int]]:
    """Apply batches in one transaction, or where that cannot be in one for each; what was moved."""
    work = w.begin()
    try:
        moved = yield from _apply(w, work, batches)
    finally:
        w.end(work)
    if moved is not None or len(batches) == 1:
        return set(batches) if moved else set()
    done: set[int] = set()
    for place, batch in batches.items():
        done |= yield from _take(w, {place: batch})
    return done


def _position(w: "World", place: int) -> int:
    return w.hints[place] if w.protocol.position_from_kafka else w.offsets[place]


def _apply(  # noqa: C901, PLR0912  # one transaction, step by step
    w: "World", work: "Work", batches: Batches
) -> Generator[None, None, bool | None]:
    """None where several cannot be applied together; False where nothing can be done now."""
    for place, (began, _) in batches.items():
        compares = not w.protocol.moves(began, began + 1)
        while compares and not w.lock(work, ("offset", place)):
            yield
            if work.dead:
                return False
    if not all(w.protocol.moves(w.offsets[place], began) for place, (began, _) in batches.items()):
        return None
    if not w.protocol.moves_offset_with_effects:
        _move(w, batches)
    yield
    found = [
        replace(r, offset=began + n)
        for began, records in batches.values()
        for n, r in enumerate(records)
    ]
    keys = {r.key for r in found if r.key is not None}
    while w.protocol.locks_parked and not all(
        w.lock(work, ("parked", key)) for key in sorted(keys) if key in w.parked
    ):
        yield
        if work.dead:
            return False
    standings = {key: w.standing(key) for key in keys}
    yield
    claimed = w.protocol.sort(found, standings)
    letters = [(x, _original(x, found)) for x in claimed.letters]
    applied: list[Received] = []
    failed: dict[UUID, Received] = {}
    for event in claimed.apply:
        if event.key not in failed and (w.mended or can_be_applied(event)):
            applied.append(event)
            continue
        reason = BEHIND if event.key in failed else "handler_failed_ValueError"
        failed.setdefault(event.key, event)
        letters.append((Letter.of(event, reason), event))
    if failed and len(batches) > 1:
        return None
    yield
    if work.dead:
        return False
    _move(w, batches)
    for event in claimed.apply:
        w.standings[event.key] = (event.sequence, 1)
    for event in applied:
        if event.key in w.parked:
            w.troubles["applied_while_parked"] += 1
        w.effects[event.key].append(int(event.event_id.replace("-", ""), 16))
    if w.protocol.keeps_refused or not failed:
        _keep(w, letters)
    for event in failed.values():
        if w.protocol.stands_before:
            w.standings[event.key] = (event.sequence - 1, 1)
    if w.protocol.mends:
        for key in claimed.mended:
            _redrive(w, key)
    return True


def _move(w: "World", batches: Batches) -> None:
    for place, (began, records) in batches.items():
        w.offsets[place] = began + len(records)


def _original(letter: Letter, found: list[Received | Letter]) -> Received | None:
    place = (letter.partition, letter.offset)
    one = next(r for r in found if (r.partition, r.offset) == place)
    return one if isinstance(one, Received) else None


def _keep(w: "World", letters: list[tuple[Letter, Received | None]]) -> None:
    if not w.protocol.keeps_letters:
        return
    for letter, original in letters:
        w.letters.setdefault((letter.partition, letter.offset), (letter, original))
        if letter.key is not None:
            w.parked.setdefault(letter.key, letter.reason)


def operator(w: "World") -> Iterator[None]:
    """Plays kept records back now and then, and gives up what nobody can read."""
    while True:
        yield
        if not w.parked or (not w.mended and w.dice.random() < 0.95):
            continue
        key = w.dice.choice(list(w.parked))
        if w.parked[key] == inbox.GAP and not w.mended:
            continue
        work = w.begin()
        try:
            while w.protocol.locks_parked and not (work.dead or w.lock(work, ("parked", key))):
                yield
            seen = {place for place, (letter, _) in w.letters.items() if letter.key == key}
            for _ in seen:
                yield
            if not work.dead:
                _redrive(w, key, seen)
                if key not in w.parked and any(x.key == key for x, _ in w.letters.values()):
                    w.troubles["kept_but_not_parked"] += 1
        finally:
            w.end(work)


def _redrive(w: "World", key: UUID, seen: set[tuple[int, int]] | None = None) -> None:
    """What `dead_letters.redrive` does with the records it sees; an operator drops unreadable ones."""
    by_operator = seen is not None
    kept = [one for place, one in w.letters.items() if one[0].key == key]
    if seen is not None:
        kept = [one for one in kept if (one[0].partition, one[0].offset) in seen]
    dropped, left = False, 0
    for letter, original in w.protocol.in_order(kept):
        if left:
            left += 1
            continue
        if original is None:
            if by_operator:
                dropped = True
                del w.letters[letter.partition, letter.offset]
            else:
                left += 1
            continue
        standing = w.standing(key)
        standing.parked = None
        reason = w.protocol.verdict(original, standing)
        if reason is None or (reason == inbox.GAP and dropped):
            if not (w.mended or can_be_applied(original)):
                left += 1
                continue
            w.effects[key].append(int(original.event_id.replace("-", ""), 16))
            w.standings[key] = (original.sequence, 1)
        elif reason:
            left += 1
            continue
        del w.letters[letter.partition, letter.offset]
    if not left or w.protocol.unparks_early:
        w.parked.pop(key, None)
