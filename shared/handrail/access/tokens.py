"""Bearer tokens: those of the provider, checked by its keys, and short ones between services."""

import logging
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, cast, get_args

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from handrail.access.table import Caller, Role

# The library logs each address it calls; an address may say whose it is.
logging.getLogger("httpx").setLevel(logging.WARNING)
ALGORITHMS = ["RS256", "ES256", "PS256"]
INNER, INNER_ALGORITHM, INNER_SECONDS = "urn:handrail:services", "HS256", 60
ROLE_CLAIM, PROGRAMS_CLAIM, CLIENT_CLAIM = "handrail_role", "handrail_programs", "client_id"
LEEWAY_SECONDS = 30
LONGEST = 8192
# Keys that do not fit a token are asked for anew, and not more often than this.
KEYS_SECONDS = 10.0
ROLES: frozenset[str] = frozenset(get_args(Role))
SECONDS = 5
Claims = dict[str, Any]


class BadToken(Exception):
    """The token is not one that lets somebody in."""


class ProviderAway(Exception):
    """The provider of tokens does not answer, so nobody can be known."""


@dataclass
class Tokens:
    """Knows whom a token speaks for. Without an issuer and a key there is none that counts."""

    issuer: str | None
    audience: str
    key: str | None
    keys_at: str | None = None
    _keys: KeySet | None = None
    _looked_at: float = field(default=float("-inf"))

    async def caller(self, token: str) -> Caller:
        """Who calls. Raises BadToken or ProviderAway."""
        if len(token) > LONGEST:
            raise BadToken
        try:
            # What a token says of itself decides only by whose keys it is checked.
            head = jws.extract_compact(token.encode()).headers()
            is_inner = head.get("alg") == INNER_ALGORITHM
            claims = self._inner(token) if is_inner else await self._outer(token)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise BadToken from error
        return _caller(claims)

    def _inner(self, token: str) -> Claims:
        if self.key is None:
            raise BadToken
        found = jwt.decode(token, OctKey.import_key(self.key), algorithms=[INNER_ALGORITHM])
        return _valid(found.claims, INNER, self.audience)

    async def _outer(self, token: str) -> Claims:
        if self.issuer is None:
            raise BadToken
        is_fresh = self._keys is None or time.monotonic() - self._looked_at > KEYS_SECONDS
        if self._keys is None:
            self._keys = await self._ask_for_keys(self.issuer)
        try:
            found = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            if not is_fresh:
                raise
            self._keys = await self._ask_for_keys(self.issuer)
            found = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
        return _valid(found.claims, self.issuer, self.audience)

    async def _ask_for_keys(self, issuer: str) -> KeySet:
        self._looked_at = time.monotonic()
        try:
            async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
                place = self.keys_at or await _place_of_keys(client, issuer)
                keys = (await client.get(place)).raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise ProviderAway from error
        return KeySet.import_key_set(keys)


async def _place_of_keys(client: httpx.AsyncClient, issuer: str) -> str:
    """What the issuer's own document says. Raises BadToken where it is another's document."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    about = (await client.get(address)).raise_for_status().json()
    if about.get("issuer") != issuer:
        raise BadToken
    return str(about["jwks_uri"])


def _valid(claims: Claims, issuer: str, audience: str) -> Claims:
    jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    ).validate(claims)
    return dict(claims)


def _caller(claims: Claims) -> Caller:
    """Deny by default: no known role, nobody; no programmes named, none are seen."""
    role = claims.get(ROLE_CLAIM)
    if role not in ROLES:
        raise BadToken
    programs = _words(claims.get(PROGRAMS_CLAIM))
    client = claims.get(CLIENT_CLAIM)
    return Caller(
        str(claims["sub"]),
        cast("Role", role),
        None if "*" in programs else programs,
        _words(claims.get("scope")),
        client if isinstance(client, str) else None,
        claims["iss"] == INNER,
    )


def _words(said: object) -> frozenset[str]:
    if isinstance(said, str):
        return frozenset(said.split())
    return frozenset(str(one) for one in said) if isinstance(said, list) else frozenset()


class InnerAuth(httpx.Auth):
    """Signs a short token for each call from one part of Handrail to another; none without a key."""

    def __init__(self, key: str | None, subject: str, audience: str = "handrail-api") -> None:
        """`subject` is the part that calls."""
        self.key, self.subject, self.audience = key, subject, audience

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the token on the request."""
        if self.key:
            request.headers["authorization"] = f"Bearer {self._token(self.key)}"
        yield request

    def _token(self, key: str) -> str:
        now = int(time.time())
        claims: Claims = {
            "iss": INNER,
            "aud": self.audience,
            "sub": self.subject,
            "iat": now,
            "exp": now + INNER_SECONDS,
            ROLE_CLAIM: "system",
            PROGRAMS_CLAIM: ["*"],
        }
        return jwt.encode({"alg": INNER_ALGORITHM}, claims, OctKey.import_key(key))
