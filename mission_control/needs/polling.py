"""Wait for another list of needs without polling the database."""

from uuid import UUID

from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import notify
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.needs.kinds import concerns, may_change_needs
from mission_control.needs.listing import needs_page
from mission_control.needs.schemas import NeedPage, NeedQuery
from mission_control.operations.operation import settled, themselves

FAMILY = "needs"

reactions = Reactions()


async def wait_for_needs(actor: Actor, query: NeedQuery) -> NeedPage:
    """Return what waits for a person once it is another list than the caller knows, or when the time is over."""
    return await settled(
        actor,
        actor,
        channel_of(actor.organization_id),
        find=themselves,
        read=lambda present: needs_page(present, query),
        is_settled=lambda answer: answer.version != query.known,
        seconds=query.wait_seconds,
    )


@reactions.to_all
async def wake_polls_of_needs(actor: Actor, event: NewEvent) -> None:
    """Something may have come to wait for people, or no longer does."""
    if event.kind.startswith(concerns()) and may_change_needs(event):
        notify(channel_of(event.scope.organization_id))


def channel_of(organization_id: UUID) -> str:
    """Return the wake-up channel that is notified when what waits for people may have changed."""
    return f"{FAMILY}:{organization_id}"
