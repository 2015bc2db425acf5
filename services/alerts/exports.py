"""Whole histories of a site as CSV, streamed."""

import csv
import io
from collections.abc import AsyncIterator, Iterable

import asyncpg

_ASSESSMENTS = """
select admission_id, day, risk28, level from assessments where site_id = $1
order by admission_id, day
"""
_ALERTS = """
select admission_id, day, level, kind, array_to_string(reasons, '; ') as reasons from alerts
where site_id = $1 and held order by admission_id, day, level
"""
ROWS_AT_ONCE = 2000


async def assessments(pool: asyncpg.Pool, site_id: str) -> AsyncIterator[str]:
    """Day-end assessments of a site."""
    yield "admission_id,day,risk28,level\n"
    async with pool.acquire() as conn, conn.transaction(readonly=True):
        lines: list[str] = []
        async for r in conn.cursor(_ASSESSMENTS, site_id, prefetch=ROWS_AT_ONCE):
            level = "none" if r["level"] is None else r["level"]
            lines.append(f"{r['admission_id']},{r['day']},{r['risk28']!r},{level}\n")
            if len(lines) == ROWS_AT_ONCE:
                yield "".join(lines)
                lines.clear()
        yield "".join(lines)


async def alerts(pool: asyncpg.Pool, site_id: str) -> AsyncIterator[str]:
    """Alerts of a site that held at the end of the day they were raised on."""
    yield "admission_id,day,level,kind,reasons\n"
    async with pool.acquire() as conn, conn.transaction(readonly=True):
        rows = await conn.fetch(_ALERTS, site_id)
    yield _written(tuple(row) for row in rows)


def _written(rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
