"""Where the keys of a provider of tokens are read."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from handrail.access.tokens import ProviderAway, Tokens

# A name that browsers know and this process cannot reach: nobody listens at port 1.
ISSUER, AUDIENCE = "http://localhost:1/development", "handrail-api"
KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"})


class Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())

    def log_message(self, *_: object) -> None:
        """A test's output is its own."""


@pytest.fixture
def keys_at() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()


def token() -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "one",
        "exp": int(time.time()) + 60,
        "handrail_role": "counsellor",
        "handrail_programs": "iop-day",
    }
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)


async def test_keys_are_read_where_the_setting_says_and_the_issuer_is_still_the_one_named(
    keys_at: str,
) -> None:
    caller = await Tokens(ISSUER, AUDIENCE, None, keys_at).caller(token())

    assert (caller.role, caller.programs) == ("counsellor", {"iop-day"})


async def test_without_the_setting_the_issuer_itself_is_asked() -> None:
    with pytest.raises(ProviderAway):
        await Tokens(ISSUER, AUDIENCE, None).caller(token())
