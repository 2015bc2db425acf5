"""Several writes of a transaction as one statement: one trip to the database instead of one each."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from handrail.outbox import Connection

_NUMBER = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """A statement that writes, and its arguments. It begins with `with` only if it goes last."""

    statement: str
    arguments: tuple[Any, ...]


def of_rows(statement: str, rows: Iterable[tuple[Any, ...]]) -> Write | None:
    """The write that takes a column of these rows as each argument; none where there are no rows."""
    columns = tuple(map(list, zip(*rows, strict=True)))
    return Write(statement, columns) if columns else None


async def write(conn: "Connection", *writes: Write | None) -> None:
    """Carry these out together. None of them sees what another does, nor what a trigger did of it.

    So no two may write the same row, and none may need a row of another's but by a foreign key.
    """
    wanted = [one for one in writes if one]
    if wanted:
        statement = _joined(tuple(one.statement for one in wanted))
        await conn.execute(statement, *chain.from_iterable(one.arguments for one in wanted))


@lru_cache(maxsize=256)
def _joined(statements: tuple[str, ...]) -> str:
    """One statement of several: all but the last become queries of the last one's `with`."""
    parts, before = [], 0
    for statement in statements:
        numbers = [int(found) for found in _NUMBER.findall(statement)]
        parts.append(_from(before, statement).strip())
        before += max(numbers, default=0)
    *others, last = parts
    if not others:
        return last
    queries = ", ".join(f"write_{n} as ({part})" for n, part in enumerate(others))
    if last.startswith("with "):
        return f"with {queries}, {last.removeprefix('with ')}"
    return f"with {queries} {last}"


def _from(before: int, statement: str) -> str:
    """The statement with its arguments behind so many others."""
    return _NUMBER.sub(lambda found: f"${int(found[1]) + before}", statement)
