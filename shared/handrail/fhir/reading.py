"""Reads what is written in FHIR R4. What is wrong is said by code and FHIRPath, never by content."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from handrail.desk.letter import FAULT, MISSING, TYPE, UNKNOWN, Refusal
from handrail.receipts import Rejected

Document: TypeAlias = dict[str, Any]
# An identifier: its value, and its system.
Name: TypeAlias = tuple[str, str]
MOST_NAMES, LONGEST = 5, 250
# The system of a sender's own ids, which name a resource where it has no identifier.
LOGICAL = "urn:handrail:logical-id:"
_ELEMENT = re.compile(r"_?[a-z][A-Za-z]{0,40}", re.ASCII)
# What the library raises on JSON that is no resource; it does not say so.
_BROKEN = (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError)


def parsed(raw: bytes) -> Document:
    """The JSON object. Raises Refusal."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refusal(TYPE, "", "This is no JSON.") from None
    if not isinstance(found, dict):
        raise Refusal(TYPE, "", "A resource is a JSON object.")
    try:
        written(found)
    except orjson.JSONEncodeError:
        raise Refusal(TYPE, "", "It is nested too deeply.") from None
    return found


def written(document: Document) -> bytes:
    """The same bytes for the same content, however it was set."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def resource(document: Document, kind: str, where: str) -> Any:
    """A resource of the library's. Raises Refusal with the first place that is wrong."""
    try:
        return get_fhir_model_class(kind).model_validate(document)
    except ValidationError as error:
        raise _refusal(error, where) from None
    except _BROKEN:
        raise Refusal(TYPE, where, "This cannot be read as R4 has it.") from None


def _refusal(error: ValidationError, where: str) -> Refusal:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = first["loc"]
    if first["type"] == "extra_forbidden":
        # The name of what is not there may be anything.
        return Refusal(TYPE, _path(where, path[:-1]), "R4 has no such element here.")
    if first["type"] == "missing":
        return Refusal(MISSING, _path(where, path), "This element is needed.")
    return Refusal(TYPE, _path(where, path), "This element cannot be read as R4 has it.")


def _path(where: str, path: Iterable[int | str]) -> str:
    for part in path:
        if isinstance(part, int):
            where += f"[{part}]"
        elif _ELEMENT.fullmatch(part):
            where += f".{part}"
    return where


@dataclass(frozen=True, slots=True)
class Statement:
    """One resource as it was sent, and what else came with it.

    `where` is its FHIRPath, `around` the identifiers of what a reference may mean.
    """

    kind: str
    resource: Any
    where: str
    around: Mapping[str, Sequence[Name]] = field(default_factory=dict)

    @property
    def said_at(self) -> datetime | None:
        """When its sender last changed it. Raises Refusal."""
        return self.moment("meta.lastUpdated")

    def moment(self, element: str) -> datetime | None:
        """A moment, where there is one. Raises Refusal for a day, or a second that no clock has."""
        found = self.resource
        for name in element.split("."):
            found = getattr(found, name, None)
        if found is not None and not (isinstance(found, datetime) and found.tzinfo):
            raise Refusal(TYPE, self.path(element), "A moment with its offset is expected.")
        return found

    def path(self, element: str) -> str:
        """Where that element stands."""
        return f"{self.where}.{element}"

    def missing(self, element: str) -> Refusal:
        """It is needed."""
        return Refusal(MISSING, self.path(element), "This element is needed.")

    def at(self, element: str) -> AbstractContextManager[None]:
        """Say which element a rule's refusal is about."""
        return _at(self.path(element))

    def names(self) -> list[Name]:
        """Its identifiers, those with a system first, then its sender's own id. Raises Refusal."""
        found = identifiers(_dumped(self.resource.identifier))
        if self.resource.id:
            found.append((self.resource.id, LOGICAL + self.kind))
        if not found:
            raise self.missing("identifier")
        return found[:MOST_NAMES]

    def meant(self, reference: Any) -> list[Name]:
        """By which names a reference says whom or what it means; none where it says nothing."""
        if reference is None:
            return []
        found = identifiers([reference.identifier.model_dump()]) if reference.identifier else []
        target = reference.reference or ""
        if target.startswith("#"):
            found += self._contained(target[1:])
        elif target in self.around:
            found += self.around[target]
        elif target:
            kind, _, identity = target.rpartition("/")
            found.append((identity, LOGICAL + kind.rpartition("/")[2]))
        return [one for one in found if len(one[0]) <= LONGEST and len(one[1]) <= LONGEST][
            :MOST_NAMES
        ]

    def _contained(self, identity: str) -> list[Name]:
        for one in self.resource.contained or ():
            if one.id == identity:
                return identifiers(_dumped(getattr(one, "identifier", None)))
        return []


def identifiers(found: Any) -> list[Name]:
    """The values and systems in a list of identifiers, those with a system first."""
    pairs = [
        (str(one["value"]), str(one.get("system") or ""))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("value"), str) and one["value"].strip()
    ]
    fitting = [pair for pair in pairs if len(pair[0]) <= LONGEST and len(pair[1]) <= LONGEST]
    return sorted(fitting, key=lambda pair: not pair[1])


def _dumped(found: Any) -> list[Any]:
    listed = found if isinstance(found, list) else [found] if found else []
    return [one.model_dump() for one in listed]


def codes(*concepts: Any) -> list[tuple[str, str]]:
    """Code and system of each coding of these concepts or codings, in order."""
    return [
        (str(coding.code), str(coding.system or ""))
        for concept in concepts
        for coding in getattr(concept, "coding", None) or ([concept] if concept else [])
        if getattr(coding, "code", None)
    ]


@contextmanager
def _at(where: str) -> Any:
    try:
        yield
    except Rejected as rejected:
        raise refused(rejected, where) from None


def refused(rejected: Rejected, where: str) -> Refusal:
    """A rule's refusal, with its place."""
    error = UNKNOWN if rejected.code.endswith("_unknown") else FAULT
    return Refusal(error, where, rejected.detail, code=rejected.code)
