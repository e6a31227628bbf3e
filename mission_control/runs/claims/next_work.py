"""The one place where an agent waits: for directives, for what is new, and for work with all that is known about it."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.agents.models import Agent
from mission_control.agents.notices import SENT_BY_GATEWAY
from mission_control.agents.work_state import channel_of, directive_of
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, ErrorCode, existing
from mission_control.core.values import JsonObject, Schema, example
from mission_control.database.sql import as_id, as_moment, rows
from mission_control.events.leases import NEWS, NOTE
from mission_control.http.operation import settled, themselves
from mission_control.http.retries import committed
from mission_control.runs.claims import leases, polling
from mission_control.runs.claims.briefing import BriefRead
from mission_control.runs.claims.claiming import NO_WORK_CODES, Claim
from mission_control.runs.queries import ClaimCreate, ClaimReason, LeaseRead
from mission_control.tasks.schemas import TaskRead

LONGEST_WAIT_SECONDS = 600
MOST_HELD = 20

type Said = Literal["continue", "pause", "stop"]
type Wanted = Literal["directive", "notice", "work"]


class NextCreate(ClaimCreate):
    """What an agent waits for, and how long."""

    model_config = example(wait_seconds=600, keep_alive=True)

    task_id: Annotated[
        UUID | None, Field(description="This task and no other, or one that you hold: its brief and its lease again")
    ] = None
    wait_seconds: Annotated[
        int, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="How long to wait when there is nothing yet")
    ] = 0
    known: Annotated[
        Said, Field(description="The directive that you follow already; another one is answered at once")
    ] = "continue"
    kinds: Annotated[
        list[Wanted],
        Field(description="What to answer: `notice` stands for notes too, `work` for what you resume and for rework"),
    ] = ["directive", "notice", "work"]
    after_start: Annotated[
        bool, Field(description="You begin anew, such as after a crash: a task that you hold already comes first")
    ] = False
    keep_alive: Annotated[
        bool,
        Field(
            description="Begin a late answer with white space, so that no proxy ends the connection. Its status is 200"
            " then: a refusal has `status` and `detail`"
        ),
    ] = False


class HeldTask(Schema):
    """Another task that the caller holds."""

    task_id: UUID
    number: int
    title: str
    fence: int
    state: Annotated[
        Literal["working", "waiting", "ready"], Field(description="`waiting` for people, `ready` to go on")
    ]
    lease_expires_at: datetime | None


class NextRead(BriefRead):
    """What an agent does next. With work there are its task, its lease and its brief."""

    kind: Annotated[
        Literal["directive", "resume", "rework", "work", "note", "notice", "nothing"],
        Field(description="`notice` and `note`: read `news`; `resume`: people answered; `rework`: it was sent back"),
    ]
    text: Annotated[str, Field(description="What to do now, in a sentence")]
    directive: Said
    reason: Annotated[ClaimReason | None, Field(description="Why no work may begin; null: there is none")] = None
    task: Annotated[TaskRead | None, Field(description="The task, which is the caller's now")] = None
    lease: LeaseRead | None = None
    held: Annotated[list[HeldTask], Field(description="What else the caller holds: go on with it, or give it back")]


THEN = {
    "stop": "End your work, give back what you hold, and call again with known=stop: it answers when this is over.",
    "pause": "Finish what you hold, take nothing new, and call again with known=pause: it answers when this is over.",
    "continue": "Go on: call again.",
}
NOTHING = "There is nothing to do at the moment."


async def next_of(actor: Actor, request: NextCreate) -> JsonObject:
    actor, reason = replace(actor, fence=None), None
    if request.after_start and request.task_id is None:
        task_ids = (task["task_id"] for task in await _held(actor) if task["state"] == "working")
        request = request.model_copy(update={"task_id": next(task_ids, None)})
    if request.task_id is not None:
        answer = await polling.named(actor, await _board(actor), request, partial(_with_work, actor, request))
    elif actor.board_id is None or actor.is_lead or "work" not in request.kinds:
        answer = await _without_work(actor, request)
    else:
        board, looks = await _board(actor), partial(_look, actor, request)
        answer, reason = await polling.waited(actor, board, request, looks, *_channels(actor))
        if reason is None and board.only_lead_can_change_status:
            reason = ErrorCode.CLAIMS_DISABLED.detail()
    if answer is None:
        nothing = await _nothing(actor, reason)
        return await committed(actor, partial(polling.given, nothing)) or nothing
    if (lease := answer.get("lease")) is not None:
        leases.LEASES.no_later_than(lease["expires_at"])
    return answer


async def _nothing(actor: Actor, reason: JsonObject | None) -> JsonObject:
    directive, held = (await directive_of(_agent(actor))).directive, await _held(actor)
    why = reason["message"] if reason else NOTHING
    mine = ", ".join(f"#{task['number']}" for task in held if task["state"] == "working")
    goes_on = "give back" if directive == "stop" else "go on, hand in or give back"
    text = f"{why} You hold {mine}: {goes_on}. A `task_id` from `held` gives the brief again."
    return _answer("nothing", text if mine else f"{why} Call again.", directive) | {"reason": reason, "held": held}


async def _board(actor: Actor) -> Board:
    if actor.board_id is None:
        raise Conflict(ErrorCode.NO_BOARD.detail())
    return await existing(Board.get_or_none(id=actor.board_id, deleted_at=None))


def _channels(actor: Actor) -> Sequence[str]:
    return f"inbox:{actor.id}", channel_of(actor.organization_id)


def _agent(actor: Actor) -> Agent:
    return Agent(id=actor.id, board_id=actor.board_id, organization_id=actor.organization_id)


async def _without_work(actor: Actor, request: NextCreate) -> JsonObject | None:
    async def read(actor: Actor) -> JsonObject | None:
        answer = await _look_at_directive(actor, request) or await _look_at_news(actor, request)
        return await committed(actor, partial(polling.given, answer)) if answer is not None else None

    return await settled(
        actor, actor, *_channels(actor), find=themselves, read=read,
        is_settled=lambda answer: answer is not None, seconds=request.wait_seconds,
    )  # fmt: skip


async def _look(actor: Actor, request: NextCreate, board: Board) -> tuple[JsonObject | None, bool]:
    """Return the answer, or None and whether another command has locked work. Raise Conflict while none may begin."""
    if (answer := await _look_at_directive(actor, request)) is not None:
        return await committed(actor, partial(polling.given, answer)), False
    halt: Conflict | None = None
    is_held = False
    try:
        answer, is_held = await polling.look(actor, board, request, partial(_with_work, actor, request))
    except Conflict as refusal:
        code = refusal.detail.get("code") if isinstance(refusal.detail, dict) else None
        if code not in (*NO_WORK_CODES, ErrorCode.CLAIMS_DISABLED):
            raise
        halt = refusal if code in NO_WORK_CODES else None
    if answer is None and (news := await _look_at_news(actor, request)) is not None:
        answer = await _given_in_progress(actor, request, board, news["held"])
        answer = answer or await committed(actor, partial(polling.given, news))
    if answer is None and halt is not None:
        raise halt
    return answer, is_held


async def _given_in_progress(
    actor: Actor, request: NextCreate, board: Board, tasks: Sequence[JsonObject]
) -> JsonObject | None:
    """Return the first task that people gave the caller in progress: it has no lease before it was answered here."""
    for task in tasks:
        if task["state"] == "working" and task["lease_expires_at"] is None:
            request = request.model_copy(update={"task_id": task["task_id"]})
            with contextlib.suppress(DomainError):  # somebody took it away at this moment
                return await polling.named(actor, board, request, partial(_with_work, actor, request))
    return None


async def _look_at_directive(actor: Actor, request: NextCreate) -> JsonObject | None:
    if "directive" not in request.kinds:
        return None
    directive, why = await directive_of(_agent(actor))
    if directive == request.known:
        return None
    text = f"{why} {THEN[directive]}" if why else THEN[directive]
    return _answer("directive", text, directive) | {"held": await _held(actor)}


async def _look_at_news(actor: Actor, request: NextCreate) -> JsonObject | None:
    if "notice" not in request.kinds:
        return None
    news = await rows(
        f"SELECT header FROM deliveries WHERE agent_id = ? AND {NEWS} AND offered_at IS NULL"
        f" AND NOT ({SENT_BY_GATEWAY}) ORDER BY seq DESC LIMIT 1",
        actor.id,
    )
    if not news:
        return None
    kind = "note" if news[0]["header"] == NOTE else "notice"
    directive = (await directive_of(_agent(actor))).directive
    return _answer(kind, "Read `news`, then call again.", directive) | {"held": await _held(actor)}


async def _with_work(actor: Actor, request: NextCreate, claim: Claim) -> JsonObject:
    task, lease, why = claim["task"], claim["lease"], claim["why"]
    assert task is not None and lease is not None
    kind = why["kind"] if why["kind"] in ("resume", "rework") else "work"
    until, comes = f"{lease['expires_at']:%H:%M:%S} UTC", why["text"]
    comes += "" if comes.endswith((".", "!", "?", "…")) else "."
    text = (
        f"Task #{task['number']} is yours until {until}, with fence {lease['fence']}: {task['title']}. {comes}"
        " Hand it in, or give it back."
    )
    others = [other for other in await _held(actor) if str(other["task_id"]) != str(task["id"])]
    # Who names a task gets it whatever the directive is.
    directive = request.known if request.task_id is None else (await directive_of(_agent(actor))).directive
    return {**_answer(kind, text, directive), **claim, "held": others}


def _answer(kind: str, text: str, directive: str) -> JsonObject:
    return {"kind": kind, "text": text, "directive": directive, "task": None, "lease": None, "reason": None}


async def _held(actor: Actor) -> list[JsonObject]:
    tasks = await rows(
        "SELECT r.task_id, t.number, t.title, r.fence, r.lease_expires_at, CASE WHEN r.parked_at IS NULL THEN 'working'"
        " WHEN r.ready_at IS NULL THEN 'waiting' ELSE 'ready' END AS state"
        " FROM task_runs r JOIN tasks t ON t.id = r.task_id WHERE r.agent_id = ? AND r.ended_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM agent_sessions a WHERE a.run_id = r.id AND a.attached_at IS NOT NULL)"
        f" AND (r.lease_expires_at IS NULL OR r.lease_expires_at > ?) ORDER BY r.started_at LIMIT {MOST_HELD}",
        actor.id,
        times.clock_now(),
    )
    moments = ({"lease_expires_at": as_moment(row["lease_expires_at"])} for row in tasks)
    return [{**row, "task_id": as_id(row["task_id"]), **more} for row, more in zip(tasks, moments, strict=True)]
