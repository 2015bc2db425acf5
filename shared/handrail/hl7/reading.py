"""Reads one HL7 v2 message. What is wrong is said by code and place, never by content."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import hl7

from handrail.desk import letter as desk
from handrail.desk.letter import (
    EVENT,
    FAULT,
    KIND,
    MISSING,
    PROCESSING,
    SEQUENCE,
    TYPE,
    UNKNOWN,
    VALUE,
    VERSION,
)
from handrail.receipts import Rejected

# MSH-18 as senders write it (table 0211), and the codec.
ENCODINGS = {
    "": "utf-8",
    "ASCII": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "8859/1": "latin-1",
    "8859/15": "iso8859-15",
}
VERSIONS = re.compile(r"2\.[1-9](\.\d)?")
_STAMP = re.compile(r"\d{8}(\d\d){0,3}(\.\d{1,4})?([+-]\d{4})?", re.ASCII)
_ESCAPE = re.compile(
    r"[HNFRSTE]|\.(br|sp|fi|nf|in|ti|sk|ce)([+-]?\d{1,2})?|X([0-9A-Fa-f]{2})+", re.ASCII
)
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
MOST_IN_A_NAME = 250

Place = tuple[str, int, int]
Answer = Literal["AE", "AR"]

# What the library raises on text that is no message; it does not say so.
_BROKEN = (LookupError, ValueError, TypeError, AttributeError, AssertionError, hl7.HL7Exception)


class Refusal(desk.Refusal):
    """A message that cannot be taken, by segment, occurrence and field."""

    def __init__(
        self, error: int, place: Place, detail: str, *, code: str = "", answer: Answer = "AE"
    ) -> None:
        """`code` is ours, where a rule refused."""
        segment, _, field = place
        super().__init__(error, f"{segment}-{field}", detail, code=code)
        self.place, self.answer = place, answer


def refused(rejected: Rejected, place: Place = ("MSH", 1, 9)) -> Refusal:
    """A rule's refusal, in HL7's words."""
    error = UNKNOWN if rejected.code.endswith("_unknown") else FAULT
    return Refusal(error, place, rejected.detail, code=rejected.code)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `control` is the sender's own identifier of it (MSH-10)."""

    parsed: Any
    kind: str
    event: str
    control: str
    application: str
    facility: str

    def value(self, segment: str, field: int, component: int = 1, repeat: int = 1) -> str:
        """A value without escapes; empty where there is none, or where it is HL7's null."""
        try:
            found = self.parsed.extract_field(segment, 1, field, repeat, component)
        except _BROKEN:
            return ""
        text = str(found).strip()
        return "" if text == '""' else text

    def needed(self, segment: str, field: int, component: int = 1) -> str:
        """A value that has to be there. Raises Refusal."""
        found = self.value(segment, field, component)
        if not found:
            raise Refusal(MISSING, (segment, 1, field), "This field is needed.")
        if len(found) > MOST_IN_A_NAME:
            raise Refusal(TYPE, (segment, 1, field), "This field is too long.")
        return found

    def named(self, segment: str, field: int, authority: int) -> tuple[str, str]:
        """An identifier with its authority, or namespace, in that component. Raises Refusal."""
        return self.needed(segment, field), self.value(segment, field, authority)

    def moment(self, segment: str, field: int, zone: ZoneInfo, component: int = 1) -> datetime:
        """A moment that has to be there; without an offset it is local. Raises Refusal."""
        return stamp(self.needed(segment, field, component), zone, (segment, 1, field))

    def day(self, segment: str, field: int, zone: ZoneInfo) -> date | None:
        """A local day, where there is one. Raises Refusal."""
        written = self.value(segment, field)
        if not written:
            return None
        return stamp(written, zone, (segment, 1, field)).astimezone(zone).date()


def stamp(written: str, zone: ZoneInfo, place: Place) -> datetime:
    """The moment that HL7 writes like this, to the day at least. Raises Refusal."""
    refusal = Refusal(TYPE, place, "This is no date and time.")
    if not _STAMP.fullmatch(written) or not "1900" <= written[:4] < "2200":
        raise refusal
    try:
        found = hl7.parse_datetime(written)
        found = found.replace(tzinfo=zone) if found.tzinfo is None else found
        # With an offset of the standard library's: the other's may be more than a day.
        return datetime.fromisoformat(found.isoformat())
    except (ValueError, OverflowError):
        raise refusal from None


@contextmanager
def at(segment: str, field: int) -> Iterator[None]:
    """Say where in the message a rule's refusal comes from."""
    try:
        yield
    except Rejected as rejected:
        raise refused(rejected, (segment, 1, field)) from None


def read(raw: bytes) -> Message:
    """The message. Raises Refusal, to be answered with AR: nothing of it can be used."""
    lines = [line for line in _decoded(raw).split("\r") if line]
    if not lines or lines[0][:3] != "MSH":
        raise Refusal(SEQUENCE, ("MSH", 1, 1), "A message begins with MSH.", answer="AR")
    mark = lines[0][3:4]
    for line in lines[1:]:
        if not _SEGMENT.match(line) or line[:3] == "MSH" or line[3:4] not in ("", mark):
            raise Refusal(SEQUENCE, ("MSH", 1, 1), "A line is no segment.", answer="AR")
    marks = mark + lines[0][4:8]
    if len(set(marks)) != 5 or any(one.isalnum() or one.isspace() for one in marks):
        raise _no_marks()
    try:
        parsed = hl7.parse(lines[0][:8] + _plain("\r".join(lines)[8:], marks))
    except _BROKEN:
        raise _no_marks() from None
    return _headed(Message(parsed, "", "", "", "", ""))


def _plain(text: str, marks: str) -> str:
    """The text, where an escape character stands beside no escape of the standard, as text.

    The library would write such a field into the log, and repeat `.sp` as often as a sender likes.
    """
    field, component, repeat, escape, sub = tuple(marks)
    if escape not in text:
        return text
    pieces = re.split(f"([\r{re.escape(field + component + repeat + sub)}])", text)
    return "".join(
        one if _is_escaped(one.split(escape)) else one.replace(escape, f"{escape}E{escape}")
        for one in pieces
    )


def _is_escaped(parts: list[str]) -> bool:
    return len(parts) % 2 == 1 and all(_ESCAPE.fullmatch(one) for one in parts[1::2])


def _no_marks() -> Refusal:
    return Refusal(TYPE, ("MSH", 1, 2), "The separators cannot be used.", answer="AR")


def _headed(bare: Message) -> Message:
    message = Message(
        bare.parsed,
        bare.value("MSH", 9),
        bare.value("MSH", 9, 2),
        bare.value("MSH", 10),
        bare.value("MSH", 3),
        bare.value("MSH", 4),
    )
    for field, found in ((9, message.kind and message.event), (10, message.control)):
        if not found or len(found) > MOST_IN_A_NAME:
            raise Refusal(MISSING, ("MSH", 1, field), "This field is needed.", answer="AR")
    for field, found in ((3, message.application), (4, message.facility)):
        if not found.isprintable():
            raise Refusal(TYPE, ("MSH", 1, field), "This field is no name.", answer="AR")
    if bare.value("MSH", 11) not in ("P", "", "D", "T"):
        raise Refusal(PROCESSING, ("MSH", 1, 11), "P is expected.", answer="AR")
    version = bare.value("MSH", 12)
    if version and not VERSIONS.fullmatch(version):
        raise Refusal(VERSION, ("MSH", 1, 12), "Version 2 is expected.", answer="AR")
    return message


def _decoded(raw: bytes) -> str:
    head = re.split(rb"[\r\n]", raw.lstrip(), maxsplit=1)[0].decode("latin-1")
    fields = head.split(head[3:4] or "|")
    said = fields[17].partition("~")[0].strip() if len(fields) > 17 else ""
    codec = ENCODINGS.get(said)
    if codec is None:
        raise Refusal(VALUE, ("MSH", 1, 18), "This character set is not read here.", answer="AR")
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        raise Refusal(
            TYPE, ("MSH", 1, 18), "The bytes are not of that character set.", answer="AR"
        ) from None
    if "\x00" in text:
        raise Refusal(TYPE, ("MSH", 1, 1), "A NUL cannot be stored.", answer="AR")
    return text.replace("\r\n", "\r").replace("\n", "\r").strip()


def control_of(raw: bytes) -> str:
    """The sender's identifier of a message that may be broken; empty where it cannot be found."""
    head = re.split(rb"[\r\n]", raw.lstrip(), maxsplit=1)[0][:2000].decode("latin-1")
    fields = head.split(head[3:4] or "|")
    found = fields[9] if head[:3] == "MSH" and len(fields) > 9 else ""
    return found if len(found) <= MOST_IN_A_NAME else ""


__all__ = ["EVENT", "FAULT", "KIND", "MISSING", "TYPE", "UNKNOWN", "VALUE", "Message", "Refusal"]
