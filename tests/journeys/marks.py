"""Marked things about a person that is nobody, in sixty spellings, and how to find them again."""

import base64
import codecs
import html
import quopri
import re
import unicodedata
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote

NAME = "Quillona Vexbury"
BORN = "Born 23 Sep 1957"
PHONE = "+1 (555) 010-7731"
NOTE = "fears her brother Osgoodson"
RECORD = "MRN 88213707-QV"

SPELLED: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: "-".join(text.upper()),
    lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"),
    quote,
    lambda text: quote(quote(text)),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: text.encode().hex(),
    lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    lambda text: "".join(chr(ord(letter) + 0xFEE0) if letter > " " else "　" for letter in text),
    "\u200b".join,
    lambda text: codecs.encode(text, "rot13")[::-1],
)
SPELLINGS = tuple(spell(mark) for mark in (NAME, BORN, PHONE, NOTE, RECORD) for spell in SPELLED)
assert len(set(SPELLINGS)) == 60

# What a code of the organisation's own may look like.
AS_CODE = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,63}")
CODES = frozenset(text for text in SPELLINGS if AS_CODE.fullmatch(text))


def found_in(text: str, marks: Iterable[str] = SPELLINGS) -> set[str]:
    """The spellings that stand in `text`, also where it was escaped once more on the way."""
    readings = {reading.casefold() for read in _READ for reading in [read(text)]}
    return {mark for mark in marks if any(mark.casefold() in reading for reading in readings)}


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


_READ: tuple[Callable[[str], str], ...] = (
    str,
    unquote,
    html.unescape,
    _unescaped,
    lambda text: unicodedata.normalize("NFKC", text).replace("\u200b", ""),
    lambda text: text.replace("+", " "),
    lambda text: quopri.decodestring(text.encode()).decode("utf-8", "replace"),
    lambda text: codecs.decode(text.encode(), "unicode_escape", "replace"),
)
