"""Channels that admins set up for their organization: what they reach by, whether it works."""

from uuid import UUID

from mission_control.core.actor import Actor, rule
from mission_control.core.errors import NotFound
from mission_control.http.registry import lookup
from mission_control.reach.models import ReachChannel


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
