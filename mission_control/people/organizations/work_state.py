"""The work state of agents, boards and organizations (running, paused, stopped), and commands on an organization's."""

from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field

from mission_control.core import times
from mission_control.core.actor import Actor, Scope
from mission_control.core.errors import Conflict, ErrorCode, existing
from mission_control.core.values import BlankToNone, Body
from mission_control.database.sql import is_postgres, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import react, record
from mission_control.people.models import Organization

EVENTS = (
    Kind.named("organization.work_state_changed", "All agents of an organization were paused, stopped, or let run on."),
)

State = Literal["running", "paused", "stopped"]
RUNNING: Literal["running"] = "running"
PAUSED: Literal["paused"] = "paused"
STOPPED: Literal["stopped"] = "stopped"
HAPPENED = {RUNNING: "is running again", PAUSED: "is paused", STOPPED: "is stopped"}
LOCK_KEY = 0x4D43_4855
# Two organizations whose ids end alike share a lock: one may wait for the other, which is harmless.
LOCK = "SELECT pg_advisory_xact_lock{kind}({key}, ('x' || right({organization}::text, 8))::bit(32)::int)"


class WorkStateChange(Body):
    """Whether agents may work: `running`, `paused` (no new work), or `stopped` (running work ends at once)."""

    state: State
    reason: Annotated[Annotated[str, Field(max_length=500)] | None, BlankToNone] = None
    expects: Annotated[State | None, Field(description="409 when the state is another one by now")] = None


class HasWorkState(Protocol):
    """An agent, a board or an organization."""

    id: UUID
    name: str
    work_state: str
    work_state_reason: str | None
    work_state_at: datetime | None
    updated_at: datetime

    def scope(self) -> Scope: ...

    async def save(self, *, update_fields: Iterable[str]) -> None: ...


@command("organization.set_work_state")
async def set_organization_state(actor: Actor, organization: Organization, change: WorkStateChange) -> Organization:
    """Pause, stop or resume all agents of an organization. Setting the current state is a no-op."""
    present = Organization.get_or_none(id=organization.id)
    return await set_work_state("organization.work_state_changed", "The organization", organization.id, present, change)


async def set_work_state[T: HasWorkState](
    kind: str, who: str, organization_id: UUID, present: Awaitable[T | None], wanted: WorkStateChange, **facts: Any
) -> T:
    """Inside a command: store a state and record an event of a kind with these facts. The current state is a no-op.

    A reason can be added later. Raise Conflict when the change expects another state than the present one.
    """
    if is_postgres():  # wait for running assignments, and block new ones until the command ends
        await rows(LOCK.format(kind="", key=LOCK_KEY, organization="?"), str(organization_id))
    thing = await existing(present)
    if wanted.expects not in (None, thing.work_state):
        message = f"Somebody changed this meanwhile: it is {thing.work_state} now."
        raise Conflict(ErrorCode.EDIT_CONFLICT.detail(message))
    reason, before = None if wanted.state == RUNNING else wanted.reason, thing.work_state
    if before == wanted.state and reason in (None, thing.work_state_reason):
        return thing
    record(
        kind,
        thing,
        f"{who} {thing.name} {HAPPENED[wanted.state]}{reason_of(wanted.reason)}.",
        **facts,
        before={"work_state": before, "work_state_reason": thing.work_state_reason},
        after={"work_state": wanted.state, "work_state_reason": wanted.reason},
    )
    # Lock order: the row is saved last, after the reactions have locked the tasks they change, because a command that
    # holds a task may wait for this row.
    await react()
    thing.work_state, thing.work_state_reason, thing.updated_at = wanted.state, reason, times.clock_now()
    if before != wanted.state:
        thing.work_state_at = thing.updated_at
    await thing.save(update_fields=["work_state", "work_state_reason", "work_state_at", "updated_at"])
    return thing


def reason_of(reason: str | None) -> str:
    return f": {reason.rstrip('.')}" if reason else ""


async def lock_work_state_shared(board_id: UUID) -> None:
    """Inside a command that assigns work and holds no lock yet: block changes of the state until it ends."""
    if is_postgres():
        lock = LOCK.format(kind="_shared", key=LOCK_KEY, organization="organization_id")
        await rows(f"{lock} FROM boards WHERE id = ?", board_id)
