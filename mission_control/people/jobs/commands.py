"""Jobs: long work beside requests that a person started and may leave."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal
from uuid import UUID

from pydantic import Field
from tortoise.expressions import Case, Q, When
from tortoise.queryset import QuerySet

from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import Conflict, DomainError, existing
from mission_control.core.values import Paging, Schema, new_id
from mission_control.events import wakeup_channels
from mission_control.events.commands import atomically, command
from mission_control.events.reader_wakeups import publish_signal
from mission_control.events.unit_of_work import signal
from mission_control.http.registry import lookup
from mission_control.http.retries import committed
from mission_control.people.models import Job

State = Literal["running", "done", "failed", "interrupted"]
Kind = Literal[
    "board_import", "board_erasure", "pack_sync", "template_sync", "agent_setup", "audit_check", "gateway_removal"
]

# What came of these, when it went well, stands on the pages of what they are about, or nothing is left to look at.
SHOWN_ELSEWHERE: frozenset[Kind] = frozenset(
    {"board_erasure", "template_sync", "agent_setup", "audit_check", "gateway_removal"}
)


class JobResult(Schema):
    """What long work led to: a sentence, where to look, and what was noted on the way."""

    summary: str
    url: str | None = None
    details: list[str] = Field(default_factory=list)
    problems: list[str] = Field(default_factory=list)


def waits_to_be_read(kind: str, state: str, result: JobResult | None) -> bool:
    """Return whether somebody is to look at how a job ended: a failure, a problem, or a result shown nowhere else."""
    return kind not in SHOWN_ELSEWHERE or state != "done" or bool(result and result.problems)


class JobRead(Schema):
    """Long work: how far it is, and what it led to. `done` of `total` counts the present step."""

    id: UUID
    kind: Kind
    title: str
    state: State
    step: str
    done: int
    total: int | None
    result: JobResult | None
    error: str | None
    started_by: UUID | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    read_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobRead":
        fields = {name: getattr(job, name) for name in cls.model_fields if name != "started_by"}
        return cls(started_by=job.user_id, **fields)


class JobsQuery(Paging):
    """Which jobs: those in a state, and with `unread` those whose result nobody has read."""

    state: State | None = None
    unread: bool = False


class JobsRead(Schema):
    """How many results were marked as read."""

    read: int


NEWS_FOR = timedelta(minutes=5)
AT_MOST = 50


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    jobs = Job.filter(organization_id=actor.organization_id)
    return jobs if actor.administers(actor.organization_id) else jobs.filter(user_id=actor.user_id)


@lookup
async def visible_job(actor: Actor, job_id: UUID) -> Job:
    """Return a job of the active organization that somebody may read. Otherwise: NotFound."""
    return await existing(visible_jobs(actor).get_or_none(id=job_id), "There is no such job.")


async def list_jobs(actor: Actor, query: JobsQuery) -> tuple[list[Job], int]:
    """Return a page of jobs, those that run first, then what ended last; and how many there are."""
    jobs = visible_jobs(actor)
    if query.state is not None:
        jobs = jobs.filter(state=query.state)
    if query.unread:
        jobs = jobs.filter(read_at=None).exclude(state="running")
    in_order = jobs.annotate(runs=Case(When(state="running", then="1"), default="0"))
    in_order = in_order.order_by("-runs", "-finished_at", "-created_at", "-id")
    return await in_order.offset(query.offset).limit(query.limit), await jobs.count()


@dataclass(frozen=True, slots=True)
class Own:
    """The jobs of one person that the shell speaks of: what runs, whose results wait, and what ended a moment ago."""

    running: tuple[Job, ...]
    finished: tuple[Job, ...]
    just_ended: tuple[Job, ...]


async def own_jobs(actor: Actor) -> Own:
    """Return a person's jobs: first those whose results will wait to be read, then what began or ended last."""
    recent = times.clock_now() - NEWS_FOR
    mine = Job.filter(organization_id=actor.organization_id, user_id=actor.user_id)
    jobs = await mine.filter(Q(read_at=None) | Q(read_at__gt=recent)).order_by("-updated_at").limit(AT_MOST)
    running = [job for job in jobs if job.is_running]
    running.sort(key=lambda job: (job.kind not in SHOWN_ELSEWHERE, job.created_at), reverse=True)
    ended = sorted((job for job in jobs if not job.is_running), key=lambda job: job.finished_at, reverse=True)
    return Own(
        tuple(running),
        tuple(job for job in ended if job.read_at is None),
        tuple(job for job in ended if job.finished_at > recent and not _was_looked_at(job)),
    )


def _was_looked_at(job: Job) -> bool:
    """Return whether a result was read after the end; one that is shown elsewhere counts as read at the end."""
    return job.read_at is not None and job.read_at > job.finished_at


SECONDS_BETWEEN = 0.25  # at least, between two notes of the same step

_current: ContextVar["Progress | None"] = ContextVar("job_progress", default=None)


class Progress:
    """How far one job is. Steps are stored at once, what is counted in them a few times a second.

    `user_id` is who started it, whose pages speak of it wherever they are.
    """

    def __init__(self, job_id: UUID, organization_id: UUID, user_id: UUID | None = None) -> None:
        self.job_id = job_id
        self._organization_id = organization_id
        self._news = {"job_id": str(job_id)} | ({} if user_id is None else {"job_of": str(user_id)})
        self._step, self._done = "", 0
        self._total: int | None = None
        self._stored_at = 0.0

    async def step(self, text: str, total: int | None = None) -> None:
        """Begin a step; `total` is how much it has to do."""
        self._step, self._done, self._total = text, 0, total
        await self._store()

    async def advance(self, number: int = 1) -> None:
        """Count what is done of the present step."""
        self._done += number
        if asyncio.get_running_loop().time() - self._stored_at >= SECONDS_BETWEEN:
            await self._store()

    async def _store(self) -> None:
        self._stored_at = asyncio.get_running_loop().time()
        values = {"step": self._step, "done": self._done, "total": self._total, "updated_at": times.clock_now()}
        await Job.filter(id=self.job_id, state="running").update(**values)
        await publish_signal(self._organization_id, **self._news)


async def step(text: str, total: int | None = None) -> None:
    """Begin a step of the job that runs; a no-op where none does."""
    if (progress := _current.get()) is not None:
        await progress.step(text, total)


async def advance(number: int = 1) -> None:
    """Count what is done of the present step; a no-op where no job runs."""
    if (progress := _current.get()) is not None:
        await progress.advance(number)


SOON_SECONDS, LOOK_SECONDS = 2.0, 0.05
UNTOUCHED = timedelta(minutes=1)
KEPT_FOR = timedelta(days=30)
INTERRUPTED = "The server stopped while this ran. Start it again."
ERASED_LATER = "The server stopped while this ran. The rest is deleted by the next one that runs."
BROKEN = "Something went wrong here. The server's log has the details, under the id of this job."

Work = Callable[[], Awaitable[JobResult]]
Claim = Callable[[UUID], Awaitable[None]]

_log = logging.getLogger(__name__)
_waiting: deque[tuple[UUID, Actor, Work]] = deque()


async def start(
    actor: Actor, kind: Kind, title: str, work: Work, *, claim: Claim | None = None, about_id: UUID | None = None
) -> JobRead:
    """Store a job and work on it beside the request. Return it as it is at its beginning.

    `claim` is called with the job's id in the transaction that stores it, and may refuse it.
    """
    job_id = new_id()

    async def create() -> JobRead:
        if claim is not None:
            await claim(job_id)
        values = {"runner": wakeup_channels.PROCESS, "about_id": about_id}
        return JobRead.of(await keep(actor.organization_id, actor.user_id, kind, title, job_id=job_id, **values))

    job = await committed(actor, lambda: atomically(actor, create))
    assert job is not None
    _waiting.append((job.id, actor, work))
    JOBS.wake()
    return job


async def keep(
    organization_id: UUID, user_id: UUID | None, kind: Kind, title: str, *, job_id: UUID, **values: object
) -> Job:
    """Inside a command: store a job, and forget those that ended long ago.

    Without a `runner` its state is kept elsewhere, and the feature that keeps it updates this row.
    """
    await Job.filter(organization_id=organization_id, finished_at__lt=times.clock_now() - KEPT_FOR).delete()
    ours = {"id": job_id, "organization_id": organization_id, "user_id": user_id, "kind": kind, "title": title}
    job = Job(**{"step": "Waiting to begin", **ours, **values})
    await job.save(force_create=True)
    signal(organization_id, job_id=str(job_id))
    return job


async def look() -> None:
    """Begin the jobs that this process was asked for, touch those that it works on, and end those of dead processes."""
    working = [UUID(task.get_name()) for task in JOBS.tasks]
    while _waiting:
        job_id, actor, work = _waiting.popleft()
        JOBS.begin(work_on(job_id, actor.organization_id, work, actor.user_id), str(job_id))
    if working:
        await Job.filter(id__in=working, state="running").update(updated_at=times.clock_now())
    await interrupt_abandoned()


async def work_on(job_id: UUID, organization_id: UUID, work: Work, user_id: UUID | None = None) -> None:
    """Work on a job of somebody and store how it ended."""
    _current.set(Progress(job_id, organization_id, user_id))
    try:
        result = await work()
    except asyncio.CancelledError:
        await end(job_id, organization_id, "interrupted")
        raise
    except DomainError as error:
        await end(job_id, organization_id, "failed", error=error.sentence)
    except Exception:
        _log.exception("a job failed", extra={"job_id": str(job_id)})
        await end(job_id, organization_id, "failed", error=BROKEN)
    else:
        await end(job_id, organization_id, "done", result=result)


async def ended_soon(job_id: UUID) -> None:
    """Wait a moment for a job that may be short, so that its page can show how it ended without a stream."""
    for _ in range(int(SOON_SECONDS / LOOK_SECONDS)):
        if not await Job.filter(id=job_id, state="running").exists():
            return
        await asyncio.sleep(LOOK_SECONDS)


async def end(
    job_id: UUID, organization_id: UUID, state: str, *, result: JobResult | None = None, error: str | None = None
) -> None:
    """Store how a running job ended, and tell the pages that show it."""
    job = await Job.get_or_none(id=job_id)
    if job is None:  # with its organization
        return
    now = times.clock_now()
    if state == "interrupted":
        error = ERASED_LATER if job.kind == "board_erasure" else INTERRUPTED
    values = {"state": state, "error": error, "step": "", "updated_at": now, "finished_at": now}
    values["read_at"] = None if waits_to_be_read(job.kind, state, result) else now
    stored = None if result is None else result.model_dump()
    if await Job.filter(id=job_id, state="running").update(**values, result=stored):
        await publish_signal(organization_id, job_id=str(job_id))


async def interrupt_abandoned(*, everything: bool = False) -> None:
    """Say of jobs whose process is gone that they were interrupted."""
    abandoned = Job.filter(state="running", runner__isnull=False)
    for job in await (abandoned if everything else abandoned.filter(updated_at__lt=times.clock_now() - UNTOUCHED)):
        await end(job.id, job.organization_id, "interrupted")


JOBS = Loop(
    name="looking after jobs", look=look, pause=10.0, channel="jobs",
    take_over=partial(interrupt_abandoned, everything=True),
)  # fmt: skip


@command("job.acknowledge")
async def acknowledge(actor: Actor, job: Job) -> Job:
    """Mark a job's result as read; a no-op when it was. Raise Conflict while it runs."""
    job = await Job.select_for_update().get(id=job.id)
    if job.is_running:
        raise Conflict("It still runs. Its result can be read when it has ended.")
    if job.read_at is None:
        job.read_at = times.clock_now()
        await job.save(update_fields=["read_at"])
        signal(job.organization_id, job_id=str(job.id))
    return job


@command("job.list")
async def acknowledge_all(actor: Actor) -> int:
    """Mark all results of a person's own jobs as read. Return how many."""
    mine = visible_jobs(actor).filter(user_id=actor.user_id, read_at=None).exclude(state="running")
    read: int = await mine.update(read_at=times.clock_now())
    if read:
        signal(actor.organization_id, job_id="")
    return read


@rule("job.list")
def may_list_jobs(actor: Actor, thing: object) -> bool:
    """People: their own jobs, and owners and admins all of the organization's."""
    return actor.is_user


@rule("job.read", "job.acknowledge")
def may_read_job(actor: Actor, job: Job) -> bool:
    """Who started it, and owners and admins of its organization."""
    return actor.is_user and (job.user_id == actor.user_id or actor.administers(job.organization_id))
