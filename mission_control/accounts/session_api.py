"""Signed-in browsers over HTTP: list them, end one, the others, or all access."""

from uuid import UUID

from mission_control.accounts import commands
from mission_control.accounts.models import Session, User
from mission_control.accounts.queries import SessionRead, own_account, sessions_of
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.schemas import OK, OkResponse
from mission_control.operations.api import Api

api = Api(__name__, "users", below="/users")


@api.delete("/me/sessions", rule="account.sign_out")
async def end_my_other_sessions(actor: Actor, user: User) -> OkResponse:
    """Sign out in every browser except the one that calls."""
    await commands.end_other_sessions(actor, user)
    return OK


@api.get("/me/sessions", rule="account.update")
async def list_my_sessions(actor: Actor, user: User) -> list[SessionRead]:
    """List the browsers that one is signed in with, the one used last first."""
    return await sessions_of(actor, user)


async def own_session(actor: Actor, session_id: UUID) -> Session:
    """Return a session of the person who calls; NotFound otherwise."""
    session = await Session.get_or_none(id=session_id, user_id=actor.id)
    if session is None:
        raise NotFound()
    return session


@api.delete("/me/sessions/<session_id>", find=own_session)
async def end_my_session(actor: Actor, session: Session) -> OkResponse:
    """Sign out in one browser."""
    await commands.end_session(actor, await own_account(actor), session.id)
    return OK


@api.post("/me/endings", rule="account.sign_out")
async def end_my_access(actor: Actor, user: User) -> OkResponse:
    """End every session, every personal token and every link for a new password of one's own, also what calls."""
    await commands.end_everything(actor, user)
    return OK
