"""Every input of a service, read from its own OpenAPI document."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
_FORMATS = {
    "uuid": ID,
    "date": "2026-11-02",
    "date-time": "2026-11-02T09:00:00Z",
}
Schema = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Inputs:
    """The routes and commands of one service."""

    described: Schema

    def commands(self) -> list[Schema]:
        """The schema of each command."""
        schemas: Schema = self.described["components"]["schemas"]
        return [one for one in schemas.values() if "do" in one.get("properties", {})]

    def marked_commands(self, spelling: str) -> Iterator[Schema]:
        """Each command with this in every field; and one with a field that is called so."""
        for command in self.commands():
            fields = command["properties"]
            yield dict.fromkeys(fields, spelling) | {"do": fields["do"]["const"]}
        yield self.sample(self.commands()[0]) | {spelling: spelling}

    def marked_fields(self, spellings: tuple[str, ...]) -> Iterator[Schema]:
        """Each field of each command on its own, the spellings taking turns."""
        turn = 0
        for command in self.commands():
            for name in command["properties"]:
                turn += 1
                spelling = spellings[turn % len(spellings)]
                good = self.sample(command) | {"key": f"field-{turn}"}
                for marked in self._marked(command["properties"][name], spelling):
                    yield good | {name: marked}

    def marked_routes(self, spelling: str) -> Iterator[Asked]:
        """Each other route with this in its path, in each query parameter and in its body."""
        for path, methods in self.described["paths"].items():
            for method, about in methods.items():
                asked = about.get("parameters", [])
                place = path
                for one in asked:
                    if one["in"] == "path":
                        place = place.replace(f"{{{one['name']}}}", quote(spelling, safe=""))
                query = {one["name"]: spelling for one in asked if one["in"] == "query"}
                content = about.get("requestBody", {}).get("content", {})
                schema = self._whole(content.get("application/json", {}).get("schema", {}))
                body = None
                if schema:
                    body = dict.fromkeys(schema.get("properties", {}), spelling)
                yield Asked(method.upper(), place, query, body)
                if body:
                    for name, inside in schema["properties"].items():
                        for marked in self._marked(inside, spelling):
                            yield Asked(
                                method.upper(), place, {}, self.sample(schema) | {name: marked}
                            )

    def body(self, about: Schema) -> Any:
        """What a route takes, made from its document; None where it takes nothing."""
        content = about.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return self.sample(schema) if schema else None

    def sample(self, schema: Schema) -> Any:  # noqa: PLR0911  # one answer for each kind of schema
        """Something the schema takes, with every field it names."""
        schema = self._whole(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.sample(schema[choice][0])
        match schema.get("type"):
            case "object":
                fields = schema.get("properties", {})
                return {name: self.sample(one) for name, one in fields.items()}
            case "array":
                items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
                return [self.sample(items)]
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
            case "null":
                return None
        return _FORMATS.get(schema.get("format", ""), "x1")

    def _marked(self, schema: Schema, spelling: str) -> Iterator[Any]:
        """The spelling itself, and below it where it holds fields, items or keys."""
        yield spelling
        schema = self._whole(schema)
        for choice in schema.get("anyOf", []):
            schema = self._whole(choice) if "type" not in schema else schema
        if schema.get("type") == "array":
            yield [spelling]
            inside = self._whole(schema.get("items", {}))
            if inside.get("type") == "object":
                yield [dict.fromkeys(inside.get("properties", {}), spelling)]
                yield [{spelling: spelling}]
        if schema.get("type") == "object":
            yield {spelling: 1}
            yield {spelling: spelling}
            yield {ID: spelling}

    def _whole(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema
