"""What is in a Bundle: the statements that are taken, and whom the rest of it names."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from handrail.desk.letter import KIND, MISSING, TYPE, VALUE, Refusal
from handrail.fhir import reading
from handrail.fhir.reading import LOGICAL, Document, Name, Statement

MOST_ENTRIES = 200
# What may stand beside: it is read for its identifiers and not kept.
CONTEXT = frozenset({"Patient", "MessageHeader"})
_URL = re.compile(r"([A-Z][A-Za-z]+)(?:/([A-Za-z0-9.-]{1,64})|\?identifier=([^&]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `kind` is None for what is only read for its identifiers."""

    number: int
    document: Document
    kind: str | None
    method: str

    @property
    def where(self) -> str:
        """Its FHIRPath."""
        return f"Bundle.entry[{self.number}].resource"


@dataclass(frozen=True, slots=True)
class Bundle:
    """`around` says by which identifiers a reference in it means what stands in it."""

    type: str
    name: Name | None
    entries: Sequence[Entry]
    around: Mapping[str, Sequence[Name]]

    def statement(self, entry: Entry) -> Statement:
        """An entry that is taken, read. Raises Refusal."""
        assert entry.kind
        found = reading.resource(entry.document, entry.kind, entry.where)
        return Statement(entry.kind, found, entry.where, self.around)


def opened(document: Document, taken: Collection[str]) -> Bundle:
    """A Bundle of kind transaction, batch or message. Raises Refusal."""
    listed = document.get("entry", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Refusal(TYPE, "Bundle.entry", "A list of entries is expected.")
    if len(listed) > MOST_ENTRIES:
        raise Refusal(VALUE, "Bundle.entry", f"At most {MOST_ENTRIES} entries are taken at once.")
    bare = [{name: one[name] for name in one if name != "resource"} for one in listed]
    frame = reading.resource({**document, "entry": bare or None}, "Bundle", "Bundle")
    if frame.type not in ("transaction", "batch", "message"):
        raise Refusal(VALUE, "Bundle.type", "A transaction, a batch or a message is taken.")
    if frame.type == "message":
        _require_head(listed)
    entries = [_entry(number, one, frame.type, taken) for number, one in enumerate(listed)]
    if not any(one.kind for one in entries):
        raise Refusal(MISSING, "Bundle.entry", "It holds nothing that is taken here.")
    name = frame.identifier and frame.identifier.value
    around = _around(listed)
    named = (name, frame.identifier.system or "") if name else None
    return Bundle(frame.type, named, entries, around)


def _require_head(listed: Sequence[Mapping[str, Any]]) -> None:
    head = listed[0].get("resource") if listed else None
    if not isinstance(head, dict) or head.get("resourceType") != "MessageHeader":
        raise Refusal(MISSING, "Bundle.entry[0].resource", "A message begins with its header.")
    if not isinstance(head.get("id"), str):
        raise Refusal(MISSING, "Bundle.entry[0].resource.id", "This element is needed.")


def _entry(number: int, one: Mapping[str, Any], type_: str, taken: Collection[str]) -> Entry:
    where = f"Bundle.entry[{number}]"
    document = one.get("resource")
    if not isinstance(document, dict):
        raise Refusal(MISSING, f"{where}.resource", "This element is needed.")
    kind = str(document.get("resourceType"))
    if type_ == "message":
        return Entry(number, document, kind if kind in taken else None, "PUT")
    if kind not in taken and kind not in CONTEXT:
        raise Refusal(KIND, f"{where}.resource", "This kind of resource is not taken here.")
    method = _method(one.get("request"), document, f"{where}.request")
    return Entry(number, document, kind if kind in taken else None, method)


def _method(request: Any, document: Document, where: str) -> str:
    if not isinstance(request, dict):
        raise Refusal(MISSING, where, "This element is needed.")
    method, url = request.get("method"), request.get("url")
    if method not in ("POST", "PUT"):
        raise Refusal(KIND, f"{where}.method", "POST and PUT are taken.")
    if request.get("ifMatch"):
        raise Refusal(KIND, f"{where}.ifMatch", "The newest lastUpdated counts; leave this out.")
    found = _URL.fullmatch(url) if isinstance(url, str) else None
    if found is None or found[1] != document.get("resourceType"):
        raise Refusal(VALUE, f"{where}.url", "Name the kind of the resource, as Appointment.")
    if found[2] and found[2] != document.get("id"):
        raise Refusal(VALUE, f"{where}.url", "The resource has another id.")
    if found[3]:
        require_identifier(document, unquote(found[3]), f"{where}.url")
    return str(method)


def require_identifier(document: Document, condition: str, where: str) -> None:
    """The resource bears the identifier (`system|value`) that its address names. Raises Refusal."""
    system, _, value = condition.rpartition("|")
    if (value, system) not in _names_in(document):
        raise Refusal(VALUE, where, "The resource bears another identifier.")


def _names_in(document: Document) -> list[Name]:
    given = document.get("identifier")
    return reading.identifiers(given if isinstance(given, list) else [given])


def _around(listed: Sequence[Mapping[str, Any]]) -> dict[str, list[Name]]:
    around: dict[str, list[Name]] = {}
    for one in listed:
        document, url = one.get("resource"), one.get("fullUrl")
        if not isinstance(document, dict):
            continue
        kind, identity = document.get("resourceType"), document.get("id")
        names = _names_in(document)
        if isinstance(identity, str) and isinstance(kind, str):
            names = [*names, (identity, LOGICAL + kind)]
            around[f"{kind}/{identity}"] = names
        if isinstance(url, str):
            around[url] = names
    return around
