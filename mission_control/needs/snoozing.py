"""Put needs off, and bring them back. Nobody else sees that, so it is no event."""

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.ids import new_id
from mission_control.database.sql import rows
from mission_control.needs.kinds import Key
from mission_control.needs.schemas import NeedSnooze


@command("need.snooze")
async def snooze(actor: Actor, key: Key, until: NeedSnooze) -> None:
    """Put a need off for the person; it replaces what they said before."""
    if until.until is not None and until.until <= clock.now():
        raise Invalid("Choose a time that is still to come.")
    await rows(
        "INSERT INTO need_snoozes (id, user_id, kind, subject_id, until, version, created_at) VALUES"
        " (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, kind, subject_id)"
        " DO UPDATE SET until = excluded.until, version = excluded.version, created_at = excluded.created_at",
        new_id(),
        actor.user_id,
        key.kind,
        key.id,
        until.until,
        key.version if until.until_changed else None,
        clock.now(),
    )
    signal(actor.organization_id, needs_of=str(actor.user_id))


@command("need.snooze")
async def unsnooze(actor: Actor, key: Key) -> None:
    """Show a need again; a no-op when it is not put off."""
    await rows(
        "DELETE FROM need_snoozes WHERE user_id = ? AND kind = ? AND subject_id = ?", actor.user_id, key.kind, key.id
    )
    signal(actor.organization_id, needs_of=str(actor.user_id))
