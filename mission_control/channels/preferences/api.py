"""What people chose about how they are reached, over HTTP."""

from mission_control.channels.preferences.commands import Choices, ChoicesRead, choices_of, choose
from mission_control.core.actor import Actor
from mission_control.http.operation_api import Api

api = Api(__name__, "users", below="/users/me/reach")


@api.get("", rule="reach.choose")
async def get_my_reach(actor: Actor) -> ChoicesRead:
    """Read when and how you are reached about what needs you. Who never chose has the defaults."""
    return await choices_of(actor)


@api.put("", rule="reach.choose")
async def set_my_reach(actor: Actor, data: Choices) -> ChoicesRead:
    """Choose when and how you are reached; what you leave out gets its default.

    It counts at once for everything that waits and was not sent yet.
    """
    await choose(actor, data)
    return await choices_of(actor)
