"""The same web framework and server, inserting one row for each call."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel

URL, PORT = sys.argv[1], int(sys.argv[2])
_INSERT = """
insert into peer_seats (seat_id, admission_id, key, occurred_at, minutes)
values ($1, $2, $3, $4, $5)
"""


class Seat(BaseModel):
    key: str
    admission_id: UUID
    occurred_at: AwareDatetime
    minutes: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(URL, min_size=1, max_size=8)
    await app.state.pool.execute(
        "drop table if exists peer_seats; create table peer_seats (seat_id uuid primary key, "
        "admission_id uuid, key text unique, occurred_at timestamptz, minutes int)"
    )
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan, telemetry={"tracing": False, "metrics": False, "logs": False})


@app.post("/seats")
async def post_seat(seat: Seat) -> dict[str, Any]:
    row = (uuid4(), seat.admission_id, seat.key, seat.occurred_at, seat.minutes)
    async with app.state.pool.acquire() as conn, conn.transaction():
        await conn.execute(_INSERT, *row)
    return {"key": seat.key, "status": "applied"}


async def main() -> None:
    config = uvicorn.Config(app, host="127.0.0.1", port=PORT, log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


uvloop.run(main())
