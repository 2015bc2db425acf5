"""Writes HL7 messages and reads their answers with hl7apy, which is not what the services read with."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message
from hl7apy.parser import parse_message

STRUCTURES = {
    **dict.fromkeys(("A01", "A04", "A08", "A13"), "ADT_A01"),
    "A03": "ADT_A03",
    "A05": "ADT_A05",
    "A11": "ADT_A09",
    "A21": "ADT_A21",
    "A22": "ADT_A21",
    "A40": "ADT_A39",
}
# hl7apy joins the groups of a message by name.
GROUPED = {"A40": "adt_a39_patient"}


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")


def adt(  # a message has as many parts
    event: str,
    sender: tuple[str, str],
    *,
    person: str,
    visit: str = "",
    at: datetime | None = None,
    control: str = "",
    **fields: str,
) -> Message:
    """A valid ADT message; `fields` are more, as `pv1_36`."""
    when = stamp(at or datetime.now(UTC))
    message = Message(STRUCTURES[event], version="2.5.1", validation_level=VALIDATION_LEVEL.STRICT)
    _head(message, f"ADT^{event}^{STRUCTURES[event]}", sender, when, control)
    message.evn.evn_2 = when
    where = getattr(message, GROUPED[event]) if event in GROUPED else message
    where.pid.pid_3 = f"{person}^^^NORTH^MR"
    where.pid.pid_5 = "Canary^Quill"
    if event in GROUPED:
        where.mrg.mrg_1 = fields.pop("mrg_1")
    else:
        where.pv1.pv1_2 = "O"
        where.pv1.pv1_19 = f"{visit}^^^NORTH"
    for name, value in fields.items():
        setattr(getattr(where, name.partition("_")[0]), name, value)
    message.validate()
    return message


def _head(message: Message, kind: str, sender: tuple[str, str], when: str, control: str) -> None:
    message.msh.msh_3, message.msh.msh_4 = sender
    message.msh.msh_7 = when
    message.msh.msh_9 = kind
    message.msh.msh_10 = control or uuid4().hex[:20]
    message.msh.msh_11 = "P"


@dataclass(frozen=True)
class Booking:
    """One person's appointment."""

    person: str
    visit: str
    number: str
    starts: datetime
    minutes: int = 90
    service: str = "GRP"


def siu(
    event: str,
    sender: tuple[str, str],
    booked: Booking,
    *,
    at: datetime | None = None,
    **fields: str,
) -> Message:
    """A valid SIU message about one person's appointment."""
    message = Message("SIU_S12", version="2.5.1", validation_level=VALIDATION_LEVEL.STRICT)
    _head(message, f"SIU^{event}^SIU_S12", sender, stamp(at or datetime.now(UTC)), "")
    message.sch.sch_2 = f"{booked.number}^EHR"
    message.sch.sch_6 = "ROUTINE"
    message.sch.sch_9 = str(booked.minutes)
    message.sch.sch_10 = "min"
    message.sch.sch_11 = f"^^M{booked.minutes}^{stamp(booked.starts)}"
    message.sch.sch_16 = "1^Scheduler"
    message.sch.sch_20 = "1^Clerk"
    patient = message.siu_s12_patient
    patient.pid.pid_3 = f"{booked.person}^^^NORTH^MR"
    patient.pid.pid_5 = "Canary^Quill"
    patient.pv1.pv1_2 = "O"
    patient.pv1.pv1_19 = f"{booked.visit}^^^NORTH"
    message.siu_s12_resources.rgs.rgs_1 = "1"
    service_group = message.siu_s12_resources.siu_s12_service
    service_group.ais.ais_1 = "1"
    service_group.ais.ais_3 = booked.service
    for name, value in fields.items():
        setattr(getattr(message, name.partition("_")[0]), name, value)
    message.validate()
    return message


async def sent(port: int, *messages: Message | bytes) -> list[Message]:
    """Send them over one connection by MLLP; the answers, read by hl7apy and valid."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        answers = []
        for one in messages:
            frame = one if isinstance(one, bytes) else one.to_mllp().encode()
            writer.write(frame)
            block = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)
            answers.append(read(block[1:-2]))
        return answers
    finally:
        writer.close()
        await writer.wait_closed()


def read(raw: bytes) -> Message:
    """An acknowledgement, valid by HL7's own structure."""
    answer = parse_message(raw.decode(), validation_level=VALIDATION_LEVEL.STRICT)
    answer.validate()
    return answer


def code(answer: Message) -> str:
    return str(answer.msa.msa_1.value)


def fault(answer: Message) -> tuple[str, str]:
    """Where it lies and what it is: `PID^1^3` and `101`."""
    where, what = answer.err.err_2.value, answer.err.err_3.value
    return str(where), str(what).partition("^")[0]
