"""Read claims and runs: who may claim, shapes, and statements."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypedDict
from uuid import UUID

from pydantic import AfterValidator, AnyUrl, Field, StringConstraints, UrlConstraints

from mission_control.agents.models import Agent
from mission_control.agents.usage.schemas import UsageFigures
from mission_control.approvals.schemas import ApprovalRead
from mission_control.boards.forge_states import ForgeReport, HandIn, reports_of
from mission_control.boards.models import Board
from mission_control.boards.parking import HOLD_UNTIL, Resume
from mission_control.boards.queries import on_readable_boards
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.amounts import MICROS
from mission_control.core.errors import ErrorCode, NotFound
from mission_control.core.programs import Client
from mission_control.core.values import BlankToNone, Body, NonEmptyStr, OkResponse, Paging, Schema, example
from mission_control.database.sql import Row, as_json, placeholders, rows, wire_moment
from mission_control.runs.claims.briefing import BriefRead
from mission_control.tasks.models import Task
from mission_control.tasks.schemas import TaskRead
from mission_control.tasks.waiting import WaitingReason

LEASE_SECONDS, LONGEST_LEASE_SECONDS = 900, 86_400
LONGEST_WAIT_SECONDS = 50

Fence = Annotated[int, Field(ge=0, lt=2**31, description="The number of the assignment, as the claim returned it")]
LeaseSeconds = Annotated[int, Field(ge=1, le=LONGEST_LEASE_SECONDS, description="How long the lease lasts from now")]
Reason = Annotated[
    Annotated[str, Field(max_length=2_000)] | None, BlankToNone, Field(description="Why it is given back")
]


class ClaimCreate(Body):
    """What kind of work is wanted, for how long, and how long to wait for it."""

    model_config = example(wait_seconds=50, lease_seconds=900)

    task_id: Annotated[UUID | None, Field(description="This task and no other; it is not waited for")] = None
    tags: Annotated[
        list[Annotated[NonEmptyStr, Field(max_length=255)]] | None,
        Field(max_length=50, description="Only tasks with any of these tags, given by slug or id"),
    ] = None
    lease_seconds: LeaseSeconds = LEASE_SECONDS
    wait_seconds: Annotated[
        int, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="How long to wait for work when there is none")
    ] = 0
    places: Annotated[
        int, Field(ge=1, le=100, description="How many tasks you would begin now; people see it while you wait")
    ] = 1
    program: Annotated[
        Client | None, Field(description="Which program does the work; left out: that of your connection")
    ] = None


class LeaseRead(TypedDict):
    """An assignment: send `fence` with every write of the task, and extend before `expires_at`."""

    fence: int
    expires_at: datetime


class ClaimReason(Schema):
    """Why no work may begin: a pause or a used-up budget."""

    code: ErrorCode
    message: str


class ClaimRead(BriefRead):
    """The assigned task, its lease and its brief; without work null, and no brief."""

    task: TaskRead | None
    lease: LeaseRead | None
    reason: Annotated[
        ClaimReason | None, Field(description="Why no work began in all the time that was waited; null: there was none")
    ] = None


class LeaseExtend(Body):
    """Until when a lease is needed, counted from now."""

    model_config = example(fence=3, lease_seconds=900)

    fence: Fence
    lease_seconds: LeaseSeconds = LEASE_SECONDS


class LeaseExtended(Schema):
    """A lease with its new end."""

    lease: LeaseRead


class RunPark(Body):
    """Which run is to wait, and for what."""

    model_config = example(fence=3, resume="any")

    fence: Fence
    resume: Resume = "all"


class RunParked(Schema):
    """Whether the run waits now."""

    is_parked: Annotated[bool, Field(description="False: all that you asked is settled; read the answers and go on")]


class LeaseRelease(Body):
    """Which assignment is released, and why; in the body or in the address."""

    model_config = example(fence=3, reason="The repository is not there.")

    fence: Fence | None = None
    reason: Reason = None
    rests: Annotated[
        bool,
        Field(
            description="You are offered it again after ten minutes; false: at once, because it was not begun,"
            " and nobody is notified"
        ),
    ] = True


class LeaseReleased(OkResponse):
    """The task is in the inbox: others get it at once, you by yourself after ten minutes, or by its name."""

    closed: Annotated[list[str], Field(description="What you had asked about it, and nobody had answered")]


LONGEST_URL = 2000
MOST_EVIDENCE, MOST_ARTIFACTS = 50, 20


def _fits(url: AnyUrl) -> AnyUrl:
    """An address is longer written out: with its last slash and everything escaped."""
    if len(str(url)) > LONGEST_URL:
        raise ValueError(f"written out, an address has at most {LONGEST_URL} characters")
    return url


def _is_base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("the content is not base64") from None
    return text


HttpUrl = Annotated[
    AnyUrl, UrlConstraints(max_length=LONGEST_URL, allowed_schemes=["http", "https"]), AfterValidator(_fits)
]


class Evidence(Body):
    """A link to something that shows what was done."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None
    url: HttpUrl


class EvidenceRead(Schema):
    """A link to something that shows what was done."""

    title: str | None
    url: str


class ArtifactCreate(Body):
    """A small file that the work made."""

    name: NonEmptyStr
    content_base64: Annotated[str, AfterValidator(_is_base64)]
    content_type: str = Field(default="", max_length=255)


CommitId = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern="^[0-9a-fA-F]{7,64}$")]
LONGEST_DIFF, LONGEST_OUTPUT, MOST_COMMITS = 1_000_000, 200_000, 100


class Commit(Body):
    """A commit of the work."""

    id: CommitId
    title: Annotated[str, Field(max_length=500)] = ""
    url: HttpUrl | None = None


class CheckRun(Body):
    """A command that checks work, such as its tests, and how it ended."""

    command: Annotated[str, Field(max_length=2000, description="The command, as a shell takes it")]
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31, description="0 when it passed; below 0, the signal")]
    commit: Annotated[
        CommitId | None,
        Field(description="The commit on which it ran, with nothing beside it; green is that of `head`"),
    ] = None


Figure = Annotated[int, Field(ge=0, lt=2**31)]


class Code(Body):
    """Where in a repository the work is."""

    base: Annotated[CommitId | None, Field(description="The commit that the work began with")] = None
    head: Annotated[CommitId | None, Field(description="Its last commit; who approves, approves this one")] = None
    branch: Annotated[Annotated[str, Field(max_length=255)] | None, Field(description="The branch that it is on")] = (
        None
    )
    pull_request: Annotated[HttpUrl | None, Field(description="Its pull or merge request")] = None
    commits: Annotated[list[Commit], Field(max_length=MOST_COMMITS, description="From the first to the last")] = []
    check: Annotated[CheckRun | None, Field(description="The command that checked it, and how that ended")] = None
    files: Annotated[Figure | None, Field(description="How many files it changes; left out: as the diff says")] = None
    added: Annotated[Figure | None, Field(description="How many lines it adds")] = None
    removed: Annotated[Figure | None, Field(description="How many lines it removes")] = None


class CodeCreate(Code):
    """What changed in a repository: the commits, the diff, and what the tests printed."""

    diff: Annotated[
        str, Field(max_length=LONGEST_DIFF, description="A unified diff, as git makes it; people see it by file")
    ] = ""
    tests: Annotated[str, Field(max_length=LONGEST_OUTPUT, description="What the tests printed")] = ""


class CodeRead(Code):
    """What changed in a repository; its diff and the output of its tests are files of the task."""

    diff_id: Annotated[UUID | None, Field(description="The file with the diff")]
    diff_sha256: Annotated[str | None, Field(description="The SHA-256 of the diff, in hexadecimal digits")]
    tests_id: Annotated[UUID | None, Field(description="The file with what the tests printed")]
    reported: Annotated[ForgeReport | None, Field(description="What became of it, as its forge told")]


class CompletionCreate(UsageFigures):
    """What a worker hands in: what it did, what shows it, and what it used up."""

    model_config = example(
        fence=3,
        summary="The login works on Safari again; the cookie had no SameSite.",
        checked="Signed in on Safari 18 and Firefox 143; all 214 tests pass.",
        evidence=[{"title": "CI", "url": "https://ci.example.org/214"}],
        input_tokens=5200,
        output_tokens=800,
        cost_usd=0.04,
    )

    fence: Fence
    summary: Annotated[NonEmptyStr, Field(max_length=100_000)]
    checked: Annotated[
        str | None, Field(max_length=10_000, description="What was checked, against which criterion, and how; Markdown")
    ] = None
    status: Annotated[
        Literal["review", "done"] | None,
        Field(
            description="Where the task goes. Left out: review when the board requires a review or has a lead; else"
            " done. Where the board requires an approval that was not given, it waits in review and people are asked"
        ),
    ] = None
    confidence: Annotated[
        float | None, Field(ge=0, le=100, description="How sure you are that it is finished, in percent; people see it")
    ] = None
    evidence: list[Evidence] = Field(default_factory=list, max_length=MOST_EVIDENCE)
    artifacts: list[ArtifactCreate] = Field(default_factory=list, max_length=MOST_ARTIFACTS)
    code: Annotated[CodeCreate | None, Field(description="What changed in a repository")] = None


class ArtifactRead(Schema):
    """A file that a run handed in; it is one of the task's attachments."""

    id: UUID
    name: str
    size: int
    content_type: str


class RunRead(Schema):
    """One agent's attempt at a task, from assignment to end."""

    id: UUID
    task_id: UUID
    board_id: UUID
    agent_id: UUID | None
    agent_name: str
    fence: int
    state: Literal["running", "waiting", "completed", "released", "expired", "superseded"]
    started_at: datetime
    lease_expires_at: datetime | None
    parked_at: Annotated[datetime | None, Field(description="Since when it waits for people, without a lease")]
    ready_at: Annotated[datetime | None, Field(description="Since when its agent may go on: all it asked is settled")]
    waits_until: Annotated[
        datetime | None, Field(description="When the worker that keeps it goes on, where its program may not go on now")
    ]
    ended_at: datetime | None
    notified_at: Annotated[datetime | None, Field(description="When its agent was told that a person stopped it")]
    end_reason: str | None
    summary: str | None
    checked: str | None
    evidence: list[EvidenceRead]
    artifacts: list[ArtifactRead]
    code: Annotated[CodeRead | None, Field(description="What changed in a repository")]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    written_tokens: int
    unpriced_tokens: int
    gaps: int
    cost_usd: float


class AgentRunRead(RunRead):
    """An attempt as the page of its agent shows it."""

    task_number: int
    task_title: str


class CompletionRead(Schema):
    """A task that was handed in, the run that ended with it, and the approval that it waits for, if any."""

    task: TaskRead
    run: RunRead
    approval: Annotated[ApprovalRead | None, Field(description="What people have to decide before it is done")]


class TaskWaitingRead(Schema):
    """What a task waits for; nothing when it is done."""

    task_id: UUID
    reasons: list[WaitingReason]


MOMENTS = ("started_at", "lease_expires_at", "parked_at", "ready_at", "waits_until", "ended_at", "notified_at")
COLUMNS = (
    "r.id, r.task_id, r.board_id, r.agent_id, r.agent_name, r.fence, CASE WHEN r.ended_at IS NULL AND r.parked_at"
    " IS NOT NULL THEN 'waiting' ELSE r.state END AS state, r.started_at, r.lease_expires_at, r.parked_at, r.ready_at,"
    " (SELECT COALESCE(d.offered_at, d.sent_at) FROM deliveries d WHERE d.id = r.id) AS notified_at,"
    f" (SELECT {HOLD_UNTIL} FROM worker_holds wh WHERE wh.id = r.hold_id AND wh.ended_at IS NULL"
    " AND r.ended_at IS NULL) AS waits_until, r.ended_at, r.end_reason, r.summary, r.checked, r.evidence, r.code,"
    " NULL AS artifacts, r.input_tokens, r.output_tokens, r.cached_tokens, r.written_tokens, r.unpriced_tokens, r.gaps,"
    " r.cost_micros AS cost_usd"
)


async def runs_of_task(task_id: UUID, paging: Paging) -> tuple[list[Row], int]:
    return await _runs("", "FROM task_runs r WHERE r.task_id = ?", [task_id], "r.fence DESC", paging)


async def runs_of_agent(actor: Actor, agent: Agent, paging: Paging) -> tuple[list[Row], int]:
    here, boards = on_readable_boards(actor, agent.organization_id, "r.board_id")
    source = (
        "FROM task_runs r JOIN tasks t ON t.id = r.task_id JOIN boards b ON b.id = r.board_id"
        f" WHERE t.deleted_at IS NULL AND b.deleted_at IS NULL AND r.agent_id = ?{here}"
    )
    names = ", t.number AS task_number, t.title AS task_title"
    return await _runs(names, source, [agent.id, *boards], "r.started_at DESC, r.id DESC", paging)


async def _runs(names: str, source: str, values: list[UUID], order: str, paging: Paging) -> tuple[list[Row], int]:
    [total] = await rows(f"SELECT COUNT(*) AS n {source}", *values)
    sql = f"SELECT {COLUMNS}{names} {source} ORDER BY {order} LIMIT ? OFFSET ?"
    return await _serialize_runs(await rows(sql, *values, paging.limit, paging.offset)), int(total["n"])


async def run_read(run_id: UUID) -> Row:
    runs = await _serialize_runs(await rows(f"SELECT {COLUMNS} FROM task_runs r WHERE r.id = ?", run_id))
    if not runs:
        raise NotFound()
    return runs[0]


async def _serialize_runs(runs: list[Row]) -> list[Row]:
    artifacts = await _artifacts_of([row["id"] for row in runs])
    for row in runs:
        row |= {name: wire_moment(row[name]) for name in MOMENTS}
        row |= {"evidence": as_json(row["evidence"]) or [], "artifacts": artifacts.get(str(row["id"]), [])}
        row["code"] = as_json(row["code"])
        row["cost_usd"] /= MICROS
    handed = [row for row in runs if row["code"] is not None]
    codes = [HandIn(row["board_id"], row["code"], None) for row in handed]
    for row, report in zip(handed, await reports_of(codes), strict=True):
        row["code"]["reported"] = report and report.model_dump(mode="json")
    return runs


async def _artifacts_of(run_ids: Sequence[object]) -> dict[str, list[Row]]:
    sql = (
        "SELECT f.id, f.run_id, f.name, f.size, f.content_type FROM task_attachments f"
        f" WHERE f.run_id IN ({placeholders(len(run_ids))}) ORDER BY f.created_at, f.id"
    )
    artifacts: dict[str, list[Row]] = {}
    for row in await rows(sql, *run_ids) if run_ids else []:
        artifacts.setdefault(str(row.pop("run_id")), []).append(row)
    return artifacts


@rule("task.claim", "task.complete")
def may_claim(actor: Actor, thing: Board | Task) -> bool:
    """The board's workers. A lead assigns tasks and claims none. The command checks who holds a task that is done."""
    board = thing if isinstance(thing, Board) else thing.board
    return actor.is_agent and not actor.is_lead and actor.writes(board)


@rule("task.extend_lease", "task.release_lease")
def may_hold(actor: Actor, task: Task) -> bool:
    """The board's agents. The command checks under the task's lock that the agent holds it."""
    return actor.is_agent and actor.writes(task.board)


ONLY_SYSTEM = OnlySystem("task.expire_lease")


@rule("task.unflag")
def may_unflag(actor: Actor, task: Task) -> bool:
    """People with write access."""
    return actor.is_user and actor.writes(task.board)
