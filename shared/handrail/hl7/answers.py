"""The acknowledgement of a message, and where the fault lies."""

import re
from datetime import UTC, datetime
from uuid import uuid4

from handrail.hl7.reading import Message, Refusal

MEDIA_TYPE = "application/hl7-v2"
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "~": "\\R\\", "^": "\\S\\", "&": "\\T\\"}
_SPECIAL = re.compile(r"[\\|~^&]")
_EVENT = re.compile(r"[A-Z]\d\d", re.ASCII)
_CODE = re.compile(rb"\rMSA\|(A[AER])\|")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
# Table 0357, in its own words.
_WORDS = {
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    204: "Unknown key identifier",
    205: "Duplicate key identifier",
    207: "Application internal error",
}


def code_of(reply: bytes) -> str:
    """AA, AE or AR of an answer of ours."""
    found = _CODE.search(reply)
    return found[1].decode() if found else ""


def escaped(text: str) -> str:
    """`text` as it stands in a field."""
    plain = _UNPRINTABLE.sub("?", text)
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], plain)


def stamped(at: datetime) -> str:
    """A moment as HL7 writes it."""
    return at.strftime("%Y%m%d%H%M%S%z")


def answer(message: Message | None, control: str, refusal: Refusal | None = None) -> bytes:
    """AA; or AE or AR with an ERR segment. `message` is None where it could not be read."""
    code = refusal.answer if refusal else "AA"
    to = (message.application, message.facility) if message else ("", "")
    event = message.event if message and _EVENT.fullmatch(message.event) else ""
    segments = [
        _line("MSH", "^~\\&", "HANDRAIL", "", *map(escaped, to), stamped(datetime.now(UTC)), "",
              f"ACK^{event}^ACK", uuid4().hex[:20], "P", "2.5.1"),
        # A message that has none still needs an answer that is valid.
        _line("MSA", code, escaped(control) or "UNKNOWN"),
    ]  # fmt: skip
    if refusal:
        segment, occurrence, field = refusal.place
        where = f"{segment}^{occurrence}^{field}"
        what = f"{refusal.error}^{_WORDS[refusal.error]}^HL70357"
        ours = escaped(refusal.code)
        segments.append(
            _line("ERR", "", where, what, "E", ours, "", "", escaped(refusal.detail[:240]))
        )
    return "".join(segments).encode("ascii")


def _line(*fields: str) -> str:
    return "|".join(fields) + "\r"
