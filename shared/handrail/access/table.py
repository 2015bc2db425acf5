"""The table of a service: for each of its routes, who may call it, and whose records it shows.

`access.toml` in the service's folder has a line a route: `"GET /v1/things" = "care+system all"`.
Groups stand left, with a plus between; the scope stands right, where the route shows a person.
`page:team` asks the page's session for the right `team` and looks after programmes itself.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, TypeAlias

Role: TypeAlias = Literal[
    "counsellor",
    "case_manager",
    "supervisor",
    "medical_director",
    "operator",
    "privacy_officer",
    "system",
    "subscriber",
    "support",
]
Scope: TypeAlias = Literal["", "own", "all", "mine"]

# `everyone` asks for nothing; `page` asks for the page's own sign-in, and for a right after the colon.
GROUPS: dict[str, frozenset[Role]] = {
    "everyone": frozenset(),
    "page": frozenset(),
    "care": frozenset({"counsellor", "case_manager", "supervisor", "medical_director"}),
    "lead": frozenset({"supervisor", "medical_director"}),
    "privacy": frozenset({"privacy_officer"}),
    "operator": frozenset({"operator"}),
    "system": frozenset({"system"}),
    "subscriber": frozenset({"subscriber"}),
}
SCOPES: tuple[Scope, ...] = ("", "own", "all", "mine")


class TableMistake(Exception):
    """The table cannot be used; the text says which line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route.

    `own` shows one thing, of the caller's programmes; `all` what is of a whole site; `mine` leaves
    out what is not of the caller's programmes.
    """

    groups: tuple[str, ...]
    scope: Scope

    @property
    def is_open(self) -> bool:
        """Whether no token is asked for here."""
        return any(_kind(group) in ("everyone", "page") for group in self.groups)

    def admits(self, role: Role) -> bool:
        """Whether this role may call it at all."""
        return any(role in GROUPS[_kind(group)] for group in self.groups)


Table: TypeAlias = Mapping[str, Row]


@cache
def table_of(service: str) -> Table:
    """The rows of a service and those that all have. Raises TableMistake."""
    rows: dict[str, Row] = {}
    for package, name in (("handrail.access", "common.toml"), (service, "access.toml")):
        text = resources.files(package).joinpath(name).read_text()
        rows |= {route: _row(route, str(words)) for route, words in tomllib.loads(text).items()}
    return rows


def _row(route: str, words: str) -> Row:
    groups, _, scope = words.partition(" ")
    named = tuple(groups.split("+"))
    if not {_kind(group) for group in named} <= set(GROUPS) or scope not in SCOPES:
        message = f"{route}: '{words}' is not groups and a scope"
        raise TableMistake(message)
    return Row(named, scope)


def _kind(group: str) -> str:
    return group.partition(":")[0]


def without_row(table: Table, routes: Iterable[str]) -> list[str]:
    """The routes that the table forgets."""
    return sorted(set(routes) - set(table))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `programs` is None for all programmes; `scopes` are SMART's."""

    subject: str
    role: Role
    programs: frozenset[str] | None
    scopes: frozenset[str] = frozenset()
    client: str | None = None
    # Another part of Handrail, or its command.
    is_inner: bool = False

    def sees(self, programs: Iterable[str | None]) -> bool:
        """Whether all these programmes are theirs; nobody's are only theirs who may see all."""
        if self.programs is None:
            return True
        found = list(programs)
        return bool(found) and all(one in self.programs for one in found)


Refusal: TypeAlias = Literal["sign_in", "role", "programme"]


def refusal(row: Row | None, caller: Caller | None) -> Refusal | None:
    """Why a call is refused before it is known whose records it asks for; None when it is not."""
    if row is not None and row.is_open:
        return None
    if caller is None:
        return "sign_in"
    if row is None or not row.admits(caller.role):
        return "role"
    return "programme" if row.scope == "all" and caller.programs is not None else None


def documented(services: Iterable[str]) -> str:
    """docs/access.md."""
    lines = [_HEAD]
    for service in services:
        lines += [f"## {service}", "", "| route | who | whose records |", "|---|---|---|"]
        lines += [
            f"| `{route}` | {', '.join(row.groups)} | {_WHOSE[row.scope]} |"
            for route, row in sorted(table_of(service).items(), key=_by_path)
        ]
        lines.append("")
    return "\n".join(lines)


def _by_path(item: tuple[str, Row]) -> tuple[str, str]:
    method, _, path = item[0].partition(" ")
    return path, method


_WHOSE = {
    "": "",
    "own": "of one's own programmes",
    "all": "of a whole site",
    "mine": "leaves out other programmes",
}
_ASKED = {
    "everyone": "nothing is asked",
    "page": "the page's sign-in, and the right after the colon",
}
_HEAD = """# Who may call which route

Made from `services/*/access.toml`; `tests/journeys/test_access.py` tries each line as each role.
Where a route is not in the table, a service does not start. A call without a token is refused
where `HANDRAIL_ACCESS` is `required`; on loopback it is `open` by default, and a call without a
token may do everything. A call with a token never may more than its role.

| group | roles |
|---|---|
""" + "".join(
    f"| {group} | {_ASKED.get(group) or ', '.join(sorted(roles))} |\n"
    for group, roles in GROUPS.items()
)
