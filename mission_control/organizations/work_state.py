"""Running, paused or stopped: what the state of an agent, a board or an organization is, and an organization's own."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field

from mission_control.commands.command import command
from mission_control.commands.reactions import react
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.schemas import BlankToNone, Body
from mission_control.database.sql import is_postgres, rows
from mission_control.organizations.models import Organization

State = Literal["running", "paused", "stopped"]
RUNNING: Literal["running"] = "running"
PAUSED: Literal["paused"] = "paused"
STOPPED: Literal["stopped"] = "stopped"
FIELDS = ("work_state", "work_state_reason", "work_state_at")
HAPPENED = {RUNNING: "is running again", PAUSED: "is paused", STOPPED: "is stopped"}
LOCK_KEY = 0x4D43_4855
# Of two organizations whose ids end alike the one may wait for the other, and nothing worse.
LOCK_OF = "{lock}({key}, ('x' || right({organization}, 8))::bit(32)::int)"


class WorkStateChange(Body):
    """Whether agents may take up work: `running`, `paused` (nothing new), or `stopped` (running work ends at once)."""

    state: State
    reason: Annotated[Annotated[str, Field(max_length=500)] | None, BlankToNone] = None


class HasWorkState(Protocol):
    """An agent, a board or an organization."""

    id: Any
    work_state: str
    work_state_reason: Any
    work_state_at: Any


@command("organization.set_work_state")
async def set_organization_state(actor: Actor, organization: Organization, wanted: WorkStateChange) -> Organization:
    """Pause, stop or let run on all agents of an organization. What is so already is no change."""
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
    found = await Organization.get_or_none(id=organization.id)
    if found is None:
        raise NotFound()
    return found


def change_of(thing: HasWorkState, wanted: WorkStateChange) -> dict[str, Any] | None:
    """What an event says of a change; None when it is so already. A reason may be given later."""
    reason = None if wanted.state == RUNNING else wanted.reason
    if thing.work_state == wanted.state and reason in (None, thing.work_state_reason):
        return None
    before = {"work_state": thing.work_state, "work_state_reason": thing.work_state_reason}
    return {"before": before, "after": {"work_state": wanted.state, "work_state_reason": wanted.reason}}


def reason_of(reason: str | None) -> str:
    """A reason as the end of a sentence."""
    return f": {reason.rstrip('.')}" if reason else ""


def apply(thing: Any, wanted: WorkStateChange) -> None:
    """Write a state into a row in memory; what runs needs no reason.

    The row is saved last, after the reactions have taken the tasks that they change: whoever holds a task may be
    waiting for this row.
    """
    moment: datetime = clock.now()
    if thing.work_state != wanted.state:
        thing.work_state_at = moment
    thing.work_state, thing.updated_at = wanted.state, moment
    thing.work_state_reason = None if wanted.state == RUNNING else wanted.reason


async def lock_work_state_shared(board_id: UUID) -> None:
    """Inside a command that hands out work of a board and holds no row yet: no state is changed until it ends."""
    if is_postgres():
        lock = LOCK_OF.format(lock="pg_advisory_xact_lock_shared", key=LOCK_KEY, organization="organization_id::text")
        await rows(f"SELECT {lock} FROM boards WHERE id = ?", board_id)


async def lock_work_state(organization_id: UUID) -> None:
    """Inside a command that changes a state: wait for hand-outs of the organization; none begins until it ends."""
    if is_postgres():
        lock = LOCK_OF.format(lock="pg_advisory_xact_lock", key=LOCK_KEY, organization="?::text")
        await rows(f"SELECT {lock}", str(organization_id))
