"""The log of an organization as its admins check it: its signed head, and the last verification of the whole log."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from mission_control.accounts.models import InstanceSetting
from mission_control.audit import LogHead
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.database.sql import rows, wire_moment
from mission_control.jobs import progress, running
from mission_control.jobs.models import Job
from mission_control.jobs.schemas import JobRead, JobResult, Kind
from mission_control.live import verification
from mission_control.live.signatures import Verdict
from mission_control.organizations.checks import check_name
from mission_control.organizations.models import Organization

RUNNING = "This log is being checked already. Wait for the result."
KIND: Kind = "audit_check"


class LogCheck(BaseModel):
    """A verification of the whole log: up to which event all is as written, when, by whom, and the first fault."""

    seq: int
    fault: str | None
    checked_at: datetime
    checked_by: str


class AuditRead(BaseModel):
    """The head of a log, and its last check. `line` is what `mission-control audit verify --against` reads."""

    seq: int
    hash: str
    signature: str
    is_genuine: bool
    line: str
    check: LogCheck | None


class AuditEventsQuery(BaseModel):
    """Events after a number, in order."""

    after: int = Field(0, ge=0, le=2**53)
    limit: int = Field(500, ge=1, le=1000)


class AuditEvent(BaseModel):
    """An event with everything that its hash covers."""

    id: UUID
    seq: int
    version: int
    kind: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    surface: str
    board_id: UUID | None
    task_id: UUID | None
    agent_id: UUID | None
    subject_id: UUID | None
    message: str | None
    data: str
    request_id: str | None
    prev_hash: str
    hash: str
    created_at: datetime


async def audit_events(organization_id: UUID, query: AuditEventsQuery) -> list[dict[str, Any]]:
    """Return events with everything that their hashes cover."""
    found = await rows(
        f"SELECT {', '.join(AuditEvent.model_fields)} FROM events WHERE organization_id = ? AND seq > ?"
        " ORDER BY seq LIMIT ?",
        organization_id,
        query.after,
        query.limit,
    )
    return [row | {"created_at": wire_moment(row["created_at"])} for row in found]


async def read_audit(organization: Organization) -> AuditRead:
    """Return the head of an organization's log and its last check."""
    head = LogHead(
        str(organization.id), organization.name, organization.log_seq, organization.log_hash, organization.log_signature
    )
    stored = await InstanceSetting.get_or_none(name=check_name(organization.id))
    return AuditRead(
        seq=head.seq,
        hash=head.hash,
        signature=head.signature,
        is_genuine=head.verdict is Verdict.VALID,
        line=head.line(),
        check=LogCheck.model_validate(orjson.loads(stored.value)) if stored else None,
    )


async def start_check(actor: Actor, organization: Organization) -> JobRead:
    """Verify the log from its first event, as long work. A check that runs already: Conflict."""
    work, refuse = partial(_check, actor, organization.id), partial(_refuse_another, organization.id)
    return await running.start(actor, KIND, "Check the log", work, claim=refuse)


async def running_check(organization_id: UUID) -> Job | None:
    """Return the check that runs, if one does."""
    return await Job.filter(organization_id=organization_id, kind=KIND, state="running").first()


async def _refuse_another(organization_id: UUID, job_id: UUID) -> None:
    # Two that are asked for at once come one after the other, so that the second one sees the first.
    await Organization.select_for_update(no_key=True).get(id=organization_id)
    if await running_check(organization_id) is not None:
        raise Conflict(RUNNING)


async def _check(actor: Actor, organization_id: UUID) -> JobResult:
    organization = await Organization.get(id=organization_id)
    await progress.step("Walking the log", organization.log_seq)
    seq, fault = await verification.verify(organization_id, walked=progress.advance)
    await _store(actor, organization, LogCheck(seq=seq, fault=fault, checked_at=clock.now(), checked_by=actor.name))
    url = "/settings/audit#check"
    if fault:
        return JobResult(summary=fault, url=url, problems=[f"{seq:,} events before it are as written."])
    return JobResult(summary=f"Verified up to number {seq:,}.", url=url)


@command("organization.verify")
async def _store(actor: Actor, organization: Organization, check: LogCheck) -> None:
    name = check_name(organization.id)
    await InstanceSetting.filter(name=name).delete()
    await InstanceSetting.create(name=name, value=check.model_dump_json())
