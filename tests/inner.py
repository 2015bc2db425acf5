"""Tokens as one service of Handrail makes them for another, by the key that all share."""

import time

from joserfc import jwt
from joserfc.jwk import OctKey

from handrail.access.tokens import INNER


def inner_token(key: str, role: str, *programs: str) -> str:
    """Somebody with this role in these programmes, known to the audience `us` for a minute."""
    claims = {
        "iss": INNER,
        "aud": "us",
        "sub": "nora",
        "exp": int(time.time()) + 60,
        "handrail_role": role,
        "handrail_programs": list(programs),
    }
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(key))
