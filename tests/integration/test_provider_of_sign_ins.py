"""How often the provider of the page's sign-ins is asked about itself."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from alerts.page.oidc import Provider, SignInFailed


class Asked(ThreadingHTTPServer):
    """Says where its doors are, and vouches for nobody."""

    paths: list[str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    server: Asked

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        doors = {
            f"{name}_endpoint": f"{self.server.base}/{name}" for name in ("authorization", "token")
        }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(doors | {"issuer": self.server.base}).encode())

    def do_POST(self) -> None:
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """A test's output is its own."""


@pytest.fixture
def asked() -> Iterator[Asked]:
    with Asked(("127.0.0.1", 0), Door) as server:
        server.paths = []
        Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


async def test_a_provider_is_asked_about_itself_once_and_again_when_it_failed(asked: Asked) -> None:
    provider = Provider(asked.base, "handrail", "", "openid")

    begun = [await provider.begin(f"{asked.base}/back") for _ in range(3)]

    assert len({one.state for one in begun}) == 3
    assert asked.paths == ["/.well-known/openid-configuration"]
    with pytest.raises(SignInFailed):
        await provider.finish(f"{asked.base}/back", "code", verifier="v" * 43, nonce="n")
    await provider.begin(f"{asked.base}/back")
    assert asked.paths == ["/.well-known/openid-configuration"] * 2
