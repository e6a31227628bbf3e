"""People over HTTP."""

from mission_control.accounts.commands import update_profile
from mission_control.accounts.deletion import delete_account, prepare_deletion
from mission_control.accounts.models import User
from mission_control.accounts.queries import UserRead, UserUpdate, profile
from mission_control.authn.authentication import callbacks
from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, LLMErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.retries import committed

api = Api(__name__, "users")


@api.post("/auth/bootstrap", tags=("auth",), errors={401: LLMErrorResponse})
async def bootstrap_user(actor: Actor) -> UserRead:
    """Check the credentials and read one's own profile."""
    return await profile(actor.id)


@api.get("/users/me")
async def get_me(actor: Actor) -> UserRead:
    """Read one's own profile."""
    return await profile(actor.id)


@api.patch("/users/me")
async def update_me(actor: Actor, data: UserUpdate) -> UserRead:
    """Change one's own profile."""
    user = await User.get(id=actor.id)
    return UserRead.of(await update_profile(actor, user, data.model_dump(exclude_unset=True)))


@api.delete("/users/me", is_atomic=False)
async def delete_me(actor: Actor) -> OkResponse:
    """Delete one's own account.

    Organizations without other members are deleted with it; other organizations stay. The only owner among other
    members has to make somebody else an owner first: 422. An account at Clerk is deleted there first; if Clerk
    does not answer: 502, and nothing is deleted.
    """
    user = await User.get(id=actor.id)
    await prepare_deletion(actor, user)
    if callbacks.delete_at_provider is not None and not user.clerk_user_id.startswith("local-"):
        await callbacks.delete_at_provider(user.clerk_user_id)

    async def delete() -> OkResponse:
        await delete_account(actor, user)
        return OK

    return await committed(actor, delete) or OK
