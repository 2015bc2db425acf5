"""A hospital that is told of people: it hears webhooks as quickly, as slowly or not at all as asked."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from operate.home import HOST


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that was taken: when by this process's clock, its key, number and subject."""

    at: float
    key: str
    sequence: int
    subject: str


@dataclass
class Hospital:
    """What it does with a message, and what it has taken, in order."""

    seconds: float = 0.0
    is_away: bool = False
    heard: list[Heard] = field(default_factory=list)
    url: str = ""

    def take(self, key: str, body: bytes) -> HTTPStatus:
        """Take a message, or say that it is away."""
        time.sleep(self.seconds)
        if self.is_away:
            return HTTPStatus.SERVICE_UNAVAILABLE
        said = json.loads(body)["data"]
        if "subject" in said:
            heard = Heard(time.perf_counter(), key, said["sequence"], said["subject"])
            self.heard.append(heard)
        return HTTPStatus.OK


@contextlib.contextmanager
def listening(hospital: Hospital) -> Iterator[Hospital]:
    """Listen on loopback until the end."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(hospital.take(self.headers["webhook-id"], body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer((HOST, 0), Door)
    server.daemon_threads = True
    hospital.url = f"http://{HOST}:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hospital
    finally:
        server.shutdown()
        server.server_close()
