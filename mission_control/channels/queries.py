"""Channels that admins set up for their organization: what they reach by, whether it works."""

from uuid import UUID

from mission_control.channels.models import ReachChannel
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import NotFound
from mission_control.database.records import find, update
from mission_control.events.unit_of_work import notify, signal
from mission_control.http.registry import lookup


@rule("channel.read")
def may_read(actor: Actor, thing: object) -> bool:
    """Every person, those of the active organization."""
    return actor.is_user


@rule("channel.manage")
def may_manage(actor: Actor, thing: object) -> bool:
    """Owners and admins of the organization."""
    organization_id = thing.organization_id if isinstance(thing, ReachChannel) else actor.organization_id
    return actor.is_user and actor.administers(organization_id)


@lookup
async def visible_channel(actor: Actor, channel_id: UUID) -> ReachChannel:
    """Return a channel of the active organization. Raise NotFound for one of another."""
    found = await ReachChannel.get_or_none(id=channel_id, organization_id=actor.organization_id)
    if found is None or not actor.is_user:
        raise NotFound()
    return found


async def note_working(channel_id: UUID) -> None:
    """Inside a command: a channel that failed works again, so that what reached nobody is tried again."""
    channel = await find(ReachChannel, "id = ? AND state = 'failing'", channel_id, lock=True)
    if channel is not None:
        await _note(channel, "on", None)


async def note_failing(channel_id: UUID, words: str) -> None:
    """Inside a command: a channel does not work, in the provider's words; a no-op for one that is off."""
    channel = await find(ReachChannel, "id = ? AND state <> 'off'", channel_id, lock=True)
    if channel is not None:
        await _note(channel, "failing", words[:2000])


async def _note(channel: ReachChannel, state: str, words: str | None) -> None:
    if channel.state != state:
        channel.state, channel.failing_since = state, times.clock_now() if state == "failing" else None
        notify(WAKES)
    channel.last_error = words
    await update(channel, "state", "failing_since", "last_error")
    signal(channel.organization_id, reach_channel=str(channel.id))
