"""A web server that hears webhooks, and answers what it is told to."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass
class Ear:
    """What came, and how it is answered."""

    status: int = 200
    seconds: float = 0.0
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""

    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.heard]

    def changes(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.heard]

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """The messages, each checked by the library that receivers use."""
        return [dict(Webhook(secret).verify(body, headers)) for headers, body in self.heard]


@contextlib.contextmanager
def listening(ear: Ear, port: int = 0) -> Iterator[Ear]:
    """Hear on loopback until the end; on a port of one's own, or on this one."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            time.sleep(ear.seconds)
            ear.heard.append((dict(self.headers.items()), body))
            self.send_response(ear.status)
            self.send_header("content-length", "0")
            self.send_header("location", ear.address)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Listener)
    ear.address = f"http://127.0.0.1:{server.server_address[1]}/hear"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield ear
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
