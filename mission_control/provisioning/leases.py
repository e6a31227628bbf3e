"""Leases of jobs: one process works on a job, and another one takes over when that has died."""

import asyncio
import logging
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from tortoise.queryset import QuerySet

from mission_control.core import clock
from mission_control.database.sql import as_moment, is_postgres, placeholders, rows
from mission_control.provisioning.models import ProvisioningJob

LEASE = timedelta(seconds=10)
DUE = "CASE WHEN j.state = 'running' THEN j.leased_until ELSE j.due_at END"
# A removal waits until nobody works on its agent, or the agent could be created after it.
READY = (
    "j.state IN ('waiting', 'running') AND g.state = 'connected' AND NOT (j.action IN ('remove', 'unlink') AND EXISTS"
    " (SELECT 1 FROM provisioning_jobs w WHERE w.state = 'running' AND w.gateway_id = j.gateway_id"
    " AND w.agent_id = j.agent_id AND w.id <> j.id))"
)

_log = logging.getLogger(__name__)


async def end_all() -> None:
    """Let the jobs of a process that has died be taken over now; for the only server of a SQLite file."""
    await rows("UPDATE provisioning_jobs SET leased_until = ? WHERE state = 'running'", clock.now())


async def lease(worker: str, gateway_ids: Collection[UUID], most: int) -> list[ProvisioningJob]:
    """Take jobs that are due on connected gateways; no two workers get the same."""
    now = clock.now()
    hold = " FOR UPDATE OF j SKIP LOCKED" if is_postgres() else ""
    found = await rows(
        "UPDATE provisioning_jobs SET state = 'running', leased_by = ?, leased_until = ?, updated_at = ? WHERE id IN"
        f" (SELECT j.id FROM provisioning_jobs j JOIN gateways g ON g.id = j.gateway_id WHERE {READY} AND {DUE} <= ?"
        f" AND j.gateway_id IN ({placeholders(len(gateway_ids))}) ORDER BY j.due_at, j.created_at"
        f" LIMIT {most}{hold}) RETURNING id",
        worker,
        now + LEASE,
        now,
        now,
        *gateway_ids,
    )
    return await ProvisioningJob.filter(id__in=[row["id"] for row in found]).order_by("created_at")


async def seconds_until_due(gateway_ids: Collection[UUID], otherwise: float) -> float:
    """Return how long to sleep until the next job is due."""
    found = await rows(
        f"SELECT MIN({DUE}) AS due FROM provisioning_jobs j JOIN gateways g ON g.id = j.gateway_id WHERE {READY}"
        f" AND j.gateway_id IN ({placeholders(len(gateway_ids))})",
        *gateway_ids,
    )
    due = as_moment(found[0]["due"])
    return otherwise if due is None else min(max((due - clock.now()).total_seconds(), 0.0), otherwise)


def held(job: ProvisioningJob) -> QuerySet[ProvisioningJob]:
    """Return the job while this worker holds it."""
    return ProvisioningJob.filter(id=job.id, state="running", leased_by=job.leased_by)


async def renew(job: ProvisioningJob) -> None:
    """Keep the lease of a job, until cancelled."""
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        try:
            await held(job).update(leased_until=clock.now() + LEASE)
        except Exception:
            _log.exception("renewing the lease of a provisioning job failed")
