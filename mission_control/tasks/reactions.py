"""Change tasks after events of agents, members and work states."""

from mission_control.commands.reactions import Reactions
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.organizations.work_state import STOPPED
from mission_control.tasks.leaving import release_task
from mission_control.tasks.models import Task
from mission_control.tasks.rules import reaches

reactions = Reactions()


@reactions.to("agent.deleted")
async def unassign_tasks_of_deleted_agent(actor: Actor, event: NewEvent) -> None:
    """Unassign the tasks of a deleted agent."""
    held = Task.filter(assigned_agent_id=event.agent_id, deleted_at=None).order_by("id")
    for task in await held.select_related("board"):
        await release_task(actor, task, "Its agent was deleted.")


@reactions.to("agent.updated")
async def unassign_tasks_of_moved_agent(actor: Actor, event: NewEvent) -> None:
    """Unassign the unfinished tasks of an agent that moved to another board; they stay on their board."""
    if "board_id" not in event.data.get("after", {}):
        return
    left = Task.filter(assigned_agent_id=event.scope.agent_id, board_id=event.data["before"]["board_id"])
    for task in await left.filter(deleted_at=None).exclude(status="done").order_by("id").select_related("board"):
        await release_task(actor, task, "Its agent went to another board.")


@reactions.to("member.left", "member.removed")
async def unassign_tasks_of_former_member(actor: Actor, event: NewEvent) -> None:
    """Unassign the tasks of a person who left the organization."""
    held = Task.filter(assigned_user_id=event.data["user_id"], deleted_at=None).order_by("id")
    for task in await held.filter(board__organization_id=event.scope.organization_id).select_related("board"):
        await release_task(actor, task, "Its assignee left the organization.")


@reactions.to("member.access_changed")
async def unassign_tasks_out_of_reach(actor: Actor, event: NewEvent) -> None:
    """Unassign the unfinished tasks of a person on boards that the person can no longer read."""
    user_id = event.data["user_id"]
    held = Task.filter(assigned_user_id=user_id, deleted_at=None, board__organization_id=event.scope.organization_id)
    tasks = await held.exclude(status="done").order_by("id").select_related("board")
    boards = {task.board_id: task.board for task in tasks}
    left = {board_id for board_id, board in boards.items() if not await reaches(board, user_id)}
    for task in tasks:
        if task.board_id in left:
            await release_task(actor, task, "Its assignee can no longer read the board.")


@reactions.to("agent.work_state_changed", "board.work_state_changed", "organization.work_state_changed")
async def release_stopped_work(actor: Actor, event: NewEvent) -> None:
    """Return the tasks in progress of stopped agents to the inbox, and end their runs."""
    if event.data["after"]["work_state"] != STOPPED:
        return
    scope = event.scope
    held = Task.filter(status="in_progress", assigned_agent_id__isnull=False, deleted_at=None, board__deleted_at=None)
    if scope.agent_id is not None:
        held = held.filter(assigned_agent_id=scope.agent_id)
    elif scope.board_id is not None:
        held = held.filter(board_id=scope.board_id)
    else:
        held = held.filter(board__organization_id=scope.organization_id)
    for task in await held.order_by("id").select_related("board"):
        await release_task(actor, task, event.message, only_started=True)
