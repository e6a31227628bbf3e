"""The work state of agents, boards and organizations (running, paused, stopped), and commands on an organization's."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, existing
from mission_control.core.values import BlankToNone, Body
from mission_control.database.sql import is_postgres, rows
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.unit_of_work import react, record
from mission_control.people.models import Organization

EVENTS = (
    Kind(
        "organization.work_state_changed",
        "All agents of an organization were paused, stopped, or let run on.",
        is_named_in_message=True,
    ),
)

State = Literal["running", "paused", "stopped"]
RUNNING: Literal["running"] = "running"
PAUSED: Literal["paused"] = "paused"
STOPPED: Literal["stopped"] = "stopped"
FIELDS = ("work_state", "work_state_reason", "work_state_at")
HAPPENED = {RUNNING: "is running again", PAUSED: "is paused", STOPPED: "is stopped"}
LOCK_KEY = 0x4D43_4855
# Two organizations whose ids end alike share a lock: one may wait for the other, which is harmless.
LOCK_OF = "{lock}({key}, ('x' || right({organization}, 8))::bit(32)::int)"


class WorkStateChange(Body):
    """Whether agents may work: `running`, `paused` (no new work), or `stopped` (running work ends at once)."""

    state: State
    reason: Annotated[Annotated[str, Field(max_length=500)] | None, BlankToNone] = None
    expects: Annotated[State | None, Field(description="409 when the state is another one by now")] = None


class HasWorkState(Protocol):
    """An agent, a board or an organization."""

    id: UUID
    work_state: str
    work_state_reason: str | None
    work_state_at: datetime | None
    updated_at: datetime


@command("organization.set_work_state")
async def set_organization_state(actor: Actor, organization: Organization, wanted: WorkStateChange) -> Organization:
    """Pause, stop or resume all agents of an organization. Setting the current state is a no-op."""
    await lock_work_state(organization.id)
    organization = await _present(organization)
    if (change := change_of(organization, wanted)) is None:
        return organization
    message = f"The organization {organization.name} {HAPPENED[wanted.state]}{reason_of(wanted.reason)}."
    record("organization.work_state_changed", organization, message, **change)
    await react()
    apply(organization, wanted)
    await organization.save(update_fields=[*FIELDS, "updated_at"])
    return organization


async def _present(organization: Organization) -> Organization:
    return await existing(Organization.get_or_none(id=organization.id))


def change_of(thing: HasWorkState, wanted: WorkStateChange) -> dict[str, Any] | None:
    """Return the event data of a change, or None for a no-op. A reason can be added later.

    Raise Conflict when the change expects another state than the present one.
    """
    if wanted.expects not in (None, thing.work_state):
        message = f"Somebody changed this meanwhile: it is {thing.work_state} now."
        raise Conflict(ErrorCode.EDIT_CONFLICT.detail(message))
    reason = None if wanted.state == RUNNING else wanted.reason
    if thing.work_state == wanted.state and reason in (None, thing.work_state_reason):
        return None
    before = {"work_state": thing.work_state, "work_state_reason": thing.work_state_reason}
    return {"before": before, "after": {"work_state": wanted.state, "work_state_reason": wanted.reason}}


def reason_of(reason: str | None) -> str:
    """Return a reason as the end of a sentence."""
    return f": {reason.rstrip('.')}" if reason else ""


def apply(thing: HasWorkState, wanted: WorkStateChange) -> None:
    """Write a state into a row in memory; `running` has no reason.

    Lock order: the row is saved last, after the reactions have locked the tasks they change, because a command that
    holds a task may wait for this row.
    """
    moment: datetime = times.clock_now()
    if thing.work_state != wanted.state:
        thing.work_state_at = moment
    thing.work_state, thing.updated_at = wanted.state, moment
    thing.work_state_reason = None if wanted.state == RUNNING else wanted.reason


async def lock_work_state_shared(board_id: UUID) -> None:
    """Inside a command that assigns work and holds no lock yet: block changes of the state until it ends."""
    if is_postgres():
        lock = LOCK_OF.format(lock="pg_advisory_xact_lock_shared", key=LOCK_KEY, organization="organization_id::text")
        await rows(f"SELECT {lock} FROM boards WHERE id = ?", board_id)


async def lock_work_state(organization_id: UUID) -> None:
    """Inside a command that changes a state: wait for running assignments and block new ones until it ends."""
    if is_postgres():
        lock = LOCK_OF.format(lock="pg_advisory_xact_lock", key=LOCK_KEY, organization="?::text")
        await rows(f"SELECT {lock}", str(organization_id))
