"""Who looks at Mission Control: they see there what waits, so that nothing is sent to them until they stop."""

from typing import Annotated

from pydantic import Field

from mission_control.channels.models import Device, ReachNeed, ReachSettings
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.current_app import settings
from mission_control.core.values import Body, Schema, example
from mission_control.events.commands import command
from mission_control.http.operation_api import Api
from mission_control.needs.unanswered import Look

SEEN = Look(
    "SELECT 1 FROM reach_needs n WHERE n.organization_id = (SELECT b.organization_id FROM boards b"
    " WHERE b.id = x.board_id) AND n.ended_at IS NULL AND n.kind = '{kind}' AND n.subject_id = x.id AND n.seen_at > ?"
)


class Looking(Body):
    """Where somebody does something on an open page that has the focus."""

    model_config = Body.model_config | example(sees_needs=True)

    sees_needs: Annotated[bool, Field(description="Whether the page shows all that needs the caller, as Home does")] = (
        False
    )


class LookingRead(Schema):
    """Whether it matters that somebody looks."""

    is_reached: Annotated[bool, Field(description="Whether anything would be sent to the caller")]


@command("reach.choose")
async def look_at_page(actor: Actor, *, sees_needs: bool) -> bool:
    """Record that a person did something on a page just now, and that Home was seen; return whether it matters."""
    if not settings().smtp_url and not await Device.filter(user_id=actor.user_id, ended_at=None).exists():
        return False
    now = times.clock_now()
    await ReachSettings.bulk_create([ReachSettings(user_id=actor.user_id)], ignore_conflicts=True)
    await ReachSettings.filter(user_id=actor.user_id).update(acted_at=now)
    if sees_needs:
        await ReachNeed.filter(
            user_id=actor.user_id, organization_id=actor.organization_id, ended_at=None, seen_at=None, since__lte=now
        ).update(seen_at=now)
    return True


api = Api(__name__, "users", below="/users/me/reach")


@api.put("/looking", rule="reach.choose")
async def look_at_my_needs(actor: Actor, data: Looking) -> LookingRead:
    """Say that you do something on an open page now.

    For two minutes nothing is sent to you. With `sees_needs`, what waits now counts as seen: it is not sent to a second
    device.
    """
    return LookingRead(is_reached=await look_at_page(actor, sees_needs=data.sees_needs))
