"""Expire leases: return the task, count the failed attempt, and flag the task for a person after the fifth.

While people have not answered what the run asked, the task stays with its agent in the inbox, nobody else is given it,
and the attempt does not count. A turn on a gateway is its agent's sign of life: while it goes on, leases are renewed.
"""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.queries import lead_id_of
from mission_control.agents.reactions import NOTICE
from mission_control.boards.models import Board
from mission_control.claims.leases import IN_TURN, RENEWED_AHEAD, longest_turn_ago, renew_in_turn
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.database.sql import as_id, rows
from mission_control.tasks.changes import TaskSnapshot
from mission_control.tasks.models import Task
from mission_control.tasks.rules import enter

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
AT_ONCE = 100
NOWHERE = UUID(int=0)
WAITED = "was waiting for a decision, so the attempt does not count."

_log = logging.getLogger(__name__)


async def expire_due(board_id: UUID | None = None) -> int:
    """Expire the leases that have ended, on one board or everywhere. Return their number.

    Those of agents in a turn are renewed a moment before they end.
    """
    here, values = ("", []) if board_id is None else (" AND r.board_id = ?", [board_id])
    found = await rows(
        "SELECT r.id, r.task_id, b.organization_id FROM task_runs r JOIN boards b ON b.id = r.board_id"
        f" WHERE r.ended_at IS NULL AND r.lease_expires_at <= ? AND (r.lease_expires_at <= ? OR {IN_TURN}){here}"
        f" ORDER BY r.lease_expires_at LIMIT {AT_ONCE}",
        clock.now() + RENEWED_AHEAD,
        clock.now(),
        longest_turn_ago(),
        *values,
    )
    expired = 0
    for run in found:
        try:
            actor = system(as_id(run["organization_id"]) or NOWHERE)
            expired += await expire_lease(actor, as_id(run["task_id"]) or NOWHERE, as_id(run["id"]) or NOWHERE)
        except Exception:
            _log.exception("taking back a task failed", extra={"task": str(run["task_id"])})
    return expired


@command("task.expire_lease")
async def expire_lease(actor: Actor, task_id: UUID, run_id: UUID) -> bool:
    """Expire one lease. Return False when another command holds the task, or the lease was or is extended."""
    task = await Task.select_for_update(skip_locked=True, no_key=True).get_or_none(id=task_id)
    if task is None or await renew_in_turn(actor, run_id):
        return False
    ended = await rows(
        "UPDATE task_runs SET state = 'expired', ended_at = ?, end_reason = 'The lease ran out.' WHERE id = ?"
        " AND ended_at IS NULL AND lease_expires_at <= ? RETURNING id, agent_id, agent_name, fence",
        clock.now(),
        run_id,
        clock.now(),
    )
    if ended:
        task.board = await Board.get(id=task.board_id)
        await _take_back(task, ended[0])
    return bool(ended)


async def _take_back(task: Task, run: dict[str, Any]) -> None:
    before = TaskSnapshot(task)
    waited = await _has_asked(task.id, run["id"])
    enter(task, "inbox")
    if waited:
        task.assigned_agent_id = before.assigned_agent_id
    else:
        task.failed_attempts += 1
        task.retry_at = clock.now() + pause_after(task.failed_attempts)
    if not waited and task.failed_attempts >= MOST_ATTEMPTS:
        task.flagged_at = clock.now()
        task.flag_reason = f"{task.failed_attempts} leases ran out in a row, the last one of {run['agent_name']}."
    changed = before.changed(task)
    task.updated_at = clock.now()
    await task.save(update_fields=[*changed, "updated_at"])
    pairs = {name: pair for name, pair in changed.items() if name != "position"}
    record(
        "task.lease_expired",
        task,
        f"Lease ran out: {task.title}. {run['agent_name']} {WAITED if waited else 'did not report in time.'}",
        agent_id=as_id(run["agent_id"]),
        fence=run["fence"],
        before={name: pair[0] for name, pair in pairs.items()},
        after={name: pair[1] for name, pair in pairs.items()},
    )
    if task.flagged_at is not None:
        await _ask_a_person(task)


async def _has_asked(task_id: UUID, run_id: object) -> bool:
    """Return whether people have not answered a request about a task, or one of its run."""
    found = await rows(
        "SELECT 1 AS one FROM approval_task_links WHERE task_id = ? AND is_pending"
        " UNION ALL SELECT 1 FROM approvals WHERE run_id = ? AND status = 'pending'"
        " UNION ALL SELECT 1 FROM agent_questions WHERE run_id = ? AND state = 'open' LIMIT 1",
        task_id,
        run_id,
        run_id,
    )
    return bool(found)


def pause_after(attempts: int) -> timedelta:
    """Return the pause after a number of failed attempts: doubled each time, at most an hour."""
    doublings: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


async def _ask_a_person(task: Task) -> None:
    message = f"Flagged for a person: {task.title}. {task.flag_reason}"
    record("task.flagged", task, message, reason=task.flag_reason, failed_attempts=task.failed_attempts)
    lead_id = await lead_id_of(task.board_id)
    if lead_id is None:
        return
    lines = [f"Board: {task.board.name}", f"Task: {task.title}", f"Task ID: {task.id}", str(task.flag_reason)]
    advice = "Nobody is given it until a person has moved it, assigned it, or cleared the flag. Find out what is wrong."
    deliver(NOTICE, task.scope(), agent_id=lead_id, header="TASK FLAGGED", text="\n".join([*lines, "", advice]))
