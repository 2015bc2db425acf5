"""Sign-in by OpenID Connect: authorization code with PKCE, and the ID token checked by its keys."""

import math
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from alerts.page.access import ROLES, Role
from handrail import outbound

ROLE_CLAIM, PROGRAMS_CLAIM = "handrail_role", "handrail_programs"
ALGORITHMS = ["RS256", "ES256", "PS256"]
SECONDS = 10
# How long what a provider says of itself is taken as known.
KNOWN_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what to remember until it comes back."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is. `programs` is None for all programmes."""

    subject: str
    role: Role
    programs: tuple[str, ...] | None


class SignInFailed(Exception):
    """The provider did not vouch for anyone we know a role of."""


@dataclass(slots=True)
class Provider:
    """One OpenID Connect provider, as its discovery document describes it."""

    issuer: str
    client_id: str
    client_secret: str
    scope: str
    _known: dict[str, Any] = field(default_factory=dict)
    _known_at: float = -math.inf

    async def begin(self, redirect_uri: str) -> Begun:
        """Begin a sign-in. Raises SignInFailed when the provider does not answer."""
        about = await self._about()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        async with self._client(redirect_uri) as client:
            address, state = client.create_authorization_url(
                about["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        return Begun(address, state, nonce, verifier)

    async def finish(self, redirect_uri: str, code: str, *, verifier: str, nonce: str) -> Identity:
        """Exchange the code and check the ID token. Raises SignInFailed."""
        about = await self._about()
        try:
            async with self._client(redirect_uri) as client:
                token = await client.fetch_token(
                    about["token_endpoint"], code=code, code_verifier=verifier
                )
                keys = (await client.request("GET", about["jwks_uri"], withhold_token=True)).json()
            claims = self._checked(str(token.get("id_token", "")), keys, nonce)
        except (OAuthError, JoseError, httpx2.HTTPError, ValueError, KeyError) as error:
            self._known_at = -math.inf
            raise SignInFailed from error
        return _identity(claims)

    def _checked(self, id_token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]  # the provider's own JSON
        registry = jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(token.claims)
        return dict(token.claims)

    async def _about(self) -> dict[str, Any]:
        if time.monotonic() - self._known_at > KNOWN_SECONDS:
            self._known, self._known_at = await self._ask(), time.monotonic()
        return self._known

    async def _ask(self) -> dict[str, Any]:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with httpx2.AsyncClient(
                timeout=SECONDS, trust_env=False, verify=outbound.authorities()
            ) as client:
                about = (await client.get(address)).raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise SignInFailed from error
        if not isinstance(about, dict) or about.get("issuer") != self.issuer:
            raise SignInFailed
        return about

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self.client_id,
            self.client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
            scope=self.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=SECONDS,
            trust_env=False,
            verify=outbound.authorities(),
        )


def _identity(claims: dict[str, Any]) -> Identity:
    """Deny by default: no known role, no sign-in; no programmes named, none are seen."""
    role = claims.get(ROLE_CLAIM)
    if role not in ROLES:
        raise SignInFailed
    named = claims.get(PROGRAMS_CLAIM, [])
    listed = named.split() if isinstance(named, str) else [str(one) for one in named]
    return Identity(str(claims["sub"]), role, None if "*" in listed else tuple(listed))
