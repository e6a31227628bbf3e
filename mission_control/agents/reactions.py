"""Notify agents of decisions, board changes, work states and budgets, and wake their waiting calls."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import agents_to_notify, lead_id_of
from mission_control.agents.usage.queries import exhausted
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import asks_to_finish, request_of, stated_confidence
from mission_control.boards.models import Board
from mission_control.boards.parking import IS_PARKED
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.amounts import amount, amount_of, used_of
from mission_control.core.values import JsonObject
from mission_control.database.sql import Row, as_id, rows
from mission_control.events import leases
from mission_control.events.event_log import Kind, NewEvent, canonical
from mission_control.events.unit_of_work import deliver, notify, reacts_to
from mission_control.http.lookups import channel_of_agent
from mission_control.people.organizations.work_state import PAUSED, RUNNING, STOPPED, reason_of

EVENTS = (
    Kind("approval.lead_notified", "An agent received the notice of a decision."),
    Kind("approval.lead_notify_failed", "The notice of a decision was given up."),
    Kind("board.lead_notified", "The board's lead received the notice of changed fields."),
    Kind("board.lead_notify_failed", "The notice of a board's changed fields was given up."),
)

NOTICE = leases.NOTICE


@reacts_to(
    "agent.updated",
    "agent.deleted",
    "agent.work_state_changed",
    "agent.token_rotated",
    "agent.token_changed",
    "agent.token_revoked",
    "agent.disconnected",
    "budget.exceeded",
)
async def wake_polls_of_agent(actor: Actor, event: NewEvent) -> None:
    """Wake an agent's waiting calls, which may be refused now."""
    if event.scope.agent_id is not None:
        notify(channel_of_agent(event.scope.agent_id))


@reacts_to("approval.decided")
async def notify_decision(actor: Actor, event: NewEvent) -> None:
    """Notify the requester, the agents that hold its tasks, and the board's lead of a decision.

    An agent on a gateway that asked has the decision from there; only a note is told to it.
    """
    board_id = event.scope.board_id
    if board_id is None:
        return
    approval = await Approval.get(id=event.data["approval_id"]).select_related("board")
    tasks = await rows(
        f"SELECT t.number, t.title, t.assigned_agent_id AS agent_id, t.status, {IS_PARKED} AS is_parked,"
        " l.asked_attempt = t.attempt AS is_of_present_attempt"
        " FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
        " WHERE l.approval_id = ? AND t.deleted_at IS NULL",
        approval.id,
    )
    open_tasks = [task for task in tasks if task["status"] in ("in_progress", "inbox")]
    holders = {as_id(task["agent_id"]): task["status"] == "inbox" or task["is_parked"] for task in open_tasks}
    recipients: list[UUID | None] = [event.agent_id, *holders, await lead_id_of(board_id)]
    if approval.is_outside:  # a program reads the note with its answer
        recipients = [event.agent_id] if event.data.get("note") and approval.session_id is None else []
    is_handed_in = any(task["status"] == "review" and task["is_of_present_attempt"] for task in tasks)
    for agent_id in dict.fromkeys(filter(None, recipients)):
        goes_on = "Claim the task again or call next, unless you hold it by now, and go on"
        advice = _advice(event.data, goes_on if holders.get(agent_id) else "Go on", is_handed_in=is_handed_in)
        _notify(event, approval, agent_id, advice, _named(tasks))


def _named(tasks: Sequence[Row]) -> list[str]:
    return [f"Task: #{task['number']} {task['title']}" for task in tasks]


@reacts_to("approval.closed", "approval.task_closed")
async def notify_closed(actor: Actor, event: NewEvent) -> None:
    """Notify the requester that what it asked has become moot, unless it caused that itself."""
    agent_id = event.agent_id
    if event.scope.board_id is None or agent_id is None or agent_id == actor.agent_id:
        return
    approval = await Approval.get(id=event.data["approval_id"]).select_related("board")
    is_over = event.kind == "approval.closed"
    lines = [
        f"Board: {approval.board.name}",
        f"Approval ID: {approval.id}",
        f"Action: {approval.action_type}",
        f"Task ID: {event.data['task_ids'][0]}",
        *(_named(await rows("SELECT number, title FROM tasks WHERE id = ?", event.data["task_ids"][0]))),
        f"Why: {event.data['note']}",
        "",
        "Nobody decides this now. Do not act on it." if is_over else "It still waits, for its other tasks.",
    ]
    about = {"approval_id": str(approval.id), "decision": "closed"} if is_over else {"approval_id": str(approval.id)}
    deliver(NOTICE, event.scope, agent_id=agent_id, header="REQUEST CLOSED", text="\n".join(lines), **about)


def _notify(event: NewEvent, approval: Approval, agent_id: UUID, advice: str, tasks: Sequence[str]) -> None:
    request = request_of(approval.payload) if approval.is_outside else None
    sure = stated_confidence(approval.confidence, approval.payload)
    lines = [
        f"Board: {approval.board.name}",
        f"Approval ID: {approval.id}",
        f"Action: {event.data['action_type'] if request is None else request.heading}",
        f"Decision: {event.data['decision']}",
        *([f"Confidence: {'not told' if sure is None else sure}"] if request is None else []),
    ]
    if task_ids := event.data["task_ids"]:
        lines += [f"Task ID{'s' if len(task_ids) > 1 else ''}: {', '.join(map(str, task_ids))}", *tasks]
    if event.data.get("note"):
        lines.append(f"Note: {event.data['note']}")
    lines += ["", advice]
    deliver(
        NOTICE,
        event.scope,
        agent_id=agent_id,
        header="APPROVAL RESOLVED",
        text="\n".join(lines),
        approval_id=str(event.data["approval_id"]),
        decision=event.data["decision"],
        succeeded="approval.lead_notified",
        failed="approval.lead_notify_failed",
    )


BECAME = {"inbox": "it is back in the inbox", "mine": "the person took it over", "trash": "it was deleted"}


def _advice(decided: Mapping[str, str], go_on: str, *, is_handed_in: bool) -> str:
    is_about_finishing, decision = asks_to_finish(decided["action_type"]), decided["decision"]
    if is_about_finishing and decision == "approved":
        return "It is done." if is_handed_in else "A task in review is now done. If it is in progress, hand it in."
    if is_about_finishing and decision == "rejected" and is_handed_in:
        return f"The task is not done. Your work on it is over: {BECAME[decided['then']]}."
    return f"{go_on} with this decision."


@reacts_to("board.updated")
async def notify_board_change(actor: Actor, event: NewEvent) -> None:
    """Notify the board's lead of changed fields, with their values before and after."""
    if event.scope.board_id is None:
        return
    before, after = event.data["before"], event.data["after"]
    board = await Board.get(id=event.scope.board_id)
    changes = [f"{name}: {_as_text(before[name])} -> {_as_text(after[name])}" for name in sorted(after)]
    for agent in await agents_to_notify([board.id]):
        if agent.is_board_lead:
            deliver(
                NOTICE,
                event.scope,
                agent_id=agent.id,
                header="BOARD UPDATED",
                text="\n".join([f"Board: {board.name}", f"Board ID: {board.id}", "", *changes]),
                succeeded="board.lead_notified",
                failed="board.lead_notify_failed",
            )


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return times.wire(value)
    return value if isinstance(value, str) else canonical(value).strip('"')


HEADERS = {RUNNING: "WORK RESUMED", PAUSED: "WORK PAUSED", STOPPED: "WORK STOPPED"}
ADVICE = {
    RUNNING: "Go on with your work, and claim what comes next.",
    PAUSED: "Finish or release what you hold; take up nothing new until you are notified that work is resumed.",
    STOPPED: "Stop at once. What you held is back in the inbox; take up nothing until work is resumed.",
}


@reacts_to("agent.work_state_changed", "board.work_state_changed", "organization.work_state_changed")
async def notify_work_state(actor: Actor, event: NewEvent) -> None:
    """Notify the agents whose work was paused, stopped or resumed, unless they were notified already.

    Wake those that wait for work: they may claim now, or are refused.
    """
    boards, after = await _boards(event), event.data["after"]
    for board_id in boards:
        notify(f"work:{board_id}")
    if event.data.get("is_told"):
        return
    reason = after["work_state_reason"]
    what = event.message.removesuffix(f"{reason_of(reason)}.")
    why = [f"Reason: {reason}"] if reason else []
    lines = [f"{what}.", f"By: {actor.name}", *why, "", ADVICE[after["work_state"]]]
    _notify_of_work_state(await _concerned(event, boards), actor, HEADERS[after["work_state"]], lines, **after)


@reacts_to("budget.warning", "budget.exceeded")
async def notify_budget(actor: Actor, event: NewEvent) -> None:
    """Notify the agents of a budget that it runs out, including the one that reported the usage."""
    is_over = event.kind == "budget.exceeded"
    unit = event.data["unit"]
    used = used_of(unit, amount(unit, event.data["used"]))
    limit = amount_of(unit, amount(unit, event.data["limit"]))
    span = "today (UTC)" if event.data["period"] == "day" else "in total"
    advice = (
        "Stop: you get no tasks until the budget allows more." if is_over else "Be sparing, and finish what you hold."
    )
    lines = [event.message, f"Used: {used} of {limit} {span}", "", advice]
    header = "BUDGET USED UP" if is_over else "BUDGET WARNING"
    boards = await _boards(event)
    for board_id in boards if is_over else ():
        notify(f"work:{board_id}")
    _notify_of_work_state(await _concerned(event, boards), None, header, lines, **_budget_of(event))


@reacts_to("budget.updated", "budget.deleted")
async def notify_more_budget(actor: Actor, event: NewEvent) -> None:
    """Notify the agents that were stopped by a budget that they may go on, unless another one is used up as well."""
    if not event.data["opens"]:
        return
    agents = await _concerned(event, await _boards(event))
    free = [agent for agent in agents if await exhausted(agent.id, agent.board_id, agent.organization_id) is None]
    lines = [event.message, f"By: {actor.name}", "", ADVICE[RUNNING]]
    _notify_of_work_state(free, None, "BUDGET RAISED", lines, **_budget_of(event))


def _budget_of(event: NewEvent) -> JsonObject:
    key = {name: event.data[name] for name in ("subject", "unit", "period")}
    return {"budget_id": str(event.data["budget_id"])} | key


async def _boards(event: NewEvent) -> list[UUID]:
    if event.scope.board_id is not None:
        return [event.scope.board_id]
    boards = await rows(
        "SELECT id FROM boards WHERE organization_id = ? AND deleted_at IS NULL", event.scope.organization_id
    )
    return [UUID(str(row["id"])) for row in boards]


async def _concerned(event: NewEvent, boards: list[UUID]) -> list[Agent]:
    agents = await agents_to_notify(boards)
    return [agent for agent in agents if event.scope.agent_id in (None, agent.id)]


def _notify_of_work_state(
    agents: Sequence[Agent], author: Actor | None, header: str, lines: list[str], **data: object
) -> None:
    for agent in agents:
        if author is None or agent.id != author.agent_id:
            deliver(NOTICE, agent.scope(), agent_id=agent.id, header=header, text="\n".join(lines), **data)
