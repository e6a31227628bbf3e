"""People over HTTP: profiles, signed-in browsers, passwords, personal tokens, links for a new password."""

from uuid import UUID

from quart import current_app, request

from mission_control.core import times
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Forbidden, Invalid, existing, invalid_field
from mission_control.core.values import OK, JsonObject, LLMErrorResponse, OkResponse, Page, Paging, page_of
from mission_control.http.operation_api import Api
from mission_control.http.retries import committed
from mission_control.people.accounts import commands as account_commands
from mission_control.people.accounts import credentials, queries
from mission_control.people.accounts.commands import invite_to_link, update_profile
from mission_control.people.accounts.deletion import delete_account, prepare_deletion
from mission_control.people.models import Session, Token, User
from mission_control.people.sign_in.verification import delete_at_provider

api = Api(__name__, "users")


@api.post("/auth/bootstrap", tags=("auth",), errors={401: LLMErrorResponse})
async def bootstrap_user(actor: Actor) -> queries.UserRead:
    """Check the credentials and read one's own profile."""
    return await queries.profile(actor.id)


@api.get("/users/me")
async def get_me(actor: Actor) -> queries.UserRead:
    """Read one's own profile."""
    return await queries.profile(actor.id)


@api.patch("/users/me")
async def update_me(actor: Actor, data: queries.UserUpdate) -> queries.UserRead:
    """Change one's own profile."""
    return queries.UserRead.of(await update_profile(actor, await queries.own_account(actor), data))


@api.delete("/users/me", is_atomic=False)
async def delete_me(actor: Actor) -> OkResponse:
    """Delete one's own account.

    Organizations without other members are deleted with it; other organizations stay. The only owner among other
    members has to make somebody else an owner first: 422. An account at Clerk is deleted there first; if Clerk
    does not answer: 502, and nothing is deleted.
    """
    user = await queries.own_account(actor)
    await prepare_deletion(actor, user)
    if user.is_linked:
        await delete_at_provider(user.clerk_user_id)

    async def delete() -> OkResponse:
        await delete_account(actor, user)
        return OK

    return await committed(actor, delete) or OK


@api.delete("/users/me/sessions", rule="account.sign_out")
async def end_my_other_sessions(actor: Actor, user: User) -> OkResponse:
    """Sign out in every browser except the one that calls."""
    await account_commands.end_other_sessions(actor, user)
    return OK


@api.get("/users/me/sessions", Page[queries.SessionRead], rule="account.update")
async def list_my_sessions(actor: Actor, user: User, query: Paging) -> JsonObject:
    """List the browsers that one is signed in with, the one used last first."""
    return page_of(await queries.sessions_of(actor, user), query)


async def own_session(actor: Actor, session_id: UUID) -> Session:
    return await existing(Session.get_or_none(id=session_id, user_id=actor.id))


@api.delete("/users/me/sessions/<session_id>", find=own_session)
async def end_my_session(actor: Actor, session: Session) -> OkResponse:
    """Sign out in one browser."""
    await account_commands.end_session(actor, await queries.own_account(actor), session.id)
    return OK


@api.post("/users/me/endings", rule="account.sign_out")
async def end_my_access(actor: Actor, user: User) -> OkResponse:
    """End every session, every personal token and every link for a new password of one's own, also what calls.

    Devices and accounts of chats that reach the caller, and answer for them, end too.
    """
    await account_commands.end_everything(actor, user)
    return OK


OUTLIVES = "This token cannot create one that outlives it. Name an expires_at that is no later than its own."
OWN_LINK = "A token cannot create a link for a new password of its own account. Sign in to do so."


@api.post("/users/me/password", rule="account.change_password", is_atomic=False)
async def change_my_password(actor: Actor, user: User, data: queries.PasswordChange) -> OkResponse:
    """Change one's own password.

    Other sessions and links for a new password end, and personal tokens too with `ends_tokens`. A wrong `current`: 422;
    ten of them within five minutes: 429.
    """
    try:
        async with credentials.attempt(password=f"user:{user.id}"):
            await account_commands.change_password(
                actor, user, data.current, data.password, ends_tokens=data.ends_tokens
            )
    except Forbidden as wrong:
        raise invalid_field("current", wrong.sentence) from None
    return OK


@api.get("/users/me/tokens", Page[queries.PersonalTokenRead], rule="account.update")
async def list_my_tokens(actor: Actor, user: User, query: Paging) -> JsonObject:
    """List one's personal tokens without their secrets, newest first."""
    tokens = await Token.filter(user_id=user.id).order_by("-created_at")
    page = [queries.PersonalTokenRead.of(token, scopes=token.scopes or [credentials.EVERYTHING]) for token in tokens]
    return page_of(page, query)


@api.post("/users/me/tokens", rule="token.create_personal")
async def create_my_token(actor: Actor, user: User, data: queries.PersonalTokenCreate) -> queries.PersonalTokenCreated:
    """Create a personal token; the answer holds its secret, this once. A token creates none that outlives it: 422."""
    kind, credential_id = actor.credential
    latest = (await Token.get(id=credential_id)).expires_at if kind == "token" else None
    ends = data.expires_at
    if "expires_at" not in data.model_fields_set:
        usual = times.clock_now() + credentials.USUAL_LIFE
        ends = usual if latest is None else min(usual, latest)
    if latest is not None and (ends is None or ends > latest):
        raise Invalid(OUTLIVES)
    made = await credentials.create_personal_token(actor, user, data.name, ends, [*data.scopes])
    return queries.PersonalTokenCreated.of(made.row, token=made.secret)


async def own_token(actor: Actor, token_id: UUID) -> Token:
    return await existing(Token.get_or_none(id=token_id, user_id=actor.id))


@api.delete("/users/me/tokens/<token_id>", find=own_token, rule="token.revoke_personal")
async def revoke_my_token(actor: Actor, token: Token) -> OkResponse:
    """Revoke a personal token at once."""
    await credentials.revoke_personal_token(actor, token)
    return OK


async def person_of_admin(actor: Actor, user_id: UUID) -> User:
    """Return a person of whose organizations the actor administers all; NotFound for one whom the actor cannot see."""
    user = await existing(User.get_or_none(id=user_id))
    require(actor, "account.invite_reset", user)
    await account_commands.require_account_admin(actor, user)
    return user


@api.post("/users/<user_id>/reset-links", find=person_of_admin)
async def create_reset_link(actor: Actor, user: User) -> queries.ResetLink:
    """Create a link with which a person sets a new password, once, within 24 hours; earlier links end.

    Only for admins of every organization that the person belongs to.
    """
    if actor.id == user.id and actor.credential[0] == "token":
        raise Forbidden(OWN_LINK)
    base = (current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")
    return queries.ResetLink(url=f"{base}/reset/{await account_commands.make_reset_link(actor, user)}")


@api.post("/users/<user_id>/link-invitations", find=person_of_admin)
async def invite_account_link(actor: Actor, user: User) -> OkResponse:
    """Let the person who proves the account's address to the identity provider within 14 days take it over."""
    await invite_to_link(actor, user)
    return OK
