"""Decide approvals, and end their deadlines. `closures.py` closes what became moot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.approvals.payloads import CHANNEL, answer_of
from mission_control.approvals.queries import outcomes_of, parts_of_approvals
from mission_control.approvals.schemas import ApprovalDeadline, RejectedTask
from mission_control.approvals.votes import Tally, cast, needed_for
from mission_control.boards.attempts import hold_run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, existing
from mission_control.core.substance import refuse_changed, substance_of
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import notify, record
from mission_control.needs.deadlines import COLUMNS, Deadlines
from mission_control.people.accounts.names import person_name

EVENTS = (
    Kind("approval.decided", "A person approved, rejected or sent back."),
    Kind("approval.deadline_changed", "Until when an approval is to be decided, or what happens otherwise, changed."),
    Kind("approval.reminded", "Nobody decided by the deadline: people were reminded."),
    Kind("approval.asked_another", "Nobody decided or looked in time, or somebody is away: others were asked."),
)

CLOSED = "closed"
STATUS_OF = {"approved": "approved", "rejected": "rejected", "changes_requested": "rejected", CLOSED: "rejected"}
WORD_OF = {"approved": "approved", "rejected": "rejected", "changes_requested": "sent back"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides: `approved`, `rejected` or `changes_requested`."""

    decision: str
    note: str | None = None
    always: bool = False  # yes for the next times too: only for a gateway or a program that takes that
    stop: bool = False  # end the turn too, likewise
    seen: str | None = None  # the substance that was shown
    then: RejectedTask = "inbox"  # what becomes of rejected work

    def answer_to(self, approval: Approval) -> str:
        """Raise Invalid for an answer that the gateway or program does not take."""
        return answer_of(approval.payload, approval.expires_at, self.decision, always=self.always, stop=self.stop)


@command("approval.decide")
async def decide_approval(
    actor: Actor, approval: Approval, verdict: Verdict, *, only_pending: bool = False
) -> Approval:
    """Approve, reject or send back. With `only_pending`, raise Conflict when somebody decided already.

    Where several people have to approve, an approval is stored as one of them, and it waits for the others: see
    `votes.py`. Raise Forbidden for the person who asked, Conflict when the substance is not what was shown.

    A gateway or a program that asked gets its answer in the background. Such a decision is final.

    Tasks in review change in the same transaction: see `tasks/reviews.py`. Another decision undoes the effects of the
    one before it; another note does not.
    """
    task_ids, _ = await hold_tasks_of(approval)
    approval = await locked_approval(approval)
    refuse_closed(approval)
    before, is_pending = approval.decision, approval.status == "pending"
    if not is_pending:
        if not only_pending and before == verdict.decision and verdict.note in (None, approval.note):
            return approval
        if only_pending or approval.is_outside:
            raise Conflict(await _already_decided(approval))
    if not approval.is_outside and (verdict.always or verdict.stop):
        raise Invalid("Only a request of a gateway or a program takes such an answer.")
    parts = (await parts_of_approvals([approval.id]))[approval.id] if is_pending else {}
    if is_pending:
        refuse_changed(verdict.seen, parts)
    if approval.is_outside:
        verdict.answer_to(approval)  # refuses what it does not take, also from the first of several people
    if verdict.decision == "approved" != before and await needed_for(approval) > 1:
        if not is_pending:
            raise Conflict(ErrorCode.APPROVAL_NEEDS_SEVERAL.detail("Several people have to approve this. Re-open it."))
        tally = await cast(actor, approval, substance_of(parts), verdict.note, always=verdict.always)
        if tally is None or tally.missing:
            return await _wait_for_others(approval, tally, task_ids, verdict.note)
        verdict = replace(verdict, always=tally.always)
    await _settle(actor, approval, verdict, task_ids)
    return approval


async def _settle(actor: Actor, approval: Approval, verdict: Verdict, task_ids: Sequence[UUID]) -> None:
    before, outcomes = approval.decision, await outcomes_of(approval.id)
    if approval.is_outside:
        approval.answer, approval.answer_state = verdict.answer_to(approval), "waiting"
        notify(CHANNEL)
    resolve(approval, actor, verdict.decision, verdict.note)
    is_another = verdict.decision != before
    await save_decision(approval, is_another=is_another)
    record_change(
        "approval.decided",
        approval,
        f"Approval {WORD_OF[verdict.decision]}",
        task_ids,
        action_type=approval.action_type,
        before=before,
        decision=verdict.decision,
        note=verdict.note,
        then=verdict.then,
        outcomes=outcomes if is_another else {},
    )


async def _wait_for_others(
    approval: Approval, tally: Tally | None, task_ids: Sequence[UUID], note: str | None
) -> Approval:
    """Record that a person approved while others have yet to; a no-op when they had said so before."""
    if tally is not None:
        approval.updated_at = times.clock_now()
        await approval.save(update_fields=["updated_at"])
        record_change(
            "approval.voted",
            approval,
            f"Approved by {tally.words}",
            task_ids,
            action_type=approval.action_type,
            decision="approved",
            given=tally.given,
            needed=tally.needed,
            note=note,
        )
    return approval


def record_change(
    kind: str, approval: Approval, what: str, task_ids: Sequence[UUID], why: str = "", **facts: Any
) -> None:
    """Record what happened to an approval, also for the first of its tasks."""
    record(
        kind,
        approval.scope(task_ids[0] if task_ids else None),
        f"{what}: {approval.action_type}.{why}",
        agent_id=approval.agent_id,
        approval_id=approval.id,
        task_ids=task_ids,
        **facts,
    )


async def refuse_decided(approval: Approval, decision: str) -> None:
    """Lock an approval before it is decided. Raise Conflict when somebody decided otherwise already."""
    await hold_tasks_of(approval)
    approval = await locked_approval(approval)
    refuse_closed(approval)
    if approval.decision not in (None, decision):
        raise Conflict(await _already_decided(approval))


def refuse_closed(approval: Approval) -> None:
    """Raise Conflict for an approval that was closed because it became moot."""
    if approval.decision == CLOSED:
        raise Conflict(ErrorCode.APPROVAL_CLOSED.detail(f"This request is closed. {approval.note}"))


def resolve(approval: Approval, actor: Actor, decision: str, note: str | None) -> None:
    """Set the decision of an approval in memory: `approved`, `rejected`, `changes_requested` or `closed`."""
    approval.status = STATUS_OF[decision]
    approval.decision = decision
    approval.note = note
    approval.resolved_by_user_id = actor.user_id
    approval.resolved_by_kind = actor.kind
    approval.resolved_at = approval.updated_at = times.clock_now()


async def _already_decided(approval: Approval) -> str:
    [row] = await rows(
        f"SELECT COALESCE({person_name('u')}, a.resolved_by_name, 'The system') AS name FROM approvals a"
        " LEFT JOIN users u ON u.id = a.resolved_by_user_id WHERE a.id = ?",
        approval.id,
    )
    decided_at = approval.resolved_at or times.clock_now()
    return f"{row['name']} {WORD_OF[str(approval.decision)]} this {times.ago(decided_at)}."


async def save_decision(approval: Approval, *, is_another: bool = True) -> None:
    """Store the decision of an approval, on its task links too.

    The caller holds the tasks, so that the attempt in which it was decided is certain.
    """
    await approval.save(
        update_fields=[
            "status", "decision", "note", "resolved_by_user_id", "resolved_by_kind", "resolved_at", "updated_at",
            "resolved_by_name", "answer", "answer_state",
        ]
    )  # fmt: skip
    if not is_another:
        return
    await rows(
        "UPDATE approval_task_links SET is_pending = ?, outcome = NULL, outcome_reason = NULL, decided_attempt ="
        " CASE WHEN ? THEN NULL ELSE (SELECT t.attempt FROM tasks t WHERE t.id = task_id) END"
        " WHERE approval_id = ? AND (outcome IS NULL OR outcome <> ?)",
        approval.status == "pending",
        approval.status == "pending",
        approval.id,
        CLOSED,
    )


async def held_tasks(board_id: UUID, task_ids: list[UUID]) -> set[str]:
    """Lock tasks of a board, always before their approval. Return the ids of those that exist."""
    if not task_ids:
        return set()
    hold = " FOR NO KEY UPDATE" if is_postgres() else ""
    tasks = await rows(
        f"SELECT id FROM tasks WHERE board_id = ? AND deleted_at IS NULL AND id IN ({placeholders(len(task_ids))})"
        f" ORDER BY id{hold}",
        board_id,
        *task_ids,
    )
    return {str(task["id"]) for task in tasks}


async def hold_tasks_of(approval: Approval) -> tuple[list[UUID], set[str]]:
    """Lock the tasks of an approval and that of the run that asked, always before the approval.

    Return the ids of its tasks, and of those the ones that exist.
    """
    task_ids = await task_ids_of(approval)
    existing_ids = await held_tasks(approval.board_id, task_ids)
    if not task_ids:
        await hold_run(approval.run_id)
    return task_ids, existing_ids


async def locked_approval(approval: Approval) -> Approval:
    locked = await existing(Approval.select_for_update().get_or_none(id=approval.id))
    locked.board = approval.board
    return locked


async def task_ids_of(approval: Approval) -> list[UUID]:
    links = await ApprovalTask.filter(approval_id=approval.id).order_by("created_at", "id")
    return [link.task_id for link in links]


async def _save_deadline(approval: Approval) -> None:
    approval.updated_at = times.clock_now()
    await approval.save(update_fields=[*COLUMNS, "updated_at"])


DEADLINES: Deadlines[Approval] = Deadlines(
    kind="approval",
    changed="approval.deadline_changed",
    reminded="approval.reminded",
    asked_another="approval.asked_another",
    other="send_back",
    columns=COLUMNS,
    save=_save_deadline,
    about=lambda approval: f"{approval.action_type}.",
    facts=lambda approval: {
        "agent_id": approval.agent_id,
        "approval_id": approval.id,
        "action_type": approval.action_type,
    },
    undone="decided",
    wanted="a decision",
)


@command("approval.decide")
async def set_deadline(actor: Actor, approval: Approval, deadline: ApprovalDeadline | None) -> Approval:
    """Set or remove the deadline of a pending approval. Raise Conflict for a decided one, and for a gateway's own."""
    approval = await locked_approval(approval)
    if approval.status != "pending":
        raise Conflict(ErrorCode.APPROVAL_DECIDED.detail())
    if approval.is_outside:
        raise Conflict(ErrorCode.APPROVAL_OF_GATEWAY.detail())
    await DEADLINES.change(approval, deadline)
    return approval


@command("approval.apply_deadline")
async def apply_deadline(actor: Actor, approval: Approval) -> None:
    """Remind people, ask another one, or send back. One who can no longer answer is not asked: people are reminded."""
    await hold_tasks_of(approval)
    approval = await locked_approval(approval)
    if approval.status != "pending" or approval.decide_by is None or approval.decide_by > times.clock_now():
        return
    due = await DEADLINES.end(approval)
    if due is not None:
        await decide_approval(
            actor, approval, Verdict("changes_requested", f"Nobody decided by {times.absolute(due)}.")
        )


@command("approval.apply_deadline")
async def go_on(actor: Actor, approval: Approval) -> None:
    """Ask others by name, as the board says, while nobody has looked, and who stands in for people who are away."""
    await hold_tasks_of(approval)
    approval = await locked_approval(approval)
    if approval.status == "pending":
        await DEADLINES.go_on(approval)
