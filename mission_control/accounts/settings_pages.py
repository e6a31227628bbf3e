"""Settings: a person's profile, password, sessions and tokens; for admins the people of the organization."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue
from quart_auth import logout_user

from mission_control.accounts.commands import (
    change_password,
    end_everything,
    end_other_sessions,
    make_reset_link,
    update_profile,
)
from mission_control.accounts.forms import PasswordForm, ProfileForm, TokenForm
from mission_control.accounts.models import Token, User
from mission_control.accounts.provider_links import invite_to_link
from mission_control.accounts.settings_view import settings_context
from mission_control.accounts.tokens import create_personal_token, revoke_personal_token
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, NotFound
from mission_control.core.limits import wrong_passwords
from mission_control.web.forms import FormInvalid, go, read_form
from mission_control.web.regions import Reads, View, live_page
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("settings_pages", __name__)
SAVED = {
    "profile": "Your profile is saved.",
    "password": "Your password is changed. Other browsers were signed out.",
    "sessions": "Other browsers were signed out.",
    "tokens": "The token is revoked.",
    "linked": "Your account is linked. Other browsers were signed out.",
    "let-link": "Whoever proves this address to the provider within 14 days gets the account.",
}


@pages.get("/settings")
async def settings() -> str:
    """Everything a person can set."""
    actor = await signed_in()
    saved = request.args.get("saved", "")
    return await _page(actor, saved=saved if saved in SAVED else "")


@pages.get("/settings/live")
async def live() -> Response:
    """Keep what surrounds a page live that has no other news; `active` is its place in the sidebar."""
    active = request.args.get("active") or "settings"

    async def look(viewer: Actor, reads: Reads) -> View:
        return View(actor=viewer, active=active, reads=reads)

    return await live_page(await signed_in(), look)


async def _page(actor: Actor, **changes: Any) -> str:
    context = await settings_context(actor)
    context |= {"saved": "", "sentences": SAVED, "section": "", "errors": {}, "values": {}, "secret": "", "link": {}}
    return await shell_page(actor, "accounts/settings.html", active="settings", **(context | changes))


@pages.post("/settings/profile")
async def save_profile() -> ResponseReturnValue:
    """Change name and time zone."""
    actor = await signed_in()
    try:
        form = await read_form(ProfileForm)
    except FormInvalid as invalid:
        return await _page(actor, section="profile", profile=invalid.values, errors=invalid.errors), 422
    await update_profile(actor, await User.get(id=actor.id), form.model_dump())
    return go("/settings?saved=profile#profile")


@pages.post("/settings/password")
async def save_password() -> ResponseReturnValue:
    """Change the password."""
    actor = await signed_in()
    try:
        with wrong_passwords.attempt(f"user:{actor.id}"):
            form = await read_form(PasswordForm)
            user = await User.get(id=actor.id)
            await change_password(actor, user, form.current, form.password, ends_tokens=form.ends_tokens)
    except FormInvalid as invalid:
        return await _page(actor, section="password", errors=invalid.errors), 422
    except Forbidden as wrong:
        return await _page(actor, section="password", errors={"current": wrong.sentence}), 422
    return go("/settings?saved=password#password")


@pages.post("/settings/sessions/endings")
async def end_sessions() -> Response:
    """Sign other browsers out."""
    actor = await signed_in()
    await end_other_sessions(actor, await User.get(id=actor.id))
    return go("/settings?saved=sessions#sessions")


@pages.post("/settings/endings")
async def end_all() -> Response:
    """End every session, this one too, every personal token and every link for a new password."""
    actor = await signed_in()
    await end_everything(actor, await User.get(id=actor.id))
    logout_user()
    return go("/sign-in")


@pages.post("/settings/tokens")
async def add_token() -> ResponseReturnValue:
    """Make a personal token and show it, once."""
    actor = await signed_in()
    try:
        form = await read_form(TokenForm)
    except FormInvalid as invalid:
        return await _page(actor, section="tokens", values=invalid.values, errors=invalid.errors), 422
    ends = clock.now() + timedelta(days=form.days) if form.days else None
    made = await create_personal_token(actor, await User.get(id=actor.id), form.token_name, ends)
    return await _page(actor, section="tokens", secret=made.secret)


@pages.post("/settings/tokens/<uuid:token_id>/revocations")
async def revoke_token(token_id: UUID) -> Response:
    """End a personal token."""
    actor = await signed_in()
    token = await Token.get_or_none(id=token_id, user_id=actor.id)
    if token is None:
        raise NotFound()
    await revoke_personal_token(actor, token)
    return go("/settings?saved=tokens#tokens")


@pages.post("/settings/people/<uuid:user_id>/link-invitations")
async def let_link(user_id: UUID) -> Response:
    """Let whoever proves somebody's address to the identity provider take their account."""
    actor = await signed_in()
    user = await User.get_or_none(id=user_id)
    if user is None:
        raise NotFound()
    await invite_to_link(actor, user)
    return go("/settings?saved=let-link#people")


@pages.post("/settings/people/<uuid:user_id>/reset-links")
async def reset_link(user_id: UUID) -> str:
    """Make a one-time link for somebody's new password and show it, once."""
    actor = await signed_in()
    user = await User.get_or_none(id=user_id)
    if user is None:
        raise NotFound()
    base = current_app.config["SETTINGS"].base_url or request.host_url
    link = f"{base.rstrip('/')}/reset/{await make_reset_link(actor, user)}"
    return await _page(actor, section="people", link={"url": link, "name": user.display_name, "id": user.id})
