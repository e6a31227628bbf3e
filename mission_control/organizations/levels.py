"""Words for what a member may do on boards."""

from typing import Literal

Access = Literal["none", "read", "write"]
Reach = Literal["all_write", "all_read", "chosen"]
LEVELS: tuple[Access, ...] = ("none", "read", "write")


def level(can_read: bool, can_write: bool) -> Access:
    """Return the word for what somebody may do."""
    return "write" if can_write else "read" if can_read else "none"
