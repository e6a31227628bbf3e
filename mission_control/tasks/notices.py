"""Notify agents of changes of tasks, with delivery rows that are written with the change."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.notices import Notices
from mission_control.agents.queries import lead_id_of, mentioned
from mission_control.agents.reactions import NOTICE
from mission_control.approvals.queries import has_pending, is_finish_approved
from mission_control.boards.attempts import held_by
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import existing
from mission_control.database.records import find, find_all
from mission_control.database.sql import rows
from mission_control.events.event_log import Kind
from mission_control.events.leases import CHANGED, NEWS
from mission_control.events.unit_of_work import deliver
from mission_control.tasks.models import Comment, Task

WORDS = Notices(
    {
        "TASK ASSIGNED": "task_assigned",
        "TASK READY FOR LEAD REVIEW": "task_review",
        "CHANGES REQUESTED": "changes_requested",
        "NEW TASK ADDED": "task_added",
        "TASK BACK IN INBOX": "task_returned",
        "TASK TAKEN AWAY": "task_taken_away",
        CHANGED: "task_changed",
        "TASK UNBLOCKED": "task_unblocked",
        "TASK MENTION": "mention",
        "NEW TASK COMMENT": "comment",
    }
)

EVENTS = (
    Kind("task.lead_notified", "The board's lead received the notice of a new task."),
    Kind("task.lead_notify_failed", "The notice of a new task was given up."),
    Kind("task.lead_unassigned_notified", "The lead received the notice of a task that came back without an owner."),
    Kind("task.lead_unassigned_notify_failed", "The notice of a task that came back was given up."),
    Kind("task.assignee_notified", "An agent received the notice of a task that was given to it."),
    Kind("task.assignee_notify_failed", "The notice to a task's new owner was given up."),
    Kind("task.rework_notified", "A worker received the notice of changes that its lead asks for."),
    Kind("task.rework_notify_failed", "The notice of requested changes was given up."),
)

SNIPPET_LENGTH = 500

# What the server tells an agent of a gateway that has not taken up its work.
WORK_WAITS = "WORK WAITS"


def snippet(text: str | None) -> str:
    text = (text or "").strip()
    return text if len(text) <= SNIPPET_LENGTH else text[: SNIPPET_LENGTH - 3] + "..."


def lines_about(task: Task) -> list[str]:
    """A number is what `mc` and tools take."""
    return [f"Board: {task.board.name}", f"Task: #{task.number} {task.title}", f"Task ID: {task.id}"]


def _notify(task: Task, agent_id: UUID | None, header: str, what_to_do: str, event: str | None, **data: str) -> None:
    lines = [*lines_about(task), f"Status: {task.status}"]
    if task.description and task.description.strip():
        lines.append(f"Description: {snippet(task.description)}")
    outcome = {"succeeded": f"{event}_notified", "failed": f"{event}_notify_failed"} if event else {}
    text = "\n".join([*lines, "", what_to_do])
    deliver(NOTICE, task.scope(), agent_id=agent_id, header=header, text=text, **outcome, **data)


async def notify_lead_of_new_task(task: Task) -> None:
    if lead_id := await lead_id_of(task.board_id):
        _notify(task, lead_id, "NEW TASK ADDED", "Decide who works on it and assign it.", "task.lead")


async def notify_after_change(actor: Actor, task: Task, before: Task, *, is_untouched: bool = False) -> None:
    """Notify the new assignee, or the lead when a task came back without one, and the former assignee.

    Do not bother the lead with one that nobody began (`is_untouched`): it is for the next claim.
    """
    lead_id = None
    is_free, was_free = (state.assigned_agent_id is None and state.assigned_user_id is None for state in (task, before))
    came_back = task.status == "inbox" and is_free and not (before.status == "inbox" and was_free)
    if came_back and not is_untouched and not (actor.is_agent and actor.is_lead):
        if lead_id := await lead_id_of(task.board_id):
            _notify(task, lead_id, "TASK BACK IN INBOX", "Find a new owner for it.", "task.lead_unassigned")
    if task.assigned_agent_id not in (None, before.assigned_agent_id, actor.agent_id):
        await notify_assignee(actor, task, before.status)
    if before.assigned_agent_id not in (task.assigned_agent_id, lead_id) and before.status != "done":
        notify_former_assignee(actor, task, before.assigned_agent_id)
    if held_by(task) is not None and held_by(task) == held_by(before) != actor.agent_id:
        await _notify_of_change(task, before)


async def _notify_of_change(task: Task, before: Task) -> None:
    """Notify the agent that works on a task of another title or description, once where there were several changes."""
    changed = [name for name in ("title", "description") if getattr(task, name) != getattr(before, name)]
    if changed:
        await rows(
            f"DELETE FROM deliveries WHERE agent_id = ? AND task_id = ? AND header = '{CHANGED}' AND {NEWS}"
            " AND offered_at IS NULL AND attempts = 0",
            task.assigned_agent_id,
            task.id,
        )
        what = f"Its {' and '.join(changed)} changed while you work on it. Read it again, and go by what it says now."
        _notify(task, task.assigned_agent_id, CHANGED, what, None)


def notify_former_assignee(actor: Actor, task: Task, agent_id: UUID | None, why: str = "") -> None:
    """Notify the former assignee, unless it made the change itself."""
    if agent_id is not None and agent_id != actor.agent_id:
        what = "This task is no longer assigned to you. If you are working on it, stop."
        _notify(task, agent_id, "TASK TAKEN AWAY", f"{why} {what}".strip(), None)


async def notify_unblocked(task: Task) -> None:
    """Notify the assignee of an unblocked task, or the lead when it has none."""
    if task.assigned_user_id is None and (agent_id := task.assigned_agent_id or await lead_id_of(task.board_id)):
        what = "Work on it." if task.assigned_agent_id else "Decide who works on it and assign it."
        _notify(task, agent_id, "TASK UNBLOCKED", f"It no longer waits for other tasks. {what}", None)


async def notify_assignee(actor: Actor, task: Task, before_status: str | None) -> None:
    """Notify the new assignee. Raise NotFound when the agent has been deleted."""
    agent = await existing(find(Agent, "id = ?", task.assigned_agent_id))
    if before_status == "review" and task.status == "inbox" and task.rework_at is not None:
        # A person's note is written with the decision; a lead may say what is wrong before it moves the task.
        own = {"agent_id": actor.id} if actor.is_agent else {"user_id": actor.id, "created_at__gte": task.rework_at}
        note = await Comment.filter(task_id=task.id, deleted_at=None, **own).order_by("-created_at").first()
        feedback = snippet(note.message) if note else "Read the comments, change what is asked for, and go on."
        data = {"comment_id": str(note.id)} if note else {}
        _notify(task, agent.id, "CHANGES REQUESTED", feedback, "task.rework", **data)
    elif task.status == "review" and agent.is_board_lead:
        if before_status == "review":  # else as soon as it is known whether people were asked: `notify_reviewer`
            await notify_reviewer(task)
    else:
        when = (
            f", from {times.iso(task.not_before)} on" if task.not_before and task.not_before > times.clock_now() else ""
        )
        what = f"next gives it to you with all that is known{when}."
        _notify(task, agent.id, "TASK ASSIGNED", what, "task.assignee")


async def notify_reviewer(task: Task) -> None:
    """Notify the lead to which a task in review is assigned of what it can do there."""
    if await has_pending(task.id):
        what = "People are asked whether it is done: you need do nothing."
        what += " You can still move it back to inbox, with a comment that says why."
    elif task.board.require_approval_for_done and not await is_finish_approved(task.id):
        what = "A person has to approve that it is finished. If it is, ask for an approval task.finish of it."
        what += " If not, move it back to inbox with a comment that says why."
    else:
        what = "Review it: move it to done, or back to inbox with a comment that says why."
    _notify(task, task.assigned_agent_id, "TASK READY FOR LEAD REVIEW", what, "task.assignee")


async def notify_of_comment(actor: Actor, task: Task, comment: Comment, before: str | None = None) -> None:
    """Notify the agents that a comment mentions, or the assignee when it mentions none, but never the author.

    With the text from before an edit, only those that it mentions now and did not before.
    """
    agents = await find_all(Agent, "board_id = ?", task.board_id) if "@" in comment.message else []
    notified = {agent.id for agent in mentioned(before or "", agents)}
    named: list[UUID | None] = [agent.id for agent in mentioned(comment.message, agents) if agent.id not in notified]
    header = "TASK MENTION" if named else "NEW TASK COMMENT"
    advice = "Answer in a comment. Leave the status alone unless the task is yours."
    text = f"From: {actor.name}\n\n{snippet(comment.message)}\n\n{advice}"
    lines = "\n".join([*lines_about(task), text])
    for agent_id in named or ([task.assigned_agent_id] if before is None else []):
        if agent_id is not None and agent_id != actor.agent_id:
            deliver(NOTICE, task.scope(), agent_id=agent_id, header=header, text=lines, comment_id=str(comment.id))


WAITS = Notices({WORK_WAITS: "work_waits"})
