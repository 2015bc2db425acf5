"""`handrail republish`: a topic that was lost is written again from its owner's outbox."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated

import asyncpg
import typer

from handrail.topics import OWNERS, topic_of
from operate.backup import at_work, databases_of
from operate.errors import OperateError
from operate.home import Home

# Everything ever staged is sent again, in order; who knows an event drops it by its sequence.
_SEND_AGAIN = """
insert into outbox_pending (id, shard, partition, staged_at)
select id, shard, partition, staged_at from outbox on conflict do nothing
"""
_READ_AGAIN = "update inbox_offsets set next_offset = 0 where topic = $1"
# Intake also reads for subscribers, who hear nothing twice: a delivery is one for each event.
_TELL_AGAIN = "update egress_offsets set next_offset = 0 where topic = $1"


def command(
    owners: Annotated[
        list[str] | None, typer.Argument(help="Whose topics; all four where left out.")
    ] = None,
) -> None:
    """Write topics again that were deleted or lost, while Handrail is down."""
    wrong = sorted(set(owners or ()) - set(OWNERS))
    if wrong:
        message = f"{', '.join(wrong)} has no topic; name {', '.join(OWNERS)}."
        raise OperateError(message)
    told = asyncio.run(republish(Home.find(), owners or [*OWNERS], _say))
    print(json.dumps(told, indent=1))


async def republish(
    home: Home, owners: list[str], say: Callable[[str], None]
) -> dict[str, dict[str, int]]:
    """Have these owners' events sent again at the next start, and read from the beginning.

    Gives how many events each owner will send. Raises OperateError while Handrail runs.
    """
    async with at_work(home) as (admin_url, _):
        urls = databases_of(admin_url)
        sent = {}
        for owner in owners:
            # Readers first: who stops half-way runs it again, and nothing was skipped.
            for service, url in urls.items():
                await _execute(url, _READ_AGAIN, topic_of(owner))
                if service == "intake":
                    await _execute(url, _TELL_AGAIN, topic_of(owner))
            sent[owner] = int((await _execute(urls[owner], _SEND_AGAIN)).split()[-1])
            say(f"{owner}: {sent[owner]} events are sent again at the next start")
    return {"sent_again": sent}


async def _execute(url: str, statement: str, *values: object) -> str:
    conn = await asyncpg.connect(url, timeout=10)
    try:
        return str(await conn.execute(statement, *values))
    finally:
        await conn.close(timeout=5)


def _say(line: str) -> None:
    print(line, flush=True)
