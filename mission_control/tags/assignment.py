"""Check and replace the tags of tasks, inside a command."""

from datetime import timedelta
from uuid import UUID

from mission_control.core import clock
from mission_control.core.errors import NotFound
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.tags.models import TagAssignment


async def check_tags(organization_id: UUID, wanted: list[UUID]) -> None:
    """Refuse unknown tags and lock the others against deletion until the command ends."""
    if not wanted:
        return
    hold = " ORDER BY id FOR KEY SHARE" if is_postgres() else ""
    found = await rows(
        f"SELECT id FROM tags WHERE organization_id = ? AND id IN ({placeholders(len(wanted))}){hold}",
        organization_id,
        *wanted,
    )
    known = {str(row["id"]) for row in found}
    missing = [str(one) for one in wanted if str(one) not in known]
    if missing:
        raise NotFound({"message": "Some tags do not exist in this organization.", "missing_tag_ids": missing})


async def tag_ids_of(task_id: UUID) -> list[UUID]:
    """Return the tags of a task in their order."""
    found = await rows("SELECT tag_id FROM tag_assignments WHERE task_id = ? ORDER BY created_at, id", task_id)
    return [UUID(str(row["tag_id"])) for row in found]


async def replace_tags(task_id: UUID, wanted: list[UUID]) -> tuple[list[UUID], list[UUID]] | None:
    """Replace the task's tags, in this order. Return the old and new tags, or None for a no-op."""
    before = await tag_ids_of(task_id)
    if before == wanted:
        return None
    await TagAssignment.filter(task_id=task_id).delete()
    moment = clock.now()
    await TagAssignment.bulk_create(
        TagAssignment(task_id=task_id, tag_id=one, created_at=moment + timedelta(microseconds=at))
        for at, one in enumerate(wanted)
    )
    return before, wanted
