"""Who is asked for name and time zone: everybody who lacks one, once."""

from mission_control.accounts.models import User
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor


@command("account.sign_in")
async def welcome(actor: Actor, user: User) -> bool:
    """Note that somebody is asked now; False when they were asked before."""
    return bool(await User.filter(id=user.id, welcomed_at=None).update(welcomed_at=clock.now()))
