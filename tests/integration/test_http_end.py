"""A service that is to end and has others beside it: it says so, and meanwhile turns nobody away."""

import asyncio
import os

import httpx
import pytest
from fastapi import FastAPI

from handrail import server
from handrail.service import Service
from handrail.settings import Settings
from operate.home import HOST
from tests.journeys.second import free_port

DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


async def test_who_comes_before_others_have_noticed_the_end_is_answered() -> None:
    app, port = FastAPI(), free_port()
    settings = Settings(database_url=DATABASE, http_port=port, http_leave_seconds=60)  # type: ignore[arg-type]  # pydantic makes it a secret
    served = server.make(app, settings)
    served.config.load()
    served.lifespan = served.config.lifespan_class(served.config)
    await served.startup()

    async with httpx.AsyncClient(trust_env=False) as client:
        ending = asyncio.create_task(served.shutdown())
        await asyncio.sleep(0)
        answer = await client.get(f"http://{HOST}:{port}/openapi.json")
        assert answer.is_success
        assert not ending.done()

        ending.cancel()
        served.leave_seconds = 0
        await served.shutdown()
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{HOST}:{port}/openapi.json")


async def test_a_service_that_is_to_end_says_that_it_is_not_ready() -> None:
    service = Service("intake", Settings(database_url=DATABASE), None)  # type: ignore[arg-type]  # pydantic makes it a secret
    service._server.should_exit = True

    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
        answer = await client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json() == {"service": "intake", "ready": False, "process": os.getpid()}
