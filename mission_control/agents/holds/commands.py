"""Commands on holds: a worker waits with what it keeps, people say what it does, and it goes on.

A hold is locked before its agents, and these before the tasks that it keeps.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID

from mission_control.agents.holds.models import Hold, HoldWorker
from mission_control.agents.holds.queries import channel_of, hold_of, others_free
from mission_control.agents.holds.schemas import HoldAnswered, HoldCreate, KeptRun
from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.parking import park
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, ErrorCode, Invalid, existing
from mission_control.core.values import new_id
from mission_control.database.records import find
from mission_control.database.sql import as_id, as_moment, is_postgres, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import notify, reacts_to, record, signal
from mission_control.people.models import Token

EVENTS = (
    Kind.named("worker.held", "A worker waits for its limit, its provider or a sign-in.", "paused the worker"),
    Kind.named("worker.answered", "A person said what a worker that waits is to do.", "decided about the worker"),
    Kind.named("worker.continued", "A worker goes on, or gave no sign any more.", "ended the pause of the worker"),
)

OPEN = "board_id = ? AND program = ? AND host_label = ? AND account = ? AND ended_at IS NULL"
NO_SIGN_FOR = timedelta(minutes=10)  # after the end that it named, until a worker is taken for gone
MORNING = time(8)
WHY = {"window": "its limit", "overload": "its provider", "sign_in": "a sign-in"}

_log = logging.getLogger(__name__)


@command("hold.report")
async def report_hold(actor: Actor, board: Board, sent: HoldCreate) -> tuple[Hold, list[UUID]]:
    """Let the worker's account on its machine wait, with what it keeps. Return also which tasks are not its own.

    An answer that the worker was told and followed, and that did not help, is forgotten: people may answer again.
    """
    hold, is_new = await _open_hold_of(board, sent)
    before = None if is_new else (hold.kind, hold.words, hold.until, hold.answer)
    hold.board, hold.kind, hold.words, hold.until = board, sent.kind, sent.words, sent.until
    notified_at = None if is_new else await _notified_at(actor, hold)
    if _is_over(hold, notified_at) or (hold.answer == "take_over" and await _own_runs(actor, board, sent.tasks)):
        _forget_answer(hold)
    await hold.save()
    await _add_worker(actor, hold, is_notified=hold.answer is not None)
    await _show_on_agents(hold)
    if before != (hold.kind, hold.words, hold.until, hold.answer):
        message = f"Worker waits for {WHY[hold.kind]}: {hold.worker}."
        record("worker.held", hold, message, hold_id=hold.id, reason=hold.kind, until=hold.until, words=hold.words)
    runs = await _keep(actor, hold, sent.tasks)
    return hold, [run.task_id for run in sent.tasks if run.task_id not in runs]


async def _open_hold_of(board: Board, sent: HoldCreate) -> tuple[Hold, bool]:
    """Lock and return the open hold of an account on a machine, and whether it was made now."""
    account, is_new = (board.id, sent.program, sent.host_label, sent.account), False
    while (hold := await find(Hold, OPEN, *account, lock=True)) is None:  # another process may make or end it
        is_new = bool(
            await rows(
                "INSERT INTO worker_holds (id, organization_id, kind, words, until, created_at, board_id, program,"
                " host_label, account) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT"
                " (board_id, program, host_label, account) WHERE ended_at IS NULL DO NOTHING RETURNING id",
                *(new_id(), board.organization_id, sent.kind, sent.words, sent.until, times.clock_now(), *account),
            )
        )
    return hold, is_new


def _is_over(hold: Hold, notified_at: datetime | None) -> bool:
    """Return whether the worker did what people answered, and waits again."""
    if hold.answer == "stop":
        return hold.resumes_at is not None and hold.resumes_at <= times.clock_now()
    is_notified = notified_at is not None and hold.answered_at is not None and notified_at >= hold.answered_at
    return hold.answer == "continue" and is_notified


def _forget_answer(hold: Hold) -> None:
    hold.answer = hold.answered_at = hold.resumes_at = hold.answered_by_user_id = None


async def _notified_at(actor: Actor, hold: Hold) -> datetime | None:
    worker = await rows("SELECT notified_at FROM hold_workers WHERE hold_id = ? AND agent_id = ?", hold.id, actor.id)
    return as_moment(worker[0]["notified_at"]) if worker else None


async def _own_runs(actor: Actor, board: Board, sent: Sequence[KeptRun]) -> dict[UUID, UUID]:
    """Return the caller's live runs of those that it named, by their tasks."""
    if not sent:
        return {}
    runs = await rows(
        "SELECT r.id, r.task_id, r.fence FROM task_runs r JOIN tasks t ON t.id = r.task_id WHERE r.board_id = ?"
        " AND r.agent_id = ? AND r.ended_at IS NULL AND t.deleted_at IS NULL"
        f" AND (r.lease_expires_at IS NULL OR r.lease_expires_at > ?) AND r.task_id IN ({placeholders(len(sent))})",
        board.id,
        actor.id,
        times.clock_now(),
        *(run.task_id for run in sent),
    )
    fences = {run.task_id: run.fence for run in sent}
    live = ((UUID(str(run["task_id"])), run) for run in runs)
    return {task_id: UUID(str(run["id"])) for task_id, run in live if run["fence"] == fences[task_id]}


async def _add_worker(actor: Actor, hold: Hold, *, is_notified: bool) -> None:
    now, token = times.clock_now(), await Token.get_or_none(id=actor.credential[1])
    worker = await HoldWorker.get_or_none(hold_id=hold.id, agent_id=actor.id)
    if worker is None:
        worker = HoldWorker(hold_id=hold.id, agent_id=actor.id, created_at=now)
    worker.connection_id = token.connection_id if token is not None else None
    worker.listens_until, worker.notified_at = now, now if is_notified else worker.notified_at
    await worker.save()


async def _show_on_agents(hold: Hold) -> None:
    """Write on the agents of a hold which one of theirs is open, the newest."""
    for row in await rows("SELECT agent_id FROM hold_workers WHERE hold_id = ? ORDER BY agent_id", hold.id):
        newest = await hold_of(UUID(str(row["agent_id"])))
        summary = newest.model_dump(mode="json") if newest is not None else None
        await Agent.filter(id=row["agent_id"]).update(hold=summary)
        signal(hold.organization_id, agent_id=str(as_id(row["agent_id"])))


async def _keep(actor: Actor, hold: Hold, sent: Sequence[KeptRun]) -> dict[UUID, UUID]:
    """Park the caller's live runs of those that it named, and return them by their tasks."""
    if sent and is_postgres():
        named = placeholders(len(sent))
        lock = f"SELECT 1 AS one FROM tasks WHERE id IN ({named}) AND board_id = ? ORDER BY id FOR NO KEY UPDATE"
        await rows(lock, *(run.task_id for run in sent), hold.board_id)
    runs = await _own_runs(actor, hold.board, sent)
    if runs:
        await rows(f"UPDATE task_runs SET hold_id = ? WHERE id IN ({placeholders(len(runs))})", hold.id, *runs.values())
        await park([*runs.values()], agent_id=actor.id, waits_for=hold.worker)
    return runs


@command("hold.answer")
async def answer_hold(actor: Actor, hold: Hold, sent: HoldAnswered) -> None:
    """Tell workers what to do while they wait. The first answer counts, but they may be told to go on after another."""
    hold = await _open_hold(hold)
    if hold.answer is not None and (sent.answer != "continue" or hold.answer == "continue"):
        raise Conflict(ErrorCode.HOLD_ANSWERED.detail())
    if sent.answer == "take_over" and not (await others_free([hold.id]))[hold.id]:
        raise Invalid("No other agent of this board could take over.")
    hold.answer, hold.answered_at, hold.answered_by_user_id = sent.answer, times.clock_now(), actor.user_id
    hold.resumes_at = (sent.resumes_at or next_morning()) if sent.answer == "stop" else None
    await _save_answer(hold)


@command("hold.answer")
async def take_back_answer(actor: Actor, hold: Hold) -> None:
    """Let workers that were to stop wait as before."""
    hold = await _open_hold(hold)
    if hold.answer != "stop":
        raise Invalid("This answer cannot be taken back.")
    _forget_answer(hold)
    await _save_answer(hold)


async def _save_answer(hold: Hold) -> None:
    await hold.save(update_fields=["answer", "answered_at", "answered_by_user_id", "resumes_at"])
    await _show_on_agents(hold)
    record(
        "worker.answered", hold, f"{ANSWERED[hold.answer]}: {hold.worker}.", hold_id=hold.id, decision=hold.answer,
        resumes_at=hold.resumes_at,
    )  # fmt: skip


ANSWERED = {
    "continue": "Worker is to try again",
    "take_over": "Others take over from worker",
    "stop": "Worker stops",
    None: "Worker waits as before",
}


def next_morning() -> datetime:
    """Return the next 8 o'clock where the person is."""
    zone = times.reader()
    day = times.today(zone)
    today = times.at(day, MORNING, zone)
    return today if today > times.clock_now() else times.at(day + timedelta(days=1), MORNING, zone)


async def _open_hold(hold: Hold) -> Hold:
    present = await existing(find(Hold, "id = ?", hold.id, lock=True))
    if present.ended_at is not None:
        raise Conflict(ErrorCode.HOLD_ENDED.detail())
    present.board = hold.board
    return present


@command("hold.end")
async def end_hold(actor: Actor, hold_id: UUID, *, because: str = "continued") -> None:
    """End a hold for all workers that share it; a no-op when it ended.

    `because` is `continued`, or `no_sign` when it is over that its workers named and none of them listens.
    """
    hold = await existing(find(Hold, "id = ?", hold_id, lock=True))
    if hold.ended_at is not None or (because == "no_sign" and not await _silent_holds(hold_id)):
        return
    hold.ended_at = times.clock_now()
    await hold.save(update_fields=["ended_at"])
    await _show_on_agents(hold)
    message = f"Worker goes on: {hold.worker}." if because == "continued" else f"Worker gave no sign: {hold.worker}."
    record("worker.continued", hold, message, hold_id=hold.id, because=because)


async def end_silent_holds() -> None:
    """End the holds whose time is over without a sign of a worker."""
    for hold_id, organization_id in await _silent_holds():
        try:
            await end_hold(system(organization_id), hold_id, because="no_sign")
        except Exception:
            _log.exception("ending a hold failed", extra={"hold": str(hold_id)})


async def _silent_holds(hold_id: UUID | None = None) -> list[tuple[UUID, UUID]]:
    before = times.clock_now() - NO_SIGN_FOR
    which = "" if hold_id is None else " AND h.id = ?"
    silent = await rows(
        "SELECT h.id, h.organization_id FROM worker_holds h WHERE h.ended_at IS NULL"
        " AND COALESCE(h.resumes_at, h.until) < ? AND NOT EXISTS (SELECT 1 FROM hold_workers w"
        f" WHERE w.hold_id = h.id AND w.listens_until > ?){which}",
        before,
        before,
        *([] if hold_id is None else [hold_id]),
    )
    return [(UUID(str(row["id"])), UUID(str(row["organization_id"]))) for row in silent]


@reacts_to("worker.held", "worker.answered", "worker.continued")
async def wake_workers(actor: Actor, event: NewEvent) -> None:
    assert event.scope.subject_id is not None
    notify(channel_of(event.scope.subject_id))
