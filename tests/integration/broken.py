"""Ways to break a message, and how many are broken."""

import os
import random
from collections.abc import Callable

COUNT = int(os.environ.get("HANDRAIL_FUZZ", "400"))
SEED = int(os.environ.get("HANDRAIL_FUZZ_SEED", "20261125"))
Mutation = Callable[[random.Random, bytes], bytes]


def flip(of: random.Random, raw: bytes) -> bytes:
    place = of.randrange(len(raw))
    return raw[:place] + bytes([of.randrange(256)]) + raw[place + 1 :]


def cut(of: random.Random, raw: bytes) -> bytes:
    return raw[: of.randrange(len(raw))]


def leave_out(of: random.Random, raw: bytes) -> bytes:
    first = of.randrange(len(raw))
    return raw[:first] + raw[first + of.randrange(1, 40) :]


def put_in(of: random.Random, raw: bytes) -> bytes:
    place = of.randrange(len(raw))
    return raw[:place] + of.choice(JUNK) + raw[place:]


def other_field(of: random.Random, raw: bytes) -> bytes:
    segments = [segment.split(b"|") for segment in raw.split(b"\r")]
    fields = of.choice(segments)
    fields[of.randrange(len(fields))] = of.choice(JUNK)
    return b"\r".join(b"|".join(fields) for fields in segments)


def shuffle(of: random.Random, raw: bytes) -> bytes:
    segments = raw.split(b"\r")
    of.shuffle(segments)
    return b"\r".join(segments)


def twice(of: random.Random, raw: bytes) -> bytes:
    segments = raw.split(b"\r")
    segments.insert(of.randrange(len(segments)), of.choice(segments))
    return b"\r".join(segments)


def other_marks(of: random.Random, raw: bytes) -> bytes:
    marks = of.sample(list(b"|^~\\&#$%!*"), 5)
    return raw.translate(bytes.maketrans(b"|^~\\&", bytes(marks)))


def other_ends(_of: random.Random, raw: bytes) -> bytes:
    return raw.replace(b"\r", b"\r\n")


JUNK = (
    *(b"", b'""', b"|||", b"^^^^", b"~~~", b"\\", b"\\X00\\", b"\\XZZ\\", b"\\E\\F\\", b"&&&"),
    *(b"\x00", b"\xff\xfe", b"\x0b", "ключ".encode(), b"'; drop table x;--", b"%s%n", b"9" * 400),
    *(b"19000101", b"99991231235959", b"20261332", b"20261125+9999", b"-1", b"A" * 5000),
    *(b"\r", b"\n", b"MSH|", b"\rPID|", b"8859/1", b"NaN", "\u202eabc".encode(), b"\x7f\x1b[2J"),
)
MUTATIONS: tuple[Mutation, ...] = (
    *(flip, cut, leave_out, put_in, put_in, other_field, other_field, other_field),
    *(shuffle, twice, other_marks, other_ends),
)

# All that a message may change of intake's, and what ties it together: a referral without its name
# or an event without its command would be half a message.
STAYS = """
select (select count(*) from admissions), (select count(*) from receipts),
    (select count(*) from outbox), (select count(*) from hl7_names),
    (select coalesce(max(sent_at), 'epoch') from hl7_newest),
    (select md5(string_agg(concat_ws(',', admission_id, status, patient_id, program_id), ';'
        order by admission_id)) from admissions)
"""
HALF_STAYS = """
select (select count(*) from admissions a where not exists (
        select from hl7_names n where n.subject = a.admission_id)),
    (select count(*) from outbox) - (select count(*) from receipts) - (
        select count(*) from outbox where type = 'intake.admissions_merged.v1') / 2,
    (select count(*) from hl7_messages where state = 'applied' and body is not null)
"""
