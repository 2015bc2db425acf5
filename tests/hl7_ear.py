"""Another system that hears HL7 by MLLP: hl7apy's own server, which reads and checks each message."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

from intake.disclosures.spoken import SEATS, STAYS

KINDS = {
    *(f"SIU^{event}^SIU_S12" for event, _ in SEATS.values()),
    *(f"ADT^{event}^{structure}" for event, structure in STAYS.values()),
}


@dataclass
class Hl7Ear:
    """What came, valid by its structure, and how it is answered."""

    code: str = "AA"
    about: str = ""
    heard: list[Any] = field(default_factory=list)
    url: str = ""

    def events(self) -> list[str]:
        return [str(one.msh.msh_9.msh_9_2.value) for one in self.heard]

    def value(self, number: int, segment: str, place: int) -> str:
        """A field of a message, wherever the segment stands."""
        lines = self.heard[number].to_er7().split("\r")
        found = next((line for line in lines if line.startswith(f"{segment}|")), "")
        parts = found.split("|")
        return parts[place] if len(parts) > place else ""

    def observed(self, number: int) -> dict[str, str]:
        """What stands in observations, by name."""
        rows = [line.split("|") for line in self.heard[number].to_er7().split("\r")]
        return {row[3].partition("^")[0]: row[5] for row in rows if row[0] == "OBX"}


@contextlib.contextmanager
def hearing(ear: Hl7Ear) -> Iterator[Hl7Ear]:
    """Hear on loopback until the end."""

    class Taken(AbstractHandler):  # type: ignore[misc]  # the library has no types
        def reply(self) -> str:
            message = parse_message(self.incoming_message, validation_level=VALIDATION_LEVEL.STRICT)
            message.validate()
            ear.heard.append(message)
            answer = Message("ACK", version="2.5.1")
            answer.msa.msa_1 = ear.code
            answer.msa.msa_2 = ear.about or message.msh.msh_10.value
            return str(answer.to_mllp())

    server = MLLPServer("127.0.0.1", 0, dict.fromkeys(KINDS, (Taken,)), timeout=5)
    server.daemon_threads = True
    ear.url = f"mllp://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield ear
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
