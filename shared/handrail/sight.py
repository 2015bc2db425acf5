"""Whose rows the present work may see: told to PostgreSQL, whose policies hold it.

The second lock behind the checks of `handrail.access`: a connection of `pools.api_pool` shows rows
of these programmes alone, whatever a query forgets to ask. Where nobody said anything it shows none.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from handrail.outbox import Connection

# Programmes in order; None sees all.
Sight: TypeAlias = tuple[str, ...] | None
NOTHING: Sight = ()
# How a connection begins, in PostgreSQL's words (`handrail.programs`): a list of programmes, or all.
SEES_NOTHING = {"handrail.programs": "{}"}
SEES_ALL = {"handrail.programs": "*"}
TELL = "select set_config('handrail.programs', coalesce($1::text[]::text, '*'), false)"
_SEE_ALL = "set local handrail.programs = '*'"

_present: ContextVar[Sight] = ContextVar("sight", default=NOTHING)


def present() -> Sight:
    """What the work at hand may see."""
    return _present.get()


def see(programs: Iterable[str] | None) -> None:
    """From now on, in this request or task: these programmes; None for all."""
    _present.set(_sight(programs))


@contextmanager
def seeing(programs: Iterable[str] | None) -> Iterator[None]:
    """The same for a while; what was seen before is seen afterwards."""
    before = _present.set(_sight(programs))
    try:
        yield
    finally:
        _present.reset(before)


async def see_all() -> None:
    """For routes whose answer hangs on more than programmes: a dependency of theirs, after the guard."""
    see(None)


async def see_all_until_commit(conn: Connection) -> None:
    """The rest of this transaction is the service's own work, on what the caller was found to see."""
    await conn.execute(_SEE_ALL)


def _sight(programs: Iterable[str] | None) -> Sight:
    return None if programs is None else tuple(sorted(programs))
