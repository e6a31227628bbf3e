"""Pages without a session: first run, sign in and out, new password by a link."""

from urllib.parse import quote

from quart import Blueprint, current_app, redirect, request
from quart.typing import ResponseReturnValue

from mission_control.accounts import entrance, setup
from mission_control.accounts.entrance import ForgottenForm, ResetForm, SetupForm, SignInForm, sends_mail
from mission_control.accounts.models import User
from mission_control.authn import authentication
from mission_control.core.errors import Conflict, NotFound
from mission_control.web.actions import Typed, session_action
from mission_control.web.forms import Fields, FormInvalid, go
from mission_control.web.fragments import render_page
from mission_control.web.shell import safe_next

pages = Blueprint("accounts_pages", __name__)


@pages.get("/setup")
async def setup_form() -> ResponseReturnValue:
    """Show the setup form."""
    if not await setup.is_open():
        return redirect("/sign-in", 303)
    return await _setup_page({}, {})


async def _setup_page(values: Fields, errors: dict[str, str]) -> str:
    return await render_page("accounts/setup.html", values=values, errors=errors)


async def _not_set_up(refusal: Typed[SetupForm]) -> ResponseReturnValue:
    if isinstance(refusal.error, Conflict) or not await setup.is_open():
        return go("/sign-in")
    refusal.only(FormInvalid)
    return await _setup_page(refusal.values, refusal.errors)


@session_action(pages, "/setup", performs=entrance.set_up, form=SetupForm, refused=_not_set_up)
async def set_up(form: SetupForm, _: None) -> ResponseReturnValue:
    """Create the first owner and sign them in."""
    return go("/")


@pages.get("/sign-in")
async def sign_in_form() -> ResponseReturnValue:
    """Ask for e-mail and password."""
    if await setup.is_setup_pending():
        return redirect("/setup", 303)
    wanted = safe_next(request.args.get("next"))
    if await authentication.user_by_session():
        return redirect(wanted, 303)
    return await sign_in_page({"next": wanted}, {})


async def sign_in_page(values: Fields, errors: dict[str, str]) -> str:
    name = current_app.config["SETTINGS"].sign_in_provider
    return await render_page(
        "accounts/sign_in.html", values=values, errors=errors, provider=name, sends_mail=sends_mail()
    )


async def _not_signed_in(refusal: Typed[SignInForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    return await sign_in_page(refusal.values, refusal.errors)


@session_action(pages, "/sign-in", performs=entrance.sign_in, form=SignInForm, refused=_not_signed_in)
async def enter(form: SignInForm, _: None) -> ResponseReturnValue:
    """Start a session; go on, once by what is missing in the profile."""
    wanted = safe_next(form.next)
    is_asked = not wanted.startswith("/invitations/") and await entrance.is_to_be_welcomed(form.email)
    return go(f"/welcome?next={quote(wanted)}" if is_asked else wanted)


@pages.get("/sign-in/forgotten")
async def forgotten_form() -> str:
    """Ask whose password is forgotten."""
    if not sends_mail():
        raise NotFound(entrance.NO_SERVER)
    return await _forgotten_page({}, {})


async def _forgotten_page(values: Fields, errors: dict[str, str], *, is_sent: bool = False) -> str:
    return await render_page("accounts/forgotten.html", values=values, errors=errors, is_sent=is_sent)


async def _not_asked(refusal: Typed[ForgottenForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    return await _forgotten_page(refusal.values, refusal.errors)


@session_action(pages, "/sign-in/forgotten", performs=entrance.ask, form=ForgottenForm, refused=_not_asked)
async def forgotten(form: ForgottenForm, _: None) -> ResponseReturnValue:
    """Send a link for a new password, and say so whether there is an account or not."""
    return await _forgotten_page({"email": form.email}, {}, is_sent=True)


@session_action(pages, "/sign-out", performs=entrance.leave)
async def leave(form: None, _: None) -> ResponseReturnValue:
    """End this browser's session."""
    return go("/sign-in")


@pages.get("/reset/<secret>")
async def reset_form(secret: str) -> ResponseReturnValue:
    """Show the form for a new password."""
    return await _reset_page(secret, {})


async def _reset_page(secret: str, errors: dict[str, str], *, ends_others: bool = True) -> str:
    user = await User.get(id=(await entrance.live_reset(secret)).user_id)
    values = {"name": user.display_name, "email": user.email or "", "ends_others": ends_others}
    return await render_page("accounts/reset.html", errors=errors, **values)


async def _not_reset(refusal: Typed[ResetForm], secret: str) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    ends_others = refusal.values.get("ends_others") != "false"
    return await _reset_page(secret, refusal.errors, ends_others=ends_others)


@session_action(pages, "/reset/<secret>", performs=entrance.reset, form=ResetForm, refused=_not_reset)
async def reset(form: ResetForm, is_signed_in: bool) -> ResponseReturnValue:
    """Set the new password, use the link up and sign the person in."""
    return go("/" if is_signed_in else "/sign-in")
