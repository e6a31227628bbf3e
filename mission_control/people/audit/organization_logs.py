"""The logs of an organization as its admins check them: signed head, last verification, account log."""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.values import Paging, Schema
from mission_control.database.sql import Values, placeholders, rows, select
from mission_control.events import event_log
from mission_control.events.commands import command
from mission_control.events.event_log import ACCOUNT_KINDS, KINDS, Verdict
from mission_control.people.accounts.names import person_name
from mission_control.people.audit.log_heads import head_of
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobRead, JobResult, Kind
from mission_control.people.models import InstanceSetting, Job, Organization
from mission_control.people.organizations.commands import check_name

KIND: Kind = "audit_check"
RUNNING = "This log is being checked already. Wait for the result."


class LogCheck(Schema):
    """A verification of the whole log: up to which event all is as written, when, by whom, and the first fault."""

    seq: int
    fault: str | None
    checked_at: datetime
    checked_by: str


class AuditRead(Schema):
    """The head of a log, and its last check. `line` is what `mission-control audit verify --against` reads."""

    seq: int
    hash: str
    signature: str
    is_genuine: bool
    line: str
    check: LogCheck | None


class AuditEventsQuery(Schema):
    """Events after a number, in order."""

    after: int = Field(0, ge=0, le=2**53)
    limit: int = Field(500, ge=1, le=1000)


class AuditEvent(Schema):
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


class AuditEventPage(Schema):
    """Events in their order."""

    items: list[AuditEvent]
    total: Annotated[int, Field(description="How many there are: the number of the newest")]


async def audit_events(organization_id: UUID, query: AuditEventsQuery) -> list[AuditEvent]:
    return await select(
        AuditEvent,
        f"SELECT {', '.join(AuditEvent.model_fields)} FROM events WHERE organization_id = ? AND seq > ?"
        " ORDER BY seq LIMIT ?",
        organization_id,
        query.after,
        query.limit,
    )


async def read_audit(organization: Organization) -> AuditRead:
    head = head_of(organization)
    stored = await InstanceSetting.read(check_name(organization.id))
    return AuditRead(
        seq=head.seq,
        hash=head.hash,
        signature=head.signature,
        is_genuine=head.verdict is Verdict.VALID,
        line=head.line(),
        check=LogCheck.model_validate_json(stored) if stored else None,
    )


async def start_check(actor: Actor, organization: Organization) -> JobRead:
    """Verify the log from its first event, as long work. A check that runs already: Conflict."""

    async def refuse_another(job_id: UUID) -> None:
        # Two that are asked for at once come one after the other, so that the second one sees the first.
        await Organization.select_for_update(no_key=True).get(id=organization.id)
        if await running_check(organization.id) is not None:
            raise Conflict(RUNNING)

    return await jobs.start(actor, KIND, "Check the log", partial(_check, actor, organization.id), claim=refuse_another)


async def running_check(organization_id: UUID) -> Job | None:
    return await Job.filter(organization_id=organization_id, kind=KIND, state="running").first()


async def _check(actor: Actor, organization_id: UUID) -> JobResult:
    organization = await Organization.get(id=organization_id)
    await jobs.step("Walking the log", organization.log_seq)
    seq, fault = await event_log.verify(organization_id, progress=jobs.advance)
    check = LogCheck(seq=seq, fault=fault, checked_at=times.clock_now(), checked_by=actor.name)
    await _store(actor, organization, check)
    url = "/settings/audit#check"
    if fault:
        return JobResult(summary=fault, url=url, problems=[f"{seq:,} events before it are as written."])
    return JobResult(summary=f"Verified up to number {seq:,}.", url=url)


@command("organization.verify")
async def _store(actor: Actor, organization: Organization, check: LogCheck) -> None:
    await InstanceSetting.put(check_name(organization.id), check.model_dump_json())


Group = Literal["sign-ins", "passwords", "tokens", "accounts", "rights"]
GROUPS: dict[str, tuple[str, ...]] = {
    "sign-ins": ("account.signed_in", "account.sign_in_refused", "account.signed_out", "account.sessions_ended"),
    "passwords": ("account.password_changed", "account.password_reset", "account.reset_link_made"),
    "tokens": ("token.created", "token.revoked"),
    "accounts": (
        "account.set_up", "account.created", "account.updated", "account.deleted", "account.link_invited",
        "account.linked", "account.mail_stopped", "account.reach_changed", "device.ended",
    ),
    "rights": (
        "member.role_changed", "member.access_changed", "member.removed", "member.left", "invite.created",
        "invite.revoked", "invite.accepted", "organization.ownership_transferred", "agent.token_rotated",
        "agent.token_changed", "agent.token_revoked", "agent.connected", "agent.disconnected",
    ),
}  # fmt: skip


class AccountLogQuery(Paging):
    """Which entries: a group of kinds (without one, all of the account log), and whose."""

    group: Group | None = None
    user_id: UUID | None = None


class AccountLogEntry(Schema):
    """An entry: what happened, to whose account, who did it, and when."""

    seq: int
    kind: str
    meaning: str
    user_id: UUID | None
    user_name: str | None
    actor_id: UUID | None
    actor_name: str | None
    created_at: datetime


async def account_log(actor: Actor, query: AccountLogQuery) -> tuple[list[AccountLogEntry], int]:
    """Return entries about the members of the active organization, newest first, and how many there are."""
    kinds = GROUPS[query.group] if query.group else ()
    values: Values = [actor.organization_id]
    if query.group == "rights":
        source, person = (
            "SELECT seq, kind, (SELECT m.user_id FROM organization_members m WHERE m.id = subject_id) AS user_id,"
            " actor_id, actor_name, created_at FROM events WHERE organization_id = ? AND SUBSTR(kind, 1, 5) <> 'task.'",
            "actor_id",
        )
    else:
        source, person = (
            "SELECT seq, kind, user_id, actor_id, NULL AS actor_name, created_at FROM account_events"
            " WHERE user_id IN (SELECT user_id FROM organization_members WHERE organization_id = ?)",
            "user_id",
        )
    if query.group:
        source += f" AND kind IN ({placeholders(len(kinds))})"
        values += kinds
    if query.user_id is not None:
        source, values = f"{source} AND {person} = ?", [*values, query.user_id]
    number = "seq + 0" if query.group else "seq"  # by kind first: the number alone would lead through the whole log
    [counted] = await rows(f"SELECT COUNT(*) AS count FROM ({source}) entries", *values)
    entries = await select(
        AccountLogEntry,
        "SELECT e.seq, e.kind, '' AS meaning, e.user_id, e.actor_id, e.created_at,"
        f" CASE WHEN u.id IS NOT NULL THEN {person_name('u', '')} END AS user_name,"
        f" CASE WHEN a.id IS NOT NULL THEN {person_name('a', '')} ELSE e.actor_name END AS actor_name"
        f" FROM (SELECT * FROM ({source}) entries ORDER BY {number} DESC LIMIT ? OFFSET ?) e"
        " LEFT JOIN users u ON u.id = e.user_id LEFT JOIN users a ON a.id = e.actor_id ORDER BY e.seq DESC",
        *values,
        query.limit,
        query.offset,
    )
    for entry in entries:
        entry.meaning = ACCOUNT_KINDS.get(entry.kind) or KINDS[entry.kind].recorded_when
    return entries, int(counted["count"])
