"""Put needs off, and bring them back. Nobody else sees that, so it is no event."""

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, Invalid
from mission_control.core.ids import new_id
from mission_control.database.sql import rows
from mission_control.needs.answering import refused, results
from mission_control.needs.kinds import Key
from mission_control.needs.listing import key_named
from mission_control.needs.polling import channel_of
from mission_control.needs.schemas import NeedResult, NeedResults, NeedSnooze, NeedsSnoozed


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
    _tell(actor)


@command("need.snooze")
async def unsnooze(actor: Actor, key: Key) -> None:
    """Show a need again; a no-op when it is not put off."""
    await rows(
        "DELETE FROM need_snoozes WHERE user_id = ? AND kind = ? AND subject_id = ?", actor.user_id, key.kind, key.id
    )
    _tell(actor)


def _tell(actor: Actor) -> None:
    signal(actor.organization_id, needs_of=str(actor.user_id))
    notify(channel_of(actor.organization_id))


async def snooze_many(actor: Actor, wanted: NeedsSnoozed) -> NeedResults:
    """Put several needs off, or show them again, each by itself."""
    return results([await _one_of_many(actor, one, wanted) for one in dict.fromkeys(wanted.ids)])


async def _one_of_many(actor: Actor, need_id: str, wanted: NeedsSnoozed) -> NeedResult:
    try:
        key = await key_named(actor, need_id)
        if wanted.show:
            await unsnooze(actor, key)
        else:
            await snooze(actor, key, NeedSnooze(until=wanted.until, until_changed=wanted.until_changed))
    except DomainError as error:
        return refused(need_id, error)
    return NeedResult(
        id=key.name, title=None, outcome="shown" if wanted.show else "snoozed", message=None, undoable=False
    )
