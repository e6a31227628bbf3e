"""Say how far long work is, from inside of it."""

import asyncio
from contextvars import ContextVar
from uuid import UUID

from mission_control.core import clock
from mission_control.jobs.models import Job
from mission_control.live.wake import publish_signal

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
        values = {"step": self._step, "done": self._done, "total": self._total, "updated_at": clock.now()}
        await Job.filter(id=self.job_id, state="running").update(**values)
        await publish_signal(self._organization_id, **self._news)


def use(progress: Progress) -> None:
    """Let the running task, and what it starts, say how far it is by `step` and `advance`."""
    _current.set(progress)


async def step(text: str, total: int | None = None) -> None:
    """Begin a step of the job that runs; a no-op where none does."""
    if (progress := _current.get()) is not None:
        await progress.step(text, total)


async def advance(number: int = 1) -> None:
    """Count what is done of the present step; a no-op where no job runs."""
    if (progress := _current.get()) is not None:
        await progress.advance(number)
