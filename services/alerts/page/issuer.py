"""The development issuer: a small OpenID Connect provider for one's own machine, on loopback only.

It asks for no password. It is there so that the embedded default signs in as the real thing does.
"""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from alerts.page.access import ROLES
from alerts.page.oidc import PROGRAMS_CLAIM, ROLE_CLAIM

PATH = "/development"
CODES_KEPT = 100
CODE_SECONDS = 120
API_SECONDS = 600
Show = Callable[[Request, str, dict[str, object]], Response]


@dataclass(frozen=True, slots=True)
class _Granted:
    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    role: str
    programs: list[str]
    at: float


def routes(  # noqa: C901  # one short function a route
    base: str, client_id: str, audience: str, show: Show
) -> APIRouter:
    """Discovery, keys, a page to choose who one is, and the token endpoint."""
    router = APIRouter(prefix=PATH, include_in_schema=False)
    issuer = f"{base}{PATH}"
    key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4), "use": "sig"})
    granted: OrderedDict[str, _Granted] = OrderedDict()

    @router.get("/.well-known/openid-configuration")
    async def get_about() -> dict[str, object]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    @router.get("/keys")
    async def get_keys() -> dict[str, object]:
        return {"keys": [key.as_dict(private=False)]}

    @router.get("/authorize")
    async def get_authorize(request: Request) -> Response:
        query = request.query_params
        known = query.get("client_id") == client_id
        if not known or query.get("redirect_uri") != f"{base}/sign-in/back":
            return JSONResponse({"error": "invalid_request"}, 400)
        asked = {n: query.get(n, "") for n in ("state", "nonce", "code_challenge")}
        return show(request, "development.html", {"asked": asked, "roles": ROLES})

    @router.post("/authorize")
    async def post_authorize(request: Request) -> Response:
        form = {n: v[0] for n, v in parse_qs((await request.body()).decode()).items()}
        if form.get("role") not in ROLES or not form.get("code_challenge"):
            return JSONResponse({"error": "invalid_request"}, 400)
        code, back = secrets.token_urlsafe(24), f"{base}/sign-in/back"
        granted[code] = _Granted(
            client_id,
            back,
            form.get("nonce", ""),
            form["code_challenge"],
            form["role"],
            form.get("programs", "").split() or ["*"],
            time.monotonic(),
        )
        while len(granted) > CODES_KEPT:
            granted.popitem(last=False)
        query = urlencode({"code": code, "state": form.get("state", "")})
        return RedirectResponse(f"{back}?{query}", 303)

    @router.post("/token")
    async def post_token(request: Request) -> Response:
        form = {
            n: v[0]
            for n, v in parse_qs((await request.body()).decode(), keep_blank_values=True).items()
        }
        if form.get("grant_type") == "client_credentials":
            return _granted_to_client(form, {"iss": issuer, "aud": audience}, key)
        one = granted.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if one is None or challenge != one.challenge or time.monotonic() - one.at > CODE_SECONDS:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": one.client_id,
            "sub": f"development-{one.role}",
            "iat": now,
            "exp": now + 300,
            "nonce": one.nonce,
            ROLE_CLAIM: one.role,
            PROGRAMS_CLAIM: one.programs,
        }
        id_token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        body = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer"}
        return JSONResponse(body | {"expires_in": 300, "id_token": id_token})

    return router


def _granted_to_client(form: dict[str, str], known: dict[str, str], key: RSAKey) -> JSONResponse:
    """A token for the APIs, as a system or a member would get it elsewhere."""
    now, role = int(time.time()), form.get("handrail_role", "")
    claims = known | {
        "sub": f"development-{role}",
        "iat": now,
        "exp": now + API_SECONDS,
        "scope": form.get("scope", ""),
        "client_id": form.get("client_id", ""),
        ROLE_CLAIM: role,
        PROGRAMS_CLAIM: form.get(PROGRAMS_CLAIM, "*").split(),
    }
    token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
    return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": API_SECONDS})
