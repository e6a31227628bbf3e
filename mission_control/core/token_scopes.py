"""What an agent's token lets it do: `read`, `work` (reading and writing), `lead` (all of it, as the board's lead)."""

from collections.abc import Iterable
from typing import Literal

from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Forbidden

TokenScope = Literal["read", "work", "lead"]
IMPLIED: dict[str, tuple[str, ...]] = {"read": ("read",), "work": ("read", "work"), "lead": ("read", "work", "lead")}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def granted(stored: Iterable[str] | None) -> frozenset[str] | None:
    """Return the scopes of a token with those they imply; None means unrestricted."""
    if stored is None:
        return None
    return frozenset(scope for name in stored for scope in IMPLIED.get(name, ()))


def scope_needed(method: str, *, for_leads: bool = False) -> TokenScope:
    """Return the scope that an operation needs."""
    if for_leads:
        return "lead"
    return "read" if method in SAFE_METHODS else "work"


def require_scope(actor: Actor | None, needed: TokenScope) -> None:
    """Raise Forbidden when the token lacks a scope; people and tokens without scopes are unrestricted."""
    if actor is not None and actor.scopes is not None and needed not in actor.scopes:
        message = f"This token may not do that: it lacks the scope {needed}."
        raise Forbidden({"message": message, "code": ErrorCode.TOKEN_SCOPE_MISSING, "needed": needed})
