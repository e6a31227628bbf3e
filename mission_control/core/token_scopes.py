"""What a token lets its holder do.

An agent: `read`, `work` (reading and writing), `lead` (all of it, as the board's lead). A person: `read`, `work` (what
happens on boards: tasks, memory, answers, decisions), `admin` (all that the person may).
"""

from collections.abc import Collection, Iterable
from typing import Literal

from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Forbidden

TokenScope = Literal["read", "work", "lead", "admin"]
PersonScope = Literal["read", "work", "admin"]
IMPLIED: dict[str, tuple[str, ...]] = {
    "read": ("read",),
    "work": ("read", "work"),
    "lead": ("read", "work", "lead"),
    "admin": ("read", "work", "admin"),
}
# The verbs' nouns that people's tokens for work are good for.
WORK_NOUNS = {
    *("approval", "gateway_request", "group_memory", "job", "memory", "need", "notification", "question", "tag"),
    *("task", "view"),
}
WORK_TAGS = {"needs", "auth"}
ADMIN_NOUNS = {"invite"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def granted(stored: Iterable[str] | None) -> frozenset[str] | None:
    """Return the scopes of a token with those they imply; None means unrestricted."""
    if stored is None:
        return None
    return frozenset(scope for name in stored for scope in IMPLIED.get(name, ()))


def scope_needed(method: str, *, for_leads: bool = False) -> TokenScope:
    """Return the scope that an operation needs of an agent."""
    if for_leads:
        return "lead"
    return "read" if method in SAFE_METHODS else "work"


def scope_needed_of_people(method: str, verb: str | None, tags: Collection[str]) -> TokenScope:
    """Return the scope that an operation needs of a person."""
    noun = (verb or "").partition(".")[0]
    if noun in ADMIN_NOUNS:  # the list of invitations has their secrets
        return "admin"
    if method in SAFE_METHODS:
        return "read"
    return "work" if noun in WORK_NOUNS or WORK_TAGS & set(tags) else "admin"


def require_scope(actor: Actor | None, needed: TokenScope) -> None:
    """Raise Forbidden when the token lacks a scope; people and tokens without scopes are unrestricted."""
    if actor is not None and actor.scopes is not None and needed not in actor.scopes:
        message = f"This token may not do that: it lacks the scope {needed}."
        raise Forbidden({"message": message, "code": ErrorCode.TOKEN_SCOPE_MISSING, "needed": needed})
