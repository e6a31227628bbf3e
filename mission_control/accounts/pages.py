"""The entrance: first run, signing in and out, a new password by a link."""

from typing import Any

from quart import Blueprint, Response, current_app, redirect, request
from quart.typing import ResponseReturnValue
from quart_auth import AuthUser, login_user, logout_user

from mission_control.accounts import setup
from mission_control.accounts.commands import (
    owns_something,
    proven,
    reset_password,
    reset_target,
    sign_out,
    start_session,
)
from mission_control.accounts.forms import ResetForm, SetupForm, SignInForm
from mission_control.accounts.models import PasswordReset, User
from mission_control.accounts.sign_in_limits import remember_browser, sign_in_attempt
from mission_control.authn import authentication
from mission_control.authn.credentials import live_session
from mission_control.core.actor import system
from mission_control.core.errors import Forbidden, NotFound
from mission_control.core.limits import unknown_tokens, wrong_passwords
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.http.request_log import hide_after
from mission_control.web.forms import FormInvalid, go, read_form
from mission_control.web.fragments import render_page
from mission_control.web.shell import safe_next

pages = Blueprint("accounts_pages", __name__)
hide_after("/reset/")
DEAD_LINK = "This link was used already or has expired. Ask an admin of your organization for a new one."


@pages.get("/setup")
async def setup_form() -> ResponseReturnValue:
    """Ask for the one-time code and the first owner."""
    if not await setup.is_open():
        return redirect("/sign-in", 303)
    return await _setup_page({}, {})


@pages.post("/setup")
async def set_up() -> ResponseReturnValue:
    """Make the first owner and sign them in."""
    authentication.require_same_origin()
    if not await setup.is_open():
        return go("/sign-in")
    try:
        owner = await _owner(await read_form(SetupForm))
    except FormInvalid as invalid:
        return await _setup_page(invalid.values, invalid.errors), 422
    await begin_session(owner)
    return go("/boards")


async def _setup_page(values: dict[str, Any], errors: dict[str, str]) -> str:
    return await render_page("accounts/setup.html", values=values, errors=errors)


async def _owner(form: SetupForm) -> User:
    try:
        with wrong_passwords.attempt(rate_limit_key(client_ip())):
            return await setup.complete_setup(form.code, form.organization_name, form.name, form.email, form.password)
    except Forbidden as wrong:
        raise FormInvalid(form.model_dump(), {"code": wrong.sentence}) from None


async def begin_session(user: User) -> None:
    """Sign somebody in who has proved who they are; the session that this browser had ends."""
    agent = request.headers.get("User-Agent")
    secret = await start_session(system(setup.NOWHERE), user, agent, await live_session())
    login_user(AuthUser(secret), remember=True)


@pages.get("/sign-in")
async def sign_in_form() -> ResponseReturnValue:
    """Ask who is there."""
    if await setup.comes_first():
        return redirect("/setup", 303)
    wanted = safe_next(request.args.get("next"))
    if await authentication.user_by_session():
        return redirect(wanted, 303)
    return await _sign_in_page({"next": wanted}, {})


@pages.post("/sign-in")
async def enter() -> ResponseReturnValue:
    """Start a session."""
    authentication.require_same_origin()
    try:
        form = await read_form(SignInForm)
        await begin_session(await _person(form))
        remember_browser(form.email)
    except FormInvalid as invalid:
        return await _sign_in_page(invalid.values, invalid.errors), 422
    return go(safe_next(form.next))


async def _sign_in_page(values: dict[str, Any], errors: dict[str, str]) -> str:
    name = current_app.config["SETTINGS"].sign_in_provider
    return await render_page("accounts/sign_in.html", values=values, errors=errors, provider=name)


def _passwords_are_for_owners() -> bool:
    return bool(current_app.config["SETTINGS"].auth_mode != "local")


async def _person(form: SignInForm) -> User:
    try:
        async with sign_in_attempt(form.email):
            return await proven(form.email, form.password, owners_only=_passwords_are_for_owners())
    except Forbidden as wrong:
        raise FormInvalid(form.model_dump(), {"": wrong.sentence}) from None


@pages.post("/sign-out")
async def leave() -> Response:
    """End this browser's session."""
    # Its cookie stays away when another site sends the form, and must not be taken away.
    authentication.require_same_origin()
    actor = await authentication.user_by_session()
    if actor is not None:
        await sign_out(actor, await User.get(id=actor.id))
    logout_user()
    return go("/sign-in")


@pages.get("/reset/<secret>")
async def reset_form(secret: str) -> ResponseReturnValue:
    """Ask for a new password."""
    return await _reset_page(secret, {})


@pages.post("/reset/<secret>")
async def reset(secret: str) -> ResponseReturnValue:
    """Set the new password; the link is used up and its person signed in."""
    authentication.require_same_origin()
    await _reset_target(secret)  # before the new password is hashed, which takes everybody's time
    try:
        form = await read_form(ResetForm)
    except FormInvalid as invalid:
        return await _reset_page(secret, invalid.errors, ends_others=invalid.values.get("ends_others") != "false"), 422
    user = await reset_password(secret, form.password, ends_others=form.ends_others is not False)
    if _passwords_are_for_owners() and not await owns_something(user):
        return go("/sign-in")
    await begin_session(user)
    return go("/")


async def _reset_target(secret: str) -> PasswordReset:
    """What a link is for; one that is dead counts against the address, like an unknown token, and a good one never."""
    target = await reset_target(secret)
    if target is None:
        key = rate_limit_key(client_ip())
        unknown_tokens.check(key)
        unknown_tokens.failed(key)
        raise NotFound(DEAD_LINK)
    return target


async def _reset_page(secret: str, errors: dict[str, str], *, ends_others: bool = True) -> str:
    user = await User.get(id=(await _reset_target(secret)).user_id)
    values = {"name": user.display_name, "email": user.email or "", "ends_others": ends_others}
    return await render_page("accounts/reset.html", errors=errors, **values)
