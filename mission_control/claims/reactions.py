"""Wake waiting workers after events that may have made work claimable.

Work states and budgets notify in `agents/work_state_notices.py`.
"""

from typing import Any

from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import notify
from mission_control.core.actor import Actor
from mission_control.database.sql import as_id, rows
from mission_control.live.log import NewEvent

reactions = Reactions()

# Of the fields of a task, those that decide whether it can be claimed, and by whom.
DECISIVE = {"status", "assigned_agent_id", "assigned_user_id", "depends_on_task_ids", "tag_ids"}


@reactions.to("task.created", "task.status_changed", "task.updated")
async def wake_polls_for_task(actor: Actor, event: NewEvent) -> None:
    """A task came into the inbox, lost its assignee, left a column, or was unblocked."""
    before: dict[str, Any] = event.data.get("before") or {}
    after: dict[str, Any] = event.data.get("after") or {}
    if event.kind == "task.created":
        opens = event.data["status"] == "inbox"
    elif event.kind == "task.updated":
        opens = "dependency_id" in event.data or bool(DECISIVE & set(after))
    else:
        opens = after.get("status") != "in_progress" or before.get("status") == "review"
    if opens:
        _wake_polls(event)


@reactions.to(
    "task.restored",
    "task.deleted",
    "task.lease_expired",
    "task.unflagged",
    "approval.decided",
    "approval.closed",
    "board.updated",
    "board.deleted",
    "agent.updated",
)
async def wake_polls_of_board(actor: Actor, event: NewEvent) -> None:
    """Something else changed that decides which tasks of a board can be claimed."""
    _wake_polls(event)


@reactions.to("tag.updated")
async def wake_polls_for_tag(actor: Actor, event: NewEvent) -> None:
    """Claims name a tag by its slug, which has changed."""
    if "slug" in event.data["after"]:
        for row in await rows(
            "SELECT DISTINCT t.board_id FROM tag_assignments x JOIN tasks t ON t.id = x.task_id"
            " WHERE x.tag_id = ? AND t.status = 'inbox' AND t.deleted_at IS NULL",
            event.scope.subject_id,
        ):
            notify(f"work:{as_id(row['board_id'])}")


def _wake_polls(event: NewEvent) -> None:
    if event.scope.board_id is not None:
        notify(f"work:{event.scope.board_id}")
