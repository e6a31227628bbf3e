"""Claims, leases, flags, runs and handing in work, over HTTP."""

import asyncio

from quart import Response

from mission_control.agents.models import Agent
from mission_control.approvals.views import pending_of
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import ErrorCode, Invalid, schema_error
from mission_control.core.values import OK, JsonObject, LLMErrorResponse, OkResponse, Page, Paging, page, page_of
from mission_control.http.body_limit import BodyLimit
from mission_control.http.operation_api import Api, hints
from mission_control.http.registry import ALL_ROLES, WORKER
from mission_control.http.slow_answers import kept_alive
from mission_control.runs import queries
from mission_control.runs.claims import claiming, leases, polling, readiness
from mission_control.runs.claims.next_work import NextCreate, NextRead, next_of
from mission_control.runs.claims.waiting_reasons import reasons_of
from mission_control.runs.completions import complete_run, files_of
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import task_read

api = Api(__name__, "tasks")
REFUSALS = dict.fromkeys((403, 404, 409, 422), LLMErrorResponse)
LEASE = "/agent/boards/<board_id>/tasks/<task_id>/lease"


@api.post(
    "/agent/boards/<board_id>/claims",
    queries.ClaimRead,
    rule="task.claim",
    errors=REFUSALS,
    is_long_poll=True,
    hints=hints(
        "agent_task_claim",
        roles=WORKER,
        use="Whenever you are free: it hands you the best task that the board's rules allow, and nobody else gets it.",
        avoid="Not to look around; list tasks for that. Not while you cannot begin at once.",
        needs="You are a worker of the board.",
        effects="The task is in progress and yours until the lease ends; its fence has grown by one.",
        never="Do not poll in a loop without wait_seconds, and do not claim several tasks to keep them.",
        route="With wait_seconds up to 50 the call itself waits for work; task null means none came, so call again.",
        example="give me something to do",
    ),
)
async def claim_task(actor: Actor, board: Board, data: queries.ClaimCreate | None) -> claiming.Claim:
    """Claim the best available task, or the one that `task_id` names, and get all that is known about it.

    A run of yours that waited for an answer and has it comes before everything else, with the fence that it had. Then
    your own assigned tasks, then by priority (each full day of waiting lifts a task by one step), due date and age.
    Send `lease.fence` as the header X-Task-Fence with every write of the task, and extend the lease before
    `lease.expires_at`: afterwards the task goes back, and writes with that fence answer 409 `lease_lost`, unless people
    have not answered what you asked about it: then it waits for them and for you. Naming a task that you hold already
    renews the lease with the same fence. With an Idempotency-Key, a new one for each claim,
    the same request sent again after a lost answer gets the same task and fence, also while the first still waits.
    With `wait_seconds` a pause or a used-up budget is waited for too, and `reason` says which one held the work back
    all that time; without it they are refused like a named task.
    Nothing is claimed for a client that hangs up before it is answered, unless it sent an Idempotency-Key: then the
    claim stays for its next call until the lease ends.
    A named task that cannot be claimed answers 409 at once, with the reason as `code`: task_already_claimed,
    task_not_claimable, wip_limit_reached, claims_disabled, agent_paused, board_paused, organization_paused,
    budget_exhausted, task_has_pending_approval, task_blocked_cannot_transition.
    """
    return await polling.claim(actor, board, data or queries.ClaimCreate())


@api.get(
    "/boards/<board_id>/workers",
    Page[readiness.WorkerRead],
    who="actor",
    rule="board.read",
    hints=hints(
        "agent_worker_discovery",
        use="Before you give a task to somebody: who would begin it now, who is busy, and with what.",
        avoid="Not to learn who is on the board; list its agents.",
        never="Do not wait for a worker that is away; give the task to one that is ready, or leave it in the inbox.",
        route="Then update the task with assigned_agent_id: a ready worker begins it at once.",
        example="who could start this now",
    ),
)
async def list_workers(actor: Actor, board: Board, query: Paging) -> JsonObject:
    """List the workers of a board: those that are ready first, then those at work.

    A worker is ready while it waits in `agent_next` or in a claim. Assign a task in the inbox to one, and it begins
    that task before others.
    """
    return page_of(await readiness.workers_of(board), query)


@api.post(
    "/agent/next",
    NextRead,
    errors=REFUSALS,
    is_long_poll=True,
    hints=hints(
        "agent_next",
        roles=ALL_ROLES,
        use="Whenever you are free: the one place to wait for work, answers, notices and directives.",
        avoid="Not while you work on a task; what is new rides as `news` on every answer.",
        effects="New work is in progress and yours until its lease ends, and what you resume has a new lease.",
        never="Do not poll in a loop without wait_seconds.",
        route="Do what `text` says, then call again.",
        example="what shall I do next",
    ),
)
async def agent_next(actor: Actor, data: NextCreate | None) -> JsonObject | Response:
    """Get what to do next, with all that is known about it.

    It is the first of these: a directive that you do not follow yet; a task of yours whose questions people answered
    (`resume`); one that was sent back (`rework`); new work; news; or nothing, after `wait_seconds`. Work is claimed as
    `claim_task` claims it, for workers of a board; leads and main agents get directives and news. `news` rides on this
    answer as on every other one.
    """
    wanted = data or NextCreate()
    coming = next_of(actor, wanted)
    return await (kept_alive(coming) if wanted.keep_alive else coming)


@api.post(
    LEASE,
    queries.LeaseExtended,
    rule="task.extend_lease",
    errors=REFUSALS,
    hints=hints(
        "agent_lease_extend",
        use="While you work longer than the lease lasts, some time before it ends.",
        avoid="Not to keep a task that you do not work on; release it.",
        needs="You hold the task and know the fence of the assignment.",
        effects="The lease ends later; nobody is notified.",
        never="Do not go on working after a 409 with the code lease_lost; the task is no longer yours.",
        route="At about half of the lease's time; a task taken by PATCH gets an end by this.",
        example="I need another quarter of an hour",
    ),
)
async def extend_lease(actor: Actor, task: Task, data: queries.LeaseExtend) -> dict[str, queries.LeaseRead]:
    """Extend your lease of a task, counted from now."""
    lease = await leases.extend_lease(actor, task, data.fence, data.lease_seconds)
    leases.LEASES.no_later_than(lease["expires_at"])
    return {"lease": lease}


@api.post(
    f"/agent{TASK}/parking",
    queries.RunParked,
    rule="task.extend_lease",
    errors=REFUSALS,
    hints=hints(
        "agent_task_park",
        use="When you asked people something, the answer takes longer than you want to wait, and you have other work.",
        avoid="Not to put work off; release it. Not before you asked: send park with the question or the approval.",
        needs="You hold the task, know the fence of the assignment, and asked something that is still open.",
        effects="Your lease ends and nobody else gets the task; your next claim after the answer returns it first.",
        never="Do not wait for the answer in a loop as well; claim or wait for what comes next.",
        route="is_parked false means that all is answered already: read the answers and go on.",
        example="let this task wait until people have answered",
    ),
)
async def park_task(actor: Actor, task: Task, data: queries.RunPark) -> dict[str, bool]:
    """Let your run wait for the answers to what you asked, without a lease.

    The fence stays valid. Extending the lease, claiming the task by its id, or handing it in goes on with it at once.
    `is_parked` is false when nothing that you asked is open: go on.
    """
    return {"is_parked": await leases.park_run(actor, task, data.fence, data.resume)}


@api.delete(
    LEASE,
    rule="task.release_lease",
    errors=REFUSALS,
    hints=hints(
        "agent_lease_release",
        use="When you cannot or must not go on with a task: others get it at once, you not for ten minutes.",
        avoid="Not when the work is finished; hand it in instead.",
        needs="You hold the task and know the fence of the assignment.",
        effects="The task is in the inbox, unassigned; your reason is kept with the run, and the lead is notified.",
        never="Do not let a lease run out instead; that counts as a failed attempt.",
        route="Say in the reason what the next one should know.",
        example="I cannot do this task",
    ),
)
async def release_lease(
    actor: Actor, task: Task, data: queries.LeaseRelease | None, query: queries.LeaseRelease
) -> queries.LeaseReleased:
    """Give a task back. Fence and reason are sent in the body or in the address; the header X-Task-Fence will do."""
    sent = data or query
    fences = {fence for fence in (sent.fence, query.fence, actor.fence) if fence is not None}
    if not fences:
        raise Invalid([schema_error("missing", ["body", "fence"], "Field required")])
    if len(fences) > 1:
        raise Invalid(ErrorCode.FENCES_DIFFER.detail())
    reason, rests = sent.reason or query.reason, sent.rests and query.rests
    closed = await leases.release_lease(actor, task, fences.pop(), reason, rests=rests)
    return queries.LeaseReleased(closed=closed)


@api.delete("/boards/<board_id>/tasks/<task_id>/flag", rule="task.unflag")
async def clear_flag(actor: Actor, task: Task) -> OkResponse:
    """Clear the flag of a task that waits for a person after failed attempts, so that it can be assigned again."""
    await claiming.clear_flag(actor, task)
    return OK


@api.post(
    f"/agent{TASK}/completions",
    queries.CompletionRead,
    rule="task.complete",
    errors=REFUSALS,
    hints=hints(
        "agent_task_completion",
        roles=WORKER,
        use="When your work on a task you hold is finished: one call hands in the summary, links, files and figures.",
        avoid="Not for progress in between; comment, and extend your lease.",
        needs="You are a worker and hold the task; send the fence of the assignment.",
        effects="The task goes to review or done with your summary as a comment, your run ends, and people are asked"
        " for the approval that the board may require.",
        never="Do not go on with a task after a 409 with the code lease_lost; it is somebody else's now.",
        route="Any other 409 names a rule of the board that is not met yet; meet it and send the same again.",
        example="hand in my finished work",
    ),
)
async def complete_task(actor: Actor, task: Task, data: queries.CompletionCreate) -> JsonObject:
    """Hand in the work on a task.

    The summary becomes a comment, the files become attachments, and all of it is kept with the run. People see the diff
    of `code` by file, and send the work back with comments at its lines, which come to you as a note. Where the board
    requires an approval before a task is done, people are asked for it with the summary and the evidence: when they
    approve, the task is done; when they send it back, it returns to your inbox as rework. The board's other rules
    hold: a refusal changes nothing. Sent again with the same fence it answers the same. The whole request has at most
    MAX_FILE_BYTES.
    """
    files = await asyncio.to_thread(files_of, data)
    run_id = await complete_run(actor, task, data, files)
    approval = await pending_of(task.id)
    return {"task": await task_read(task.id), "run": await queries.run_read(run_id), "approval": approval}


@api.get(
    f"{TASK}/runs",
    Page[queries.RunRead],
    who="actor",
    hints=hints(
        "agent_task_run_discovery",
        use="To see what was tried before: summaries, evidence and why earlier attempts ended.",
        avoid="Not to find work; claim it.",
        never="Do not repeat an approach that an earlier run gave up for a reason that still holds.",
        route="After claiming a task whose fence is above 1.",
        example="what did earlier attempts at this task find out",
    ),
)
async def list_task_runs(actor: Actor, task: Task, query: Paging) -> JsonObject:
    """List the attempts at a task, newest first."""
    return page(*await queries.runs_of_task(task.id, query), query)


@api.get("/agents/<agent_id>/runs", Page[queries.AgentRunRead], tags=("agents",), rule="agent.read")
async def list_agent_runs(actor: Actor, agent: Agent, query: Paging) -> JsonObject:
    """List an agent's attempts at tasks, newest first."""
    return page(*await queries.runs_of_agent(actor, agent, query), query)


@api.get(
    f"{TASK}/waiting",
    queries.TaskWaitingRead,
    who="actor",
    hints=hints(
        "agent_task_waiting",
        use="When a task does not move, or a claim or a change of it was refused, to learn everything it waits for.",
        avoid="Not in a loop; a waiting claim is notified when there is work.",
        never="Do not work around a reason: a decision, a rule and a pause are meant.",
        route="For many tasks at once list them with include_waiting=true.",
        example="why does nobody work on this task",
    ),
)
async def explain_waiting(actor: Actor, task: Task) -> JsonObject:
    """Say what a task waits for.

    Every reason has a sentence for people and the ids that it is about: unfinished tasks, decisions, rules of the
    board, limits, a pause, who holds it until when. The list of tasks has them too with `include_waiting=true`.
    """
    return {"task_id": task.id, "reasons": (await reasons_of([task.id])).get(str(task.id), [])}


EVIDENCE = BodyLimit("POST", "/api/v1/agent/boards/[^/]+/tasks/[^/]+/completions", "max_file_bytes")
