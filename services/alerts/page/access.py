"""Who may see and do what: deny by default, and only in one's own programmes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal[
    "counsellor",
    "case_manager",
    "supervisor",
    "medical_director",
    "operator",
    "privacy_officer",
]
Right: TypeAlias = Literal["people", "work", "roster", "team", "reports", "operate", "privacy"]
ROLES: tuple[Role, ...] = get_args(Role)

RIGHTS: dict[Role, frozenset[Right]] = {
    "counsellor": frozenset({"people", "work", "roster"}),
    "case_manager": frozenset({"people", "work", "roster"}),
    "supervisor": frozenset({"people", "work", "roster", "team", "reports"}),
    "medical_director": frozenset({"people", "work", "roster", "team", "reports"}),
    "operator": frozenset({"operate"}),
    "privacy_officer": frozenset({"people", "privacy"}),
}
# The roles a concern is told to, by the role someone signs in with.
TOLD: dict[Role, tuple[str, ...]] = {
    "counsellor": ("primary_clinician", "on_call"),
    "case_manager": ("case_manager",),
    "supervisor": ("supervisor",),
    "medical_director": ("medical_director",),
    "operator": (),
    "privacy_officer": (),
}


@dataclass(frozen=True, slots=True)
class Member:
    """Someone signed in. `programs` is None for all; `forms` is the secret of their forms."""

    hidden_id: bytes
    subject: str
    role: Role
    programs: tuple[str, ...] | None
    forms: str

    def may(self, right: Right) -> bool:
        """Whether their role has this right. A report is of a whole site: all programmes."""
        return right in RIGHTS[self.role] and (right != "reports" or self.programs is None)

    def home(self) -> str:
        """Where they land after signing in."""
        return "/" if self.may("people") else "/operate"


class NotSignedIn(Exception):
    """The browser has no session, or it is over."""


class NotAllowed(Exception):
    """The role does not have this right, or the form is not ours."""
