"""Stands before every route of a service: knows the caller, and asks the table."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Literal, TypeAlias
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import Field, HttpUrl, SecretStr, field_validator

from handrail import sight
from handrail.access.rates import Rates
from handrail.access.table import Caller, Refusal, Table, refusal, table_of, without_row
from handrail.access.tokens import BadToken, InnerAuth, ProviderAway, Tokens
from handrail.outbox import Connection
from handrail.settings import FromEnvironment

# The programmes of a thing; none where there is no such thing.
AskPrograms: TypeAlias = Callable[[Connection, UUID], Awaitable[Iterable[str | None]]]
# By the name of the path's part that names it.
Programs: TypeAlias = Mapping[str, AskPrograms]
# Who calls where no token is asked for and none came.
ON_LOOPBACK = Caller("loopback", "system", None)


class AccessSettings(FromEnvironment):
    """Whether calls need a token, and whose tokens count."""

    access: Literal["open", "required"] | None = Field(
        default=None, description="Whether each call needs a token; else not on loopback alone."
    )
    access_issuer: HttpUrl | None = Field(
        default=None, description="Who signs the tokens; else the provider of the page's sign-in."
    )
    access_keys_url: HttpUrl | None = Field(
        default=None,
        description="Where the issuer's keys are read from here; else where it says itself.",
    )
    oidc_issuer: HttpUrl | None = None
    access_audience: str = "handrail-api"
    access_rate: str = Field(
        default="1200/minute", description="How often one caller may call one service."
    )
    access_key: SecretStr | None = Field(
        default=None, min_length=16, description="A secret that all services share."
    )

    @field_validator("access_rate")
    @classmethod
    def _is_a_limit(cls, written: str) -> str:
        Rates(written)
        return written

    def is_required(self, host: str) -> bool:
        """Whether a call needs a token where the service listens on this host."""
        return self.access == "required" if self.access else not is_loopback(host)

    def key(self) -> str | None:
        """The secret that all services share."""
        return self.access_key.get_secret_value() if self.access_key else None

    def inner_auth(self, subject: str) -> InnerAuth:
        """How a part of Handrail calls another."""
        return InnerAuth(self.key(), subject, self.access_audience)

    def tokens(self) -> Tokens:
        """What is known of tokens."""
        given = self.access_issuer or self.oidc_issuer
        named = str(given) if given else None
        # A provider's name is compared letter by letter; pydantic adds a slash to a bare host.
        if named and named.count("/") == 3:
            named = named.rstrip("/")
        keys_at = str(self.access_keys_url) if self.access_keys_url else None
        return Tokens(named, self.access_audience, self.key(), keys_at)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Refused(Exception):
    """The call is refused; `why` says whether another token would help."""

    def __init__(
        self, why: Refusal | Literal["scope", "rate", "provider_away"], wait: int = 1
    ) -> None:
        """`why` is all that is told; `wait` is after how many seconds it may be tried again."""
        super().__init__(why)
        self.why, self.wait = why, wait


class Guard:
    """A dependency of every route."""

    def __init__(self, service: str, tokens: Tokens, rates: Rates, *, is_required: bool) -> None:
        """The pool and the programmes of things are given by the service."""
        self.table: Table = table_of(service)
        self.tokens, self.rates, self.is_required = tokens, rates, is_required
        self.pool: asyncpg.Pool | None = None
        self.programs: Programs = {}

    async def __call__(self, request: Request) -> None:
        """Let the call pass, and say to the database what it may see. Raises Refused."""
        sight.see(sight.NOTHING)
        route = f"{request.method} {request.scope['route'].path}"
        row = self.table.get(route)
        caller = await self._caller(request)
        request.state.caller = caller
        # The page asks its own sign-in, and says what that one sees.
        if caller and not (row and row.is_open):
            sight.see(caller.programs)
        if caller is ON_LOOPBACK:
            return
        if caller and not caller.is_inner:
            wait = self.rates.wait(f"{caller.subject}/{caller.client}")
            if wait is not None:
                raise Refused("rate", wait)
        why = refusal(row, caller)
        if why:
            raise Refused(why)
        if row and caller and row.scope == "own" and caller.programs is not None:
            await self._require_own(request, caller)

    async def _caller(self, request: Request) -> Caller | None:
        given = request.headers.get("authorization")
        if given is None:
            return None if self.is_required else ON_LOOPBACK
        kind, _, token = given.partition(" ")
        if kind.lower() != "bearer":
            return None
        try:
            return await self.tokens.caller(token.strip())
        except BadToken:
            return None
        except ProviderAway:
            raise Refused("provider_away") from None

    async def _require_own(self, request: Request, caller: Caller) -> None:
        """What is not there is refused as what is another's: a refusal tells nobody what there is."""
        named = [(name, ask) for name, ask in self.programs.items() if name in request.path_params]
        if not named:
            raise Refused("programme")
        # Asked of all: a person who has a stay elsewhere, too, is not theirs alone.
        with sight.seeing(None):
            for name, ask in named:
                if not caller.sees(await self._whose(ask, str(request.path_params[name]))):
                    raise Refused("programme")

    async def _whose(self, ask: AskPrograms, named: str) -> Iterable[str | None]:
        try:
            wanted = UUID(named)
        except ValueError:
            return ()
        assert self.pool is not None
        async with self.pool.acquire() as conn:
            return await ask(conn, wanted)


def install(app: FastAPI, problem: Callable[..., JSONResponse]) -> None:
    """The answers to who is refused."""

    async def on_refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        status, code, detail = _ANSWERS[error.why]
        answer = problem(status, code, detail)
        if status == 401:
            answer.headers["www-authenticate"] = "Bearer"
        if status in (429, 503):
            answer.headers["retry-after"] = str(error.wait)
        return answer

    app.add_exception_handler(Refused, on_refused)


_ANSWERS: dict[str, tuple[int, str, str]] = {
    "sign_in": (401, "sign_in", "Send a bearer token that has not run out."),
    "role": (403, "not_allowed", "This role may not do that; see docs/access.md."),
    "scope": (403, "not_allowed", "The token has no SMART scope for that."),
    "programme": (403, "not_allowed", "That is not of your own programmes, or is not there."),
    "rate": (429, "too_often", "That is too often; wait as long as Retry-After says."),
    "provider_away": (503, "not_ready", "The provider of sign-in does not answer. Try again soon."),
}


def require_rows(app: FastAPI, table: Table) -> None:
    """Every route has a row. Raises LookupError with those that have none."""
    routes = [
        f"{method} {found.path}"
        for found in iter_route_contexts(app.routes)
        if isinstance(found.route, APIRoute)
        for method in found.methods or ()
    ]
    missing = without_row(table, routes)
    if missing or not routes:
        message = f"access.toml has no line for: {', '.join(missing)}"
        raise LookupError(message)


def caller_of(request: Request) -> Caller:
    """Who calls a route that the guard let pass."""
    found: Any = request.state.caller
    assert isinstance(found, Caller)
    return found
