"""What is done elsewhere before an organization is deleted: afterwards nothing here says what it was."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from mission_control.database.sql import rows


@dataclass(slots=True)
class Callbacks:
    """What a feature above does; filled from the features."""

    before_removal: Callable[[UUID], Awaitable[None]] | None = None


callbacks = Callbacks()


async def prepare_removal(organization_id: UUID) -> None:
    """Do what has to be done before an organization is deleted. Not to be called inside a command."""
    if callbacks.before_removal is not None:
        await callbacks.before_removal(organization_id)


async def prepare_removal_of_own(user_id: UUID) -> None:
    """Do it for the organizations without another member, which are deleted with a person's account."""
    alone = await rows(
        "SELECT organization_id FROM organization_members GROUP BY organization_id"
        " HAVING COUNT(*) = 1 AND MAX(CASE WHEN user_id = ? THEN 1 ELSE 0 END) = 1",
        user_id,
    )
    for row in alone:
        await prepare_removal(UUID(str(row["organization_id"])))
