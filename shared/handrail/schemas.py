"""JSON Schema and an example of every event version, and AsyncAPI: `python -m handrail.schemas`.

Schemas and the AsyncAPI document are made from the models; the examples are written by hand.
`--check` proves that they are as made, that each example is one its event can read, and that no
event version differs from any that was ever committed, but by optional fields it has won.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from handrail.events import REGISTER, Event, SiteEvent
from handrail.topics import OWNERS, PARTITIONS, topic_of

FOLDER = Path(__file__).resolve().parents[1] / "schemas"
DIALECT = GenerateJsonSchema.schema_dialect
ASYNCAPI = "asyncapi.json"
# What is said about a field, and binds nobody.
_WORDS = ("title", "description", "examples", "default")

JsonSchema = dict[str, Any]


def schema_of(model: type[Event]) -> JsonSchema:
    """The JSON Schema (2020-12) that every event of this version satisfies, old or new."""
    schema = model.model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:handrail:event:{model.type}"} | schema


def breaks(old: JsonSchema, new: JsonSchema) -> list[str]:
    """What in `new` could surprise a reader or a writer of `old`; empty when nothing could."""
    before, now = old.get("properties", {}), new.get("properties", {})
    found = [f"{name} is gone" for name in before if name not in now]
    found += [
        f"{name} allows something else"
        for name in before
        if name in now and _binding(before[name]) != _binding(now[name])
    ]
    needed = set(old.get("required", ())), set(new.get("required", ()))
    found += [f"{name} is no longer always there" for name in sorted(needed[0] - needed[1])]
    found += [f"{name} is now required" for name in sorted(needed[1] - needed[0])]
    parts = old.get("$defs", {}), new.get("$defs", {})
    found += [
        f"{name} allows something else"
        for name in parts[0]
        if _binding(parts[0][name]) != _binding(parts[1].get(name))
    ]
    apart = ("properties", "required", "$defs", *_WORDS)
    rest = [{k: _binding(v) for k, v in schema.items() if k not in apart} for schema in (old, new)]
    return found if rest[0] == rest[1] else [*found, "it allows something else"]


def asyncapi() -> JsonSchema:
    """The AsyncAPI 3.0 document: a channel an owner, a message an event version."""
    channels, operations = {}, {}
    for owner in OWNERS:
        types = sorted(name for name, model in REGISTER.items() if model.owner == owner)
        channels[owner] = {
            "address": topic_of(owner),
            "description": f"Only {owner} writes here. The key is the admission.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in types},
            "bindings": {"kafka": {"partitions": PARTITIONS, "bindingVersion": "0.5.0"}},
        }
        operations[f"{owner}_publishes"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{owner}"},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Handrail",
            "version": "1",
            "description": "CloudEvents 1.0 in Kafka's binary mode. Payloads hold identifiers, "
            "codes, times and numbers. New optional fields may come; ignore what you do not know.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {name: _message(model) for name, model in sorted(REGISTER.items())},
            "schemas": {"cloudEventHeaders": _headers()},
        },
    }


def write() -> None:
    """Write every schema and the AsyncAPI document; the examples are left alone."""
    for path, text in _made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def troubles() -> list[str]:
    """Everything that is wrong with the folder, a line each."""
    found = [
        f"{path.relative_to(FOLDER)} is not as made: run `python -m handrail.schemas`"
        for path, text in _made().items()
        if not path.is_file() or path.read_text() != text
    ]
    for name, model in REGISTER.items():
        found += _example_troubles(name, model)
    for commit, path, old in _history():
        name = path.parent.name
        if name not in REGISTER:
            found.append(f"{name} was published in {commit} and is gone")
            continue
        found += [
            f"{name}: {trouble} since {commit}; make it a new version"
            for trouble in breaks(old, schema_of(REGISTER[name]))
        ]
    return list(dict.fromkeys(found))


def _example_troubles(name: str, model: type[Event]) -> list[str]:
    path = FOLDER / name / "example.json"
    if not path.is_file():
        return [f"{name} has no example.json"]
    try:
        event = model.model_validate_json(path.read_text())
    except ValidationError as error:
        return [f"the example of {name} cannot be read: {error.error_count()} fields"]
    if json.loads(event.model_dump_json()) != json.loads(path.read_text()):
        return [f"the example of {name} does not show every field, or shows one too many"]
    return []


def _made() -> dict[Path, str]:
    made = {FOLDER / name / "schema.json": _text(schema_of(m)) for name, m in REGISTER.items()}
    return made | {FOLDER / ASYNCAPI: _text(asyncapi())}


def _message(model: type[Event]) -> JsonSchema:
    return {
        "name": model.type,
        "summary": (model.__doc__ or "").splitlines()[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/cloudEventHeaders"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{model.type}/schema.json"},
        },
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "format": "uuid",
                    "description": "Site and partition."
                    if issubclass(model, SiteEvent)
                    else "admission_id",
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _headers() -> JsonSchema:
    texts: dict[str, JsonSchema] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"format": "uuid", "description": "The same when an event is sent again."},
        "ce_source": {"pattern": "^/handrail/"},
        "ce_type": {"enum": sorted(REGISTER)},
        "ce_time": {"format": "date-time"},
        "ce_sequence": {
            "pattern": "^[1-9][0-9]*$",
            "description": "One an owner and key, from 1, without holes.",
        },
        "ce_incarnation": {
            "pattern": "^[1-9][0-9]*$",
            "description": "Rises when the owner was restored to an earlier point.",
        },
        "content-type": {"const": "application/json"},
        "traceparent": {"description": "W3C Trace Context."},
    }
    return {
        "type": "object",
        "properties": {name: {"type": "string"} | rule for name, rule in texts.items()},
        "required": [name for name in texts if name != "traceparent"],
    }


def _binding(value: Any) -> Any:
    """A schema without its words."""
    if isinstance(value, dict):
        return {k: _binding(v) for k, v in value.items() if k not in _WORDS}
    return [_binding(item) for item in value] if isinstance(value, list) else value


def _history() -> Iterator[tuple[str, Path, JsonSchema]]:
    """Every schema that was ever committed: (commit, path, schema). Nothing outside a clone."""
    raw = _git("log", "--no-renames", "--raw", "--no-abbrev", "--format=%h", "--", str(FOLDER))
    commit, seen = "", set()
    for line in raw.splitlines():
        if not line.startswith(":"):
            commit = line or commit
            continue
        fields, _, path = line.partition("\t")
        blob = fields.split()[3]
        if path.endswith("/schema.json") and blob.strip("0") and (blob, path) not in seen:
            seen.add((blob, path))
            yield commit, Path(path), json.loads(_git("cat-file", "blob", blob))


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words],  # noqa: S607  # the developer's own git
            cwd=FOLDER.parent,
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(schema: JsonSchema) -> str:
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write, or with `--check` tell what is wrong. Returns the exit code."""
    if sys.argv[1:] == ["--check"]:
        found = troubles()
        print("\n".join(found) or f"{len(REGISTER)} event versions are as they were published")
        return 1 if found else 0
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
