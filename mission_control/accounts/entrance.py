"""How the session of a browser begins and ends: first run, signing in and out, a new password by a link.

These are no operations of the API, because what they change is the browser's own cookie. The limits of guessing are
kept here; a wrong code or password is a refusal of the form that it was typed in.
"""

from quart import current_app, request
from quart_auth import AuthUser, login_user, logout_user

from mission_control.accounts import setup
from mission_control.accounts.commands import (
    owns_something,
    proven,
    reset_password,
    reset_target,
    sign_out,
    start_session,
    user_by_email,
)
from mission_control.accounts.forms import ResetForm, SetupForm, SignInForm
from mission_control.accounts.models import PasswordReset, User
from mission_control.accounts.sign_in_limits import remember_browser, sign_in_attempt
from mission_control.accounts.welcome import welcome
from mission_control.authn import authentication
from mission_control.authn.credentials import live_session
from mission_control.core.actor import system
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.limits import unknown_tokens, wrong_passwords
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.web.forms import FormInvalid

DEAD_LINK = "This link was used already or has expired. Ask an admin of your organization for a new one."


async def set_up(form: SetupForm) -> None:
    """Create the first owner and sign them in; Conflict when there is one."""
    if not await setup.is_open():
        raise Conflict("An owner exists already. Sign in instead.")
    try:
        with wrong_passwords.attempt(rate_limit_key(client_ip())):
            owner = await setup.complete_setup(
                form.code,
                form.organization_name,
                form.name,
                form.email,
                form.password,
                form.timezone,
                local_token=current_app.config["SETTINGS"].local_auth_token,
            )
    except Forbidden as wrong:
        raise FormInvalid(form.model_dump(), {"code": wrong.sentence}) from None
    await begin_session(owner)


async def begin_session(user: User) -> None:
    """Sign somebody in who has proved who they are; the session that this browser had ends."""
    agent = request.headers.get("User-Agent")
    secret = await start_session(system(setup.NOWHERE), user, agent, await live_session(), client_ip())
    login_user(AuthUser(secret), remember=True)


async def sign_in(form: SignInForm) -> None:
    """Sign a person in by e-mail and password."""
    try:
        async with sign_in_attempt(form.email):
            user = await proven(form.email, form.password, owners_only=passwords_are_for_owners())
    except Forbidden as wrong:
        raise FormInvalid(form.model_dump(), {"": wrong.sentence}) from None
    await begin_session(user)
    remember_browser(form.email)


async def is_to_be_welcomed(email: str) -> bool:
    """Whether the person with this address has no name or no time zone, and was not asked before; they are now."""
    user = await user_by_email(email)
    if user is None or user.welcomed_at is not None or (user.name and user.timezone):
        return False
    return await welcome(system(setup.NOWHERE), user)


def passwords_are_for_owners() -> bool:
    """Whether only owners sign in by password, because an identity provider signs everybody else in."""
    return bool(current_app.config["SETTINGS"].auth_mode != "local")


async def leave() -> None:
    """End this browser's session."""
    actor = await authentication.user_by_session()
    if actor is not None:
        await sign_out(actor, await User.get(id=actor.id))
    logout_user()


async def reset(form: ResetForm, secret: str) -> bool:
    """Set a new password by a link, which is used up then; return whether its person is signed in now."""
    await live_reset(secret)  # before the new password is hashed, which takes everybody's time
    user = await reset_password(secret, form.password, ends_others=form.ends_others is not False)
    if passwords_are_for_owners() and not await owns_something(user):
        return False
    await begin_session(user)
    return True


async def live_reset(secret: str) -> PasswordReset:
    """Return what a link is for. One that is dead counts against the address, like an unknown token."""
    target = await reset_target(secret)
    if target is None:
        key = rate_limit_key(client_ip())
        unknown_tokens.check(key)
        unknown_tokens.failed(key)
        raise NotFound(DEAD_LINK)
    return target
