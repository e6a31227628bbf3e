"""Complete a run: store what was handed in, move the task, and ask for the approval that its board requires."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.agents.queries import lead_id_of
from mission_control.approvals.closures import close_ask
from mission_control.approvals.commands import ask_to_finish
from mission_control.approvals.payloads import asks_to_finish
from mission_control.approvals.queries import is_finish_approved
from mission_control.approvals.votes import lapse_changed
from mission_control.boards.attempts import LIVE, lease_lost
from mission_control.boards.hand_in_counts import changes_something, says_something
from mission_control.boards.models import Run
from mission_control.core.actor import Actor, Scope, system
from mission_control.core.errors import Conflict, ErrorCode, Invalid
from mission_control.core.text.diffs import parsed
from mission_control.core.values import JsonObject
from mission_control.database.records import find, update
from mission_control.database.sql import as_json, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import acting_as, reacts_to, record
from mission_control.runs.claims.leases import is_over
from mission_control.runs.queries import CodeCreate, CompletionCreate
from mission_control.runs.sessions.usage import report_used
from mission_control.tasks.attachments import Upload, attach, uploaded
from mission_control.tasks.changes import TaskChange, held_task
from mission_control.tasks.commands import change_task
from mission_control.tasks.comments import add_comment
from mission_control.tasks.models import Task

EVENTS = (Kind("task.run_completed", "An agent handed in its work on a task, with evidence and usage.", "handed in"),)

REPLACED = "Closed because the work was handed in anew, with a request of its own."


async def ask_for_approval(actor: Actor, task: Task, run: Run, confidence: float | None = None) -> None:
    """Ask people whether a task is finished, unless they were asked already. The calling command holds the task."""
    if task.status != "review" or not task.board.require_approval_for_done:
        return
    if await is_finish_approved(task.id) or await _must_wait(actor, task):
        return
    payload = {"reason": run.summary, "evidence": as_json(run.evidence) or [], "fence": run.fence}
    await ask_to_finish(task.board, task.id, run, payload, confidence)


async def _must_wait(actor: Actor, task: Task) -> bool:
    waiting = await rows(
        "SELECT l.id, l.approval_id, l.asked_attempt, a.action_type FROM approval_task_links l"
        " JOIN approvals a ON a.id = l.approval_id WHERE l.task_id = ? AND l.is_pending",
        task.id,
    )
    for row in waiting:
        if not asks_to_finish(row["action_type"]) or row["asked_attempt"] == task.attempt:
            return True
        await close_ask(UUID(str(row["approval_id"])), UUID(str(row["id"])), task.id, REPLACED)
    return False


@reacts_to("approval.decided", "approval.closed")
async def ask_after_another(actor: Actor, event: NewEvent) -> None:
    """Ask for submitted tasks that waited for another approval, once that one is decided."""
    attempts: dict[str, int] = {}
    if event.data["task_ids"] and asks_to_finish(event.data["action_type"]):
        links = "SELECT task_id, asked_attempt FROM approval_task_links WHERE approval_id = ?"
        attempts = {str(row["task_id"]): row["asked_attempt"] for row in await rows(links, event.data["approval_id"])}
    for task_id in event.data["task_ids"]:
        task = await Task.get_or_none(id=task_id, deleted_at=None).select_related("board")
        if task is not None and attempts.get(str(task.id)) != task.attempt:  # else this attempt was answered
            await _ask_anew(task)


@reacts_to("task.status_changed", "task.restored")
async def ask_for_returned_work(actor: Actor, event: NewEvent) -> None:
    """Ask for submitted work that is put back into review, such as by an undone move, after its request was closed."""
    before, after = event.data.get("before", {}), event.data.get("after", {})
    if event.kind == "task.status_changed" and (after.get("status") != "review" or before["status"] == "in_progress"):
        return
    task = await Task.get_or_none(id=event.scope.task_id, deleted_at=None).select_related("board")
    if task is not None:
        await _ask_anew(task)


async def _ask_anew(task: Task) -> None:
    """Ask in the name of the agent that handed the work in, unless it reports later: its report then asks."""
    if task.status != "review" or not task.board.require_approval_for_done:
        return
    run = await Run.get_or_none(task_id=task.id, fence=task.fence, state="completed", summary__isnull=False)
    if run is not None:
        with acting_as(system(task.board.organization_id)) as itself:
            await ask_for_approval(itself, task, run)


DIFF, TESTS = "changes.diff", "tests.txt"  # the files of a change in a repository


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a hand-in: what was sent as files, and the diff and the output of tests, where there are some."""

    artifacts: list[Upload]
    diff: Upload | None = None
    tests: Upload | None = None
    size: Mapping[str, int] = field(default_factory=dict)  # files, lines added and removed; where no client counted


def files_of(completion: CompletionCreate) -> Files:
    """Return the files that were sent. Raise Invalid when the content of one does not match its type."""
    artifacts = [
        uploaded(artifact.name, b64decode(artifact.content_base64), artifact.content_type.partition(";")[0].strip())
        for artifact in completion.artifacts
    ]
    code = completion.code or CodeCreate()
    texts = ((DIFF, code.diff), (TESTS, code.tests))
    diff, tests = (uploaded(name, text.encode(), "") if text.strip() else None for name, text in texts)
    changed = parsed(code.diff, "", 0) if None in (code.files, code.added, code.removed) else []
    lines = {"added": sum(file.added for file in changed), "removed": sum(file.removed for file in changed)}
    return Files(artifacts, diff, tests, {"files": len(changed), **lines} if changed else {})


@command("task.complete")
async def complete_run(actor: Actor, task: Task, completion: CompletionCreate, files: Files) -> UUID:
    """Complete a run and return its id. Completing it again is a no-op.

    A run that a change of status ended accepts its report afterwards. Raise Conflict for a stale fence, Invalid for
    what has neither words nor anything to show.
    """
    _refuse_empty(completion, files)
    task = await held_task(task)
    run = await find(Run, "task_id = ? AND fence = ? AND agent_id = ?", task.id, completion.fence, actor.id)
    if run is not None and run.state == "completed" and run.summary is not None:
        return run.id
    if run is None or not _takes_report(run) or task.fence != completion.fence:
        raise await lease_lost(task.id, completion.fence, task.fence)
    task = await _moved_on(actor, task, run, completion, files)
    await _fill(actor, task, run, completion, files)
    await ask_for_approval(actor, task, run, completion.confidence)
    return run.id


def _refuse_empty(completion: CompletionCreate, files: Files) -> None:
    if says_something(completion.summary) or completion.artifacts or completion.evidence or files.diff:
        return
    if not changes_something(_facts(completion.code or CodeCreate(), files)):
        raise Invalid("Nothing was changed, and nothing is said: say what you found, or why there is nothing to do.")


def _takes_report(run: Run) -> bool:
    return run.state in LIVE and not (run.state == "running" and is_over(run))


async def _moved_on(actor: Actor, task: Task, run: Run, completion: CompletionCreate, files: Files) -> Task:
    """Move the task to review or done, with the summary as a comment; one whose run has ended stays where it is."""
    status = completion.status
    if run.state == "running":
        is_reviewed = status == "review" or await _needs_review(task, is_open=status is None)
        change = TaskChange(status="review" if is_reviewed else "done", comment=completion.summary)
        if task.board.done_needs and completion.code is not None:  # the rule reads it, before its files are stored
            run.code = _facts(completion.code, files)
            await update(run, "code")
        return await change_task(actor, task, change)
    if status not in (None, task.status) and not (status == "done" and task.board.require_approval_for_done):
        message = f"This run ended already and the task is in {task.status}; leave the status out to hand in a report."
        raise Conflict({"message": message, "code": ErrorCode.RUN_ENDED})
    await add_comment(actor, task, completion.summary)
    return task


async def _needs_review(task: Task, *, is_open: bool) -> bool:
    """Whether a person must approve first, for which the completion then asks. `is_open`: its agent does not say."""
    board = task.board
    if is_open and (board.require_review_before_done or await lead_id_of(board.id) is not None):
        return True
    return board.require_approval_for_done and not await is_finish_approved(task.id)


async def _fill(actor: Actor, task: Task, run: Run, completion: CompletionCreate, files: Files) -> None:
    run.summary, run.checked = completion.summary, completion.checked or None
    run.evidence = [item.model_dump(mode="json") for item in completion.evidence]
    for file in files.artifacts:
        await attach(actor, task, file, run.id)
    if completion.code is not None and completion.code != CodeCreate():
        run.code = await _stored_code(actor, task, run, completion.code, files)
    await update(run, "summary", "checked", "evidence", "code")
    if task.board.approvals_needed > 1:
        await lapse_changed(task.id)
    if run.agent_id is not None and any(completion.figures().values()):
        await report_used(actor, run.agent_id, task.board_id, completion, task.id, run)
    scope = Scope(task.board.organization_id, task.board_id, task.id, run.agent_id, run.id)
    record(
        "task.run_completed", scope, f"Work handed in: {task.title}.", run_id=run.id, fence=run.fence,
        status=task.status, evidence=len(completion.evidence), artifacts=len(completion.artifacts),
        **completion.figures(),
    )  # fmt: skip


async def _stored_code(actor: Actor, task: Task, run: Run, code: CodeCreate, files: Files) -> JsonObject:
    diff, tests = [await attach(actor, task, file, run.id) if file else None for file in (files.diff, files.tests)]
    return {
        **_facts(code, files),
        "diff_id": diff and str(diff.id),
        "diff_sha256": diff and diff.sha256,
        "tests_id": tests and str(tests.id),
    }


def _facts(code: CodeCreate, files: Files) -> JsonObject:
    return {**code.model_dump(mode="json", exclude={"diff", "tests"}), **files.size}
