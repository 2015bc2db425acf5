"""SMART scopes: which resources a token may read or write, in the first and the second spelling.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from handrail.access.table import Role

Interaction: TypeAlias = Literal["create", "read", "update", "delete", "search"]

_SCOPE = re.compile(r"(system|user)/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|c?r?u?d?s?)")
_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}


def allows(scopes: Iterable[str], role: Role, kind: str, interaction: Interaction) -> bool:
    """Whether these scopes let a caller of this role do that with this kind of resource.

    A system's token says `system/`, a member's `user/`. `patient/` is for apps of patients: none here.
    """
    context = "system" if role in ("system", "subscriber") else "user"
    letter = interaction[0]
    for scope in scopes:
        found = _SCOPE.fullmatch(scope)
        if found is None:
            continue
        who, what, may = found.groups()
        if who == context and what in ("*", kind) and letter in _LETTERS.get(may, may):
            return True
    return False
