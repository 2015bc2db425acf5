"""Seals and opens personal fields; keeps the key of each person, wrapped, in a database of its own."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from handrail.personal import cipher
from handrail.personal.cipher import Place
from handrail.personal.keys import Keys
from handrail.receipts import Rejected

BATCH = 500
# Before every identifier.
FIRST = UUID(int=0)

_FIND = """
select holder, wrapped, wrapped_by from person_keys where holder = any($1::uuid[])
"""
_MAKE = """
insert into person_keys (holder, wrapped, wrapped_by)
select * from unnest($1::uuid[], $2::bytea[], $3::text[])
on conflict (holder) do nothing
"""
_ERASE = """
insert into person_keys as k (holder, erased_at) select id, now() from unnest($1::uuid[]) as t (id)
on conflict (holder) do update set wrapped = null, wrapped_by = null, erased_at = now()
where k.wrapped is not null
"""
_DROP = "delete from person_keys where holder = any($1::uuid[]) and wrapped is not null"
_ERASED = """
select holder from person_keys where wrapped is null and holder > $1 order by holder limit $2
"""
_WRAPPED_BY_ANOTHER = """
select holder, wrapped, wrapped_by from person_keys
where wrapped is not null and wrapped_by <> $1 limit $2
"""
# A key that was erased meanwhile stays erased.
_REWRAP = """
update person_keys as k set wrapped = t.wrapped, wrapped_by = t.wrapped_by
from unnest($1::uuid[], $2::bytea[], $3::text[]) as t (holder, wrapped, wrapped_by)
where k.holder = t.holder and k.wrapped is not null
"""
_COUNTS = """
select wrapped_by, count(*) as keys from person_keys group by wrapped_by order by wrapped_by
"""


class Vault:
    """One service's vault. Keys are asked for anew each time, so what is erased is so everywhere."""

    def __init__(self, service: str, pool: asyncpg.Pool, keys: Keys) -> None:
        """`pool` leads to the database of keys, `keys` wraps them."""
        self.service, self.pool, self._keys = service, pool, keys

    async def seal(self, column: str, fields: Sequence[tuple[UUID, bytes]]) -> list[bytes]:
        """Each holder's content, sealed for `table.column`. Raises Rejected for one who is erased."""
        keys = await self._keys_of({holder for holder, _ in fields}, makes=True)
        if None in keys.values():
            raise Rejected("person_erased", "The personal fields were erased for good.")
        return [
            cipher.close(keys[holder] or b"", content, self._bound(column, holder))
            for holder, content in fields
        ]

    async def open(
        self, column: str, fields: Sequence[tuple[UUID, bytes | None]]
    ) -> list[bytes | None]:
        """Each content again; None for what is not there or erased. Raises CannotBeOpened."""
        keys = await self._keys_of({holder for holder, sealed in fields if sealed})
        return [
            cipher.opened(key, sealed, self._bound(column, holder))
            if sealed and (key := keys.get(holder))
            else None
            for holder, sealed in fields
        ]

    async def erase(self, holders: Collection[UUID]) -> None:
        """Destroy these keys for good, also of those who have none yet; again changes nothing."""
        await self.pool.execute(_ERASE, list(holders))

    async def drop(self, holders: Collection[UUID]) -> None:
        """Destroy keys whose fields are gone, without a trace; what is erased stays so."""
        await self.pool.execute(_DROP, list(holders))

    async def erased(self, after: UUID = FIRST) -> list[UUID]:
        """A batch of the erased in order of their identifiers, after that one."""
        return [row["holder"] for row in await self.pool.fetch(_ERASED, after, BATCH)]

    async def rewrap(self) -> int:
        """Wrap everybody's key with the newest wrapping key. Gives how many were not yet."""
        name, count = await self._keys.name(), 0
        while rows := await self.pool.fetch(_WRAPPED_BY_ANOTHER, name, BATCH):
            again = [
                (
                    row["holder"],
                    *await self._wrapped(row["holder"], await self._unwrapped(row)),
                )
                for row in rows
            ]
            holders, names, wrapped = zip(*again, strict=True)
            await self.pool.execute(_REWRAP, list(holders), list(wrapped), list(names))
            count += len(again)
        return count

    async def counts(self) -> dict[str, Any]:
        """How many keys there are by the wrapping key's name, and how many were erased."""
        rows = await self.pool.fetch(_COUNTS)
        by = {row["wrapped_by"]: row["keys"] for row in rows if row["wrapped_by"]}
        return {"keys": by, "erased": sum(row["keys"] for row in rows if not row["wrapped_by"])}

    async def _keys_of(
        self, holders: Collection[UUID], *, makes: bool = False
    ) -> dict[UUID, bytes | None]:
        """The keys of these; None for one who was erased. Who has none gets one where it `makes`."""
        if not holders:
            return {}
        rows = await self.pool.fetch(_FIND, list(holders))
        missing = set(holders) - {row["holder"] for row in rows}
        if missing and makes:
            await self._make(missing)
            # Another may have been first: its key counts.
            rows = await self.pool.fetch(_FIND, list(holders))
        return {
            row["holder"]: await self._unwrapped(row) if row["wrapped"] else None for row in rows
        }

    async def _make(self, holders: Iterable[UUID]) -> None:
        made = [(holder, *await self._wrapped(holder, cipher.new_key())) for holder in holders]
        ids, names, wrapped = zip(*made, strict=True)
        await self.pool.execute(_MAKE, list(ids), list(wrapped), list(names))

    async def _wrapped(self, holder: UUID, key: bytes) -> tuple[str, bytes]:
        return await self._keys.wrap(key, self._bound("person_keys.wrapped", holder))

    async def _unwrapped(self, row: "asyncpg.Record") -> bytes:
        bound = self._bound("person_keys.wrapped", row["holder"])
        return await self._keys.unwrap(row["wrapped_by"], row["wrapped"], bound)

    def _bound(self, column: str, holder: UUID) -> bytes:
        return Place(self.service, column, holder).bound()
