"""Report what an agent did: its session, the activities in it, its plan and what it used."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple
from uuid import UUID, uuid5

import orjson
from pydantic import BeforeValidator, Field, JsonValue
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.agents.connections.queries import connection_of
from mission_control.agents.models import Agent
from mission_control.agents.usage.queries import reported_run
from mission_control.agents.usage.schemas import RequestUsage
from mission_control.agents.work_state import Directive, directive_of
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, existing
from mission_control.core.times import wire
from mission_control.core.values import BlankToNone, Body, Moment, NonEmptyStr, Schema, example
from mission_control.database.records import find, find_all, insert, insert_new, update
from mission_control.database.sql import Row, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.runs.models import Activity, AgentSession
from mission_control.runs.sessions.ends import ENDED, end, scope_of
from mission_control.runs.sessions.queries import IS_STOPPED, OWN, StepState, run_served
from mission_control.runs.sessions.titles import (
    GAP,
    MASK,
    begins,
    ends,
    failure_of,
    is_of_same_call,
    is_same,
    one_line,
    title_of,
)
from mission_control.runs.sessions.usage import IS_ATTACHED, USED, WITHOUT_RUN, count_used, open_session, take_up

EVENTS = (
    Kind("session.started", "An agent began a session, or went on with one that had ended.", "opened a session at"),
)

MOST_WINDOWS = 8
MOST_ITEMS, MOST_STEPS, MOST_REQUESTS = 200, 100, 50
DETAIL_BYTES, LONGEST_VALUE, LONGEST_REST = 4_096, 400, 600
OLDEST = timedelta(days=7)  # when something can have happened that is reported now
CHECK_TITLE = "Connection check"

Short = Annotated[Annotated[str, Field(max_length=64)] | None, BlankToNone]
Label = Annotated[Annotated[str, Field(max_length=255)] | None, BlankToNone]
Name = Annotated[Annotated[str, Field(max_length=200)] | None, BlankToNone]


ReportedState = Literal["working", "waiting", "idle"]  # what a program says of its session


class SessionGiven(Body):
    """Which conversation of your program it was, and where it runs."""

    external_id: Annotated[NonEmptyStr, Field(max_length=255, description="How your program calls the session")]
    client: Annotated[NonEmptyStr, Field(max_length=32, description="The program, such as claude-code")] = OWN
    client_version: Short = None
    host_label: Annotated[Label, Field(description="The machine, as people call it")] = None
    cwd_label: Annotated[Label, Field(description="The last part of the folder")] = None
    branch: Label = None
    model: Name = None
    mode: Annotated[Short, Field(description="Whether it asks before it acts, as the program says it")] = None
    title: Name = None
    parent: Annotated[Label, Field(description="The external_id of the session that started this one")] = None


class ActivityGiven(Body):
    """Something that you did or begin to do."""

    model_config = example(key="17", kind="TOOL_CALL_END", state="ok", detail={"tool": "bash", "command": "pytest"})

    key: Annotated[Label, Field(description="Reported again, it is stored once. Left out: by its content")] = None
    at: Annotated[Moment | None, Field(description="When it happened; left out: now")] = None
    kind: Annotated[
        NonEmptyStr,
        Field(
            max_length=32,
            description="TOOL_CALL_START and _END, STEP_STARTED and _FINISHED, RUN_STARTED, RUN_FINISHED, RUN_ERROR,"
            " TEXT_MESSAGE_END, or a word of your own",
        ),
    ] = "ACTIVITY"
    title: Annotated[
        str | None, Field(max_length=2_000, description="One plain line; left out: made of kind and detail")
    ] = None
    state: Literal["ok", "failed", "refused"] | None = None
    ref: Annotated[Label, Field(description="The same at the beginning and the end of one call")] = None
    detail: Annotated[
        dict[str, JsonValue] | None, Field(description="tool, command, path, error, seconds and others; cut at 4 KB")
    ] = None


class StepGiven(Body):
    """A step of your plan."""

    text: Annotated[NonEmptyStr, Field(max_length=500)]
    state: StepState = "pending"
    key: Annotated[Short, Field(description="How your program calls the step")] = None


class WindowGiven(Body):
    """How much of your program's subscription is used up in a span of time."""

    name: Annotated[NonEmptyStr, Field(max_length=64, description="The span, such as: 5 hours, week")]
    used_percent: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
    resets_at: Annotated[Moment | None, Field(description="When it begins anew")] = None


class ReportCreate(Body):
    """What you did since your last report, what you plan, and what you used."""

    model_config = example(
        items=[{"key": "t1", "title": "Ran the tests", "state": "ok"}],
        plan=[{"text": "Find the cause", "state": "completed"}, {"text": "Fix it", "state": "in_progress"}],
        usage=[{"key": "req_1", "input_tokens": 5200, "output_tokens": 300, "cost_usd": "0.02"}],
    )

    session: Annotated[
        SessionGiven | None,
        Field(
            description="Left out: that of your program, if that tells of itself, else one for each of your attempts"
            " at tasks, and one for what you do beside them"
        ),
    ] = None
    task_id: Annotated[UUID | None, Field(description="Which of your tasks; left out: the only one")] = None
    fence: Annotated[int | None, Field(ge=1, lt=2**31)] = None
    items: list[ActivityGiven] = Field(default_factory=list, max_length=MOST_ITEMS)
    plan: Annotated[list[StepGiven] | None, Field(max_length=MOST_STEPS, description="All of it, each time")] = None
    usage: Annotated[
        list[RequestUsage],
        BeforeValidator(lambda usage: [usage] if isinstance(usage, dict) else usage),
        Field(max_length=MOST_REQUESTS, description="One for each request to your model, or one for several"),
    ] = Field(default_factory=list)
    windows: Annotated[
        list[WindowGiven] | None,
        Field(max_length=MOST_WINDOWS, description="Of your program's subscription, all of them; left out: not known"),
    ] = None
    state: Annotated[
        ReportedState | None,
        Field(description="Left out: as the activities say. `waiting`: for somebody at the keyboard"),
    ] = None
    ended: Annotated[bool, Field(description="The session ends with this report")] = False
    end_reason: Name = None


class StepChange(NamedTuple):
    """A change of the step of a plan that a program calls so; without a text of one that is there."""

    key: str
    text: str | None = None
    state: StepState | None = None
    is_gone: bool = False


class Past(NamedTuple):
    """When the first and the last of something happened that is reported late."""

    began: datetime
    ended: datetime


class HookReport(ReportCreate):
    """What the hooks of a program said, which tells of single steps of its plan.

    `keeps_state`: nothing in it says whether the session works; without activities it is no sign of the session
    either. `is_check`: it comes of a look at whether the connection works. `past`: when the first and the last of
    it happened, if all of it comes late.
    """

    steps: list[StepChange] = Field(default_factory=list)
    keeps_state: bool = False
    is_check: bool = False
    past: Past | None = None

    @classmethod
    def of(cls, report: ReportCreate) -> "HookReport":
        return report if isinstance(report, HookReport) else cls.model_construct(**dict(report))


class ReportRead(Schema):
    """What was stored, and whether to go on."""

    session_id: UUID
    stored: Annotated[int, Field(description="How many of the activities were new")]
    directive: Literal["continue", "pause", "stop"]
    directive_reason: str | None


class Reported(NamedTuple):
    """The session of a report, the run that it serves, and how many activities were new."""

    session: AgentSession
    run: Run | None
    stored: int


# What a report changes of a session; the first are as the program says.
FACTS = ("client_version", "host_label", "cwd_label", "branch", "model", "mode", "title")
CHANGED = (
    *(*FACTS, *USED, "usage_windows", "doing", "doing_at", "doing_ref", "failures", "failing"),
    *(*ENDED, "is_check", "run_id", "task_id", "parent_id", "last_seen_at", "plan", "seq"),
)


@command("session.report")
async def report(actor: Actor, agent_id: UUID, agent: Agent, data: ReportCreate) -> Reported:
    """Store what an agent reports: each activity and each request once, all together, and without an event of each.

    The session is locked first, then its run, the budgets and the log.
    """
    if agent.board_id is None:
        raise Forbidden("An agent without a board has no sessions here.")
    reported = HookReport.of(data)
    run = await _run_of(agent, reported)
    session, is_new = await _session_of(actor, agent, run, reported)
    before = {name: getattr(session, name) for name in CHANGED}
    run = await _served(session, run, reported, is_new=is_new)
    _begin(agent, session, reported, is_new=is_new)
    await _describe(session, run, reported)
    new = await insert_new(_activities(session, reported.items))
    _apply(session, reported, new, is_new=is_new)
    if run is not None and before["run_id"] != run.id and session.client != OWN:
        await take_up(session, run)
    if reported.usage:
        await count_used(actor, session, reported.usage, run, reported.task_id, is_said=reported.session is None)
    if reported.ended:
        await end(agent.organization_id, session, reported.end_reason, reported.past and reported.past.ended)
    if changed := [name for name in CHANGED if getattr(session, name) != before[name]]:
        await update(session, *changed)
    return Reported(session, run, len(new))


async def _served(session: AgentSession, run: Run | None, data: HookReport, *, is_new: bool) -> Run | None:
    """The run that a report is about: where it names no task that of its session, of a check none."""
    if session.is_check or (data.is_check and is_new):
        session.is_check, session.title = True, CHECK_TITLE
        return None
    return await run_served(session) if run is None and data.task_id is None else run


async def _run_of(agent: Agent, data: HookReport) -> Run | None:
    """Return the run of the task that a report names, else the only one in which the agent works.

    A run that began because people put a session to its task is that session's alone.
    """
    if data.is_check:
        return None
    if data.task_id is not None:
        return await reported_run(agent, data.task_id, data.fence)
    alone = f"agent_id = ? AND ended_at IS NULL AND parked_at IS NULL AND NOT {IS_ATTACHED} LIMIT 2"
    runs = await find_all(Run, alone, agent.id)
    return runs[0] if len(runs) == 1 else None


NAMED = "agent_id = ? AND board_id = ? AND client = ? AND external_id = ?"


async def _session_of(actor: Actor, agent: Agent, run: Run | None, data: HookReport) -> tuple[AgentSession, bool]:
    """Return the session of a report, locked, and whether it was made now."""
    own = data.session or SessionGiven(external_id=str(run.id) if run is not None else WITHOUT_RUN)
    if data.session is None and (session := await open_session(actor, agent.id, agent.board_id, run)) is not None:
        return session, False
    named = agent.id, agent.board_id, own.client, own.external_id
    if (session := await find(AgentSession, NAMED, *named, lock=True)) is not None:
        return session, False
    now, connection = data.past.began if data.past else times.clock_now(), await connection_of(actor)
    made = AgentSession(
        board_id=agent.board_id, agent_id=agent.id, agent_name=agent.name, gateway_id=agent.gateway_id,
        connection_id=connection.id if connection is not None else None,
        host_label=connection.host_label if connection is not None else None, client=own.client,
        external_id=own.external_id, **dict.fromkeys(("started_at", "last_seen_at", "state_at"), now),
    )  # fmt: skip
    try:
        async with in_transaction():
            await insert(made)
    except IntegrityError:  # another report of it came first
        return await existing(find(AgentSession, NAMED, *named, lock=True)), False
    return made, True


def _begin(agent: Agent, session: AgentSession, data: HookReport, *, is_new: bool) -> None:
    """Record that a session began, or that one goes on which had ended."""
    if is_new or (session.ended_at is not None and (data.items or not data.keeps_state)):
        message = f"{agent.name} {'began' if is_new else 'went on with'} a session."
        record("session.started", scope_of(agent.organization_id, session), message, client=session.client)
        session.ended_at = session.end_reason = session.digest = None


async def _describe(session: AgentSession, run: Run | None, data: HookReport) -> None:
    session.last_seen_at = max(session.last_seen_at, data.past.ended) if data.past else times.clock_now()
    if run is not None:
        session.run_id, session.task_id = run.id, run.task_id
    if data.windows is not None:
        session.usage_windows = [_window(window, session.last_seen_at) for window in data.windows] or None
    _plan(session, data)
    if data.session is not None:
        await _describe_program(session, data.session)


def _plan(session: AgentSession, data: HookReport) -> None:
    if data.plan is not None:
        session.plan = [_step(step) for step in data.plan]
    if data.steps:
        session.plan = _with_changes(session.plan or [], data.steps) or session.plan


async def _describe_program(session: AgentSession, own: SessionGiven) -> None:
    for name in FACTS:
        if (value := getattr(own, name)) is not None:
            setattr(session, name, one_line(value, 255) if name != "title" else one_line(value))
    if own.parent is not None:
        parent = await find(AgentSession, NAMED, session.agent_id, session.board_id, session.client, own.parent)
        session.parent_id = parent.id if parent is not None and parent.id != session.id else None


def _step(reported: StepGiven) -> dict[str, str]:
    step = {"text": one_line(reported.text, 500), "state": reported.state}
    return step | {"key": reported.key} if reported.key else step


def _with_changes(plan: Sequence[dict[str, str]], changes: Sequence[StepChange]) -> list[dict[str, str]]:
    steps = {step.get("key") or f"#{place}": step for place, step in enumerate(plan)}
    for change in changes:
        before = steps.get(change.key, {"text": "", "state": "pending"})
        text = one_line(change.text, 500) if change.text else before["text"]
        if change.is_gone:
            steps.pop(change.key, None)
        elif change.key in steps or change.text:
            steps[change.key] = {"text": text, "state": change.state or before["state"], "key": change.key}
    return list(steps.values())[:MOST_STEPS]


def _window(window: WindowGiven, at: datetime) -> Row:
    resets = wire(window.resets_at) if window.resets_at is not None else None
    used = round(window.used_percent)
    return {"name": one_line(window.name), "used_percent": used, "resets_at": resets, "at": wire(at)}


def _activities(session: AgentSession, items: Sequence[ActivityGiven]) -> list[Activity]:
    """Return rows of the items, numbered in their order; of two with one key the first."""
    now, made = times.clock_now(), dict[UUID, Activity]()
    for item in items:
        key = item.key or hashlib.sha256(f"{now:%Y%m%d%H%M}{item.model_dump_json()}".encode()).hexdigest()
        kind, detail = item.kind.upper(), item.detail or {}
        activity = Activity(
            id=uuid5(session.id, key), session_id=session.id, seq=session.seq + len(made) + 1, run_id=session.run_id,
            at=min(max(item.at or now, now - OLDEST), now), kind=kind,
            title=title_of(kind, item.title, item.state, detail), state=item.state, ref=item.ref,
            detail=_fitted(detail) or None,
        )  # fmt: skip
        made.setdefault(activity.id, activity)
    return list(made.values())


def _fitted(detail: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Hide secrets in a detail, and cut it where it is longer than 4 KB."""
    fitted: dict[str, JsonValue] = MASK.value(detail)
    if len(orjson.dumps(fitted)) > DETAIL_BYTES:
        fitted = {name: _cut(it, LONGEST_VALUE) if isinstance(it, str) else it for name, it in fitted.items()}
    if len(text := orjson.dumps(fitted)) > DETAIL_BYTES:
        fitted = {"text": _cut(text.decode(), LONGEST_REST)}
    return fitted


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _apply(session: AgentSession, data: HookReport, new: Sequence[Activity], *, is_new: bool) -> None:
    """Set what the session does now, and its state, by the activities that are new."""
    state = session.state
    for activity in new:
        session.seq = activity.seq
        if activity.kind == GAP:
            continue  # which is nothing that it did
        _note_failure(session, activity)
        state = "idle" if activity.kind in ("RUN_FINISHED", "RUN_ERROR") else "working"
        _note_doing(session, activity, is_turn_over=state == "idle")
    state = data.state or ("working" if state == "lost" else state)
    if state != session.state and (is_new or not data.keeps_state):
        session.state, session.state_at = state, session.last_seen_at


def _note_doing(session: AgentSession, activity: Activity, *, is_turn_over: bool) -> None:
    is_end = ends(activity.kind) or not begins(activity.kind)
    goes_on = not session.is_doing_over and session.doing_ref not in (None, activity.ref)
    if is_end and goes_on and not is_turn_over:
        return  # of several calls at once another one has not ended
    session.doing, session.doing_at, session.doing_ref = activity.title, activity.at, activity.ref
    session.is_doing_over = is_end


def _note_failure(session: AgentSession, activity: Activity) -> None:
    if activity.state == "failed" or activity.kind == "RUN_ERROR":
        failure = failure_of(activity.title, activity.detail or {})
        is_again = session.failing is not None and is_same(failure, session.failing)
        session.failures, session.failing = session.failures + 1 if is_again else 1, failure
    elif ends(activity.kind) and session.failing is not None and is_of_same_call(activity.title, session.failing):
        session.failures, session.failing = 0, None


async def directive_for(agent: Agent, session: AgentSession, run: Run | None) -> Directive:
    """Return what an agent should do after a report: stop too when its run is over, or its session was stopped."""
    directive = await directive_of(agent)
    if directive.directive == "stop":
        return directive
    if run is not None and run.state in ("released", "expired", "superseded"):
        return Directive("stop", f"This task is no longer yours. {(run.end_reason or run.state).rstrip('.')}.")
    if session.stopped_at is not None and session.stop_reason is not None:
        if await rows(f"SELECT 1 AS one FROM agent_sessions s WHERE s.id = ? AND {IS_STOPPED}", session.id):
            return Directive("stop", session.stop_reason)
    return directive
