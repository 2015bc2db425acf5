"""Gives a service its vault, where keys are set, and the routes of the keys."""

import asyncio
from typing import Any

import asyncpg
from fastapi import APIRouter

from handrail.configured import end_by_mistake, read
from handrail.personal.settings import PersonalSettings
from handrail.personal.vault import Vault
from handrail.service import Service
from handrail.settings import SettingsMistake

SECONDS = 5


def vault_of(service: str) -> Vault | None:
    """The vault of a service; None without keys. Ends the process with a clear line per mistake."""
    settings = read(PersonalSettings, service)
    try:
        url = settings.dsn()
        if url is None:
            return None
        keys = settings.keys()
    except SettingsMistake as mistake:
        end_by_mistake(service, mistake)
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=4,
        timeout=SECONDS,
        command_timeout=SECONDS,
        max_inactive_connection_lifetime=60,
        server_settings={"application_name": f"handrail-{service}-keys", "jit": "off"},
    )
    return Vault(service, pool, keys)


def install(service: Service, vault: Vault | None) -> None:
    """The routes and the status of the keys, and their connections' life."""
    if vault is None:
        return
    service.pools.append(vault.pool)
    service.app.include_router(routes(vault))


def routes(vault: Vault) -> APIRouter:
    """How many keys there are; and wrapping them anew."""
    router = APIRouter(prefix="/v1/keys", tags=["personal"])
    turn = asyncio.Lock()

    @router.get("")
    async def get_keys() -> dict[str, Any]:
        """How many persons' keys each wrapping key wraps, and how many were erased."""
        return await vault.counts()

    @router.post("/rewrap")
    async def post_rewrap() -> dict[str, Any]:
        """Wrap every person's key with the newest wrapping key; again changes nothing."""
        async with turn:
            return {"rewrapped": await vault.rewrap()} | await vault.counts()

    return router
