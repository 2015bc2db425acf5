"""Which errors are bad moments, to be waited out, and which are bad messages."""

import asyncpg

# asyncpg raises InterfaceError, not PostgresError, when a connection dies in a transaction.
TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.LockNotAvailableError,
    asyncpg.InternalClientError,
)
