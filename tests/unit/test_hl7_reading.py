"""What is wrong with an HL7 message, by code of table 0357 and place."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from handrail.desk.sealing import Seal
from handrail.hl7 import answers, reading
from handrail.hl7.reading import Refusal

HEAD = "MSH|^~\\&|EHR|NORTH|||20261125120000||ADT^A04^ADT_A01|C1|P|2.5.1"
GOOD = f"{HEAD}\rEVN||20261125120000\rPID|||7^^^NORTH^MR\rPV1||O|DAY^2|||||||||||7"
NEW_YORK = ZoneInfo("America/New_York")


def refused(raw: bytes) -> tuple[int, str, str]:
    with pytest.raises(Refusal) as told:
        reading.read(raw)
    segment, _, field = told.value.place
    return told.value.error, f"{segment}-{field}", told.value.answer


@pytest.mark.parametrize(
    ("raw", "error", "place"),
    [
        (b"", 100, "MSH-1"),
        (b"PID|||7", 100, "MSH-1"),
        (f"{HEAD}\rno segment".encode(), 100, "MSH-1"),
        (f"{GOOD}\r{HEAD}".encode(), 100, "MSH-1"),
        (b"MSH|", 102, "MSH-2"),
        (b"MSH||||||||||||", 102, "MSH-2"),
        (b"MSH|^^\\&|EHR|N|||2026||ADT^A04|1|P|2.5", 102, "MSH-2"),
        (GOOD.replace("ADT^A04^ADT_A01", "ADT").encode(), 101, "MSH-9"),
        (GOOD.replace("C1", "").encode(), 101, "MSH-10"),
        (GOOD.replace("|P|", "|X|").encode(), 202, "MSH-11"),
        (GOOD.replace("2.5.1", "3").encode(), 203, "MSH-12"),
        (GOOD.replace("|2.5.1", "|2.5.1||||||8859/7").encode(), 103, "MSH-18"),
        (GOOD.replace("NORTH", "NÖRTH").encode("latin-1"), 102, "MSH-18"),
        (GOOD.encode() + b"\x00", 102, "MSH-1"),
        (GOOD.replace("EHR", "E\\X00\\R").encode(), 102, "MSH-3"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_read_is_refused_by_code_and_place(
    raw: bytes, error: int, place: str
) -> None:
    assert refused(raw) == (error, place, "AR")


@pytest.mark.parametrize(
    "raw",
    [
        GOOD.encode(),
        GOOD.replace("\r", "\n").encode(),
        GOOD.replace("\r", "\r\n\r\n").encode() + b"\r\n",
        GOOD.replace("2.5.1", "2.5.1||||||8859/1").replace("DAY", "DÄY").encode("latin-1"),
        GOOD.replace("DAY", "DÄY").encode(),
        GOOD.translate(str.maketrans("|^~&", "$%*#")).encode(),
    ],
)
def test_line_ends_characters_and_separators_are_read_as_they_are_said_to_be(raw: bytes) -> None:
    message = reading.read(raw)

    assert (message.kind, message.event, message.control) == ("ADT", "A04", "C1")
    assert message.named("PID", 3, 4) == ("7", "NORTH")
    assert message.value("PV1", 3) in ("DAY", "DÄY")
    assert message.value("PV1", 99) == message.value("ZZZ", 1) == ""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("D\\T\\Y", "D&Y"),
        ("D\\X41\\Y", "DAY"),
        ("a\\.sp2\\b", "a\r\rb"),
        ("NORTH\\clerk", "NORTH\\clerk"),
        ("\\XZZ\\", "\\XZZ\\"),
        ("\\\\", "\\\\"),
        ("\\C2842\\", "\\C2842\\"),
        # Otherwise ten thousand million line ends.
        ("\\.sp9999999999\\", "\\.sp9999999999\\"),
    ],
)
def test_what_no_escape_of_the_standard_is_stays_text_and_is_not_logged(
    written: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert reading.read(GOOD.replace("DAY", written).encode()).value("PV1", 3) == value
    assert caplog.records == []


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("20261125", datetime(2026, 11, 25, 5, tzinfo=UTC)),
        ("202611251230", datetime(2026, 11, 25, 17, 30, tzinfo=UTC)),
        ("20260701123001", datetime(2026, 7, 1, 16, 30, 1, tzinfo=UTC)),
        ("20261125123001.25+0100", datetime(2026, 11, 25, 11, 30, 1, 250_000, tzinfo=UTC)),
        ("20261125123001-0330", datetime(2026, 11, 25, 16, 0, 1, tzinfo=UTC)),
        *((bad, None) for bad in ("", "2026", "20261332", "20260230", "yesterday", "18991231")),
        *((bad, None) for bad in ("2026112525", "20261125123099", "20261125+9999", "99991231")),
    ],
)
def test_a_moment_is_local_unless_it_says_otherwise(written: str, moment: datetime | None) -> None:
    if moment:
        assert reading.stamp(written, NEW_YORK, ("EVN", 1, 2)) == moment
        return
    with pytest.raises(Refusal) as told:
        reading.stamp(written, NEW_YORK, ("EVN", 1, 2))
    assert (told.value.error, told.value.place) == (102, ("EVN", 1, 2))


def test_an_answer_repeats_nothing_but_who_asked_and_under_which_identifier() -> None:
    message = reading.read(GOOD.replace("C1", "C^1&\\T\\").encode())
    reply = answers.answer(message, "C|1\r", Refusal(101, ("PID", 1, 3), "It is needed."))

    head, acknowledged, error = reply.decode().split("\r")[:3]
    assert head.split("|")[4:6] == ["EHR", "NORTH"]
    assert acknowledged == "MSA|AE|C\\F\\1?"
    assert error == "ERR||PID^1^3|101^Required field missing^HL70357|E||||It is needed."


def test_a_name_is_the_same_only_for_the_same() -> None:
    seal, other = Seal(b"one"), Seal(b"two")

    assert seal.name("ehr", "visit", "7", "") == Seal(b"one").name("ehr", "visit", "7", "")
    names = {
        seal.name("ehr", "visit", "7", ""),
        seal.name("ehr", "visit", "", "7"),
        seal.name("ehr", "person", "7", ""),
        seal.name("lab", "visit", "7", ""),
        other.name("ehr", "visit", "7", ""),
    }
    assert len(names) == 5
