"""What a forge told becomes what is known of work in review: its task shows it, and may be done when it is merged."""

from copy import copy
from datetime import timedelta
from uuid import UUID

from mission_control.boards.forge_states import HandedIn, code_of_tasks, place_of, repository_of
from mission_control.boards.models import Board, ForgeState
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject
from mission_control.database.sql import Row, as_json, rows
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.tasks.changes import present_task
from mission_control.tasks.models import Task
from mission_control.tasks.reviews import finish
from mission_control.webhooks.forges.providers import NAMES, Report, Telling, merged, reading
from mission_control.webhooks.models import Webhook

EVENTS = (
    Kind(
        "task.code_reported",
        "A forge told of the pull request, the checks or a push of work in review.",
        "reported on the code of",
    ),
)
KEPT = timedelta(days=90)  # what nothing was told about for so long is forgotten


async def take(actor: Actor, webhook: Webhook, content: object) -> JsonObject:
    """Keep what a forge told, and return what of it the log of calls shows. The calling command holds the board."""
    telling = reading(content)
    shown: JsonObject = {"repository": telling.repository or None}
    if not telling.repository:
        return shown | {"ignored": "Not used."}
    if not _is_within(telling.repository, repository_of(webhook.repository or "")):
        return shown | {"ignored": "It is about another repository."}
    shown["reports"] = [{report.kind: report.name} | report.facts for report in telling.reports]
    if not telling.reports:
        return shown | {"ignored": "Not used."}
    ids = await _concerned(webhook.board_id, telling)
    before = await code_of_tasks(ids)
    changed = [await _keep(webhook.board_id, telling.repository, report) for report in telling.reports]
    if not any(changed):
        return shown | {"ignored": "Nothing new."}
    await _report_changed(actor, webhook, ids, before)
    return shown


async def _report_changed(actor: Actor, webhook: Webhook, ids: list[UUID], before: dict[UUID, HandedIn]) -> None:
    """Report on the tasks in review whose code is shown differently now."""
    after = await code_of_tasks(ids)
    for found in await Task.filter(id__in=ids).order_by("id").select_related("board"):
        is_other = _seen(before.get(found.id)) != _seen(after.get(found.id))
        if is_other and (task := await present_task(found)) is not None and task.status == "review":
            await _report(actor, webhook, task, after[task.id])


def _is_within(repository: str, allowed: str) -> bool:
    return bool(allowed) and (repository == allowed or repository.startswith(f"{allowed}/"))


async def _concerned(board_id: UUID, telling: Telling) -> list[UUID]:
    found = await rows(
        "SELECT t.id, r.code FROM tasks t JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
        " WHERE t.board_id = ? AND t.status = 'review' AND t.deleted_at IS NULL AND t.archived_at IS NULL"
        " AND r.code IS NOT NULL",
        board_id,
    )
    places = [(row["id"], place_of(as_json(row["code"]))) for row in found]
    return [UUID(str(one)) for one, place in places if place and place.repository == telling.repository]


async def _keep(board_id: UUID, repository: str, report: Report) -> bool:
    """Return whether something is known now that was not before."""
    named: Row = {"board_id": board_id, "repository": repository, "kind": report.kind, "name": report.name}
    known = await ForgeState.get_or_none(**named)
    state = known or ForgeState(**named)
    facts = merged(report.kind, copy(state.facts), report.facts)
    if known is not None and facts == known.facts:
        return False
    state.facts, state.reported_at = facts, times.clock_now()
    state.branch = facts.get("branch") or None
    await state.save(force_create=known is None)
    if known is None:
        await ForgeState.filter(board_id=board_id, reported_at__lt=state.reported_at - KEPT).delete()
    return True


def _seen(known: HandedIn | None) -> object:
    return known and (known.words, known.pushed)


async def _report(actor: Actor, webhook: Webhook, task: Task, known: HandedIn) -> None:
    """Record what is known now; the task changes with it, so that who saw the former state is asked to look again."""
    task.updated_at = times.clock_now()
    await task.save(update_fields=["updated_at"])
    message = f"{NAMES[webhook.forge or '']}: {known.words}"
    report = known.report.model_dump(mode="json", exclude={"reported_at"}) if known.report else None
    record("task.code_reported", task, message, report=report, pushed=known.pushed)
    is_merged = known.report is not None and known.report.state == "merged" and not known.pushed
    if is_merged and task.board.done_when_merged and not await _is_asked(task.board, task.id):
        await finish(actor, task)


async def _is_asked(board: Board, task_id: UUID) -> bool:
    """Return whether a person has to decide first: merging is no approval of this board."""
    pending = await rows("SELECT 1 AS one FROM approval_task_links WHERE task_id = ? AND is_pending", task_id)
    return bool(pending) or board.require_approval_for_done
