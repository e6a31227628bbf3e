"""Settings: a person's profile, password, sessions and tokens; for admins the people of the organization."""

from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from quart_auth import logout_user

from mission_control.accounts.forms import PasswordForm, ProfileForm, TokenForm
from mission_control.accounts.models import Token, User
from mission_control.accounts.settings_view import settings_context
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, go
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.regions import Reads, View, live_page
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("settings_pages", __name__)
SAVED = {
    "profile": "Your profile is saved.",
    "password": "Your password is changed. Other browsers were signed out.",
    "sessions": "Other browsers were signed out.",
    "tokens": "The token is revoked.",
    "linked": "Your account is linked. Other browsers were signed out.",
    "let-link": "The person who proves this address to the provider within 14 days gets the account.",
}


@pages.get("/settings")
async def settings() -> str:
    """Show the settings."""
    actor = await signed_in()
    saved = request.args.get("saved", "")
    return await _page(actor, saved=saved if saved in SAVED else "")


@pages.get("/settings/live")
async def live() -> Response:
    """Keep the shell of a page without a stream of its own live; `active` is its place in the sidebar."""
    active = request.args.get("active") or "settings"

    async def look(viewer: Actor, reads: Reads) -> View:
        return View(actor=viewer, active=active, reads=reads)

    return await live_page(await signed_in(), look)


async def _page(actor: Actor, **changes: Any) -> str:
    context = await settings_context(actor)
    context |= {"saved": "", "sentences": SAVED, "section": "", "errors": {}, "values": {}, "secret": "", "link": {}}
    return await shell_page(actor, "accounts/settings.html", active="settings", **(context | changes))


async def _refused(refusal: Refusal[Any, Any], section: str, **values: Any) -> str:
    """Return the page with the reasons in one section; an error page when it is not about what was typed."""
    if not isinstance(refusal.error, FormInvalid | Invalid):
        raise refusal.error
    return await _page(refusal.actor, section=section, errors=refusal.errors, **values)


async def _profile_refused(refusal: Refusal[None, ProfileForm]) -> ResponseReturnValue:
    return await _refused(refusal, "profile", profile=refusal.values)


@action(pages, "POST", "/settings/profile", performs="update_me", form=ProfileForm, refused=_profile_refused)
async def save_profile(outcome: Outcome[None, ProfileForm]) -> ResponseReturnValue:
    """Change name and time zone."""
    return go("/settings?saved=profile#profile")


async def _password_refused(refusal: Refusal[User, PasswordForm]) -> ResponseReturnValue:
    return await _refused(refusal, "password")


@action(
    pages, "POST", "/settings/password",
    performs="change_my_password", form=PasswordForm, refused=_password_refused,
)  # fmt: skip
async def save_password(outcome: Outcome[User, PasswordForm]) -> ResponseReturnValue:
    """Change the password."""
    return go("/settings?saved=password#password")


@action(pages, "POST", "/settings/sessions/endings", performs="end_my_other_sessions")
async def end_sessions(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Sign other browsers out."""
    return go("/settings?saved=sessions#sessions")


@action(pages, "POST", "/settings/endings", performs="end_my_access")
async def end_all(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """End every session, this one too, every personal token and every link for a new password."""
    logout_user()
    return go("/sign-in")


async def _token_refused(refusal: Refusal[User, TokenForm]) -> ResponseReturnValue:
    return await _refused(refusal, "tokens", values=refusal.values)


@action(pages, "POST", "/settings/tokens", performs="create_my_token", form=TokenForm, refused=_token_refused)
async def add_token(outcome: Outcome[User, TokenForm]) -> ResponseReturnValue:
    """Create a personal token and show it, once."""
    return await _page(outcome.actor, section="tokens", secret=outcome.answer.token)


@action(pages, "POST", "/settings/tokens/<uuid:token_id>/revocations", performs="revoke_my_token")
async def revoke_token(outcome: Outcome[Token, None]) -> ResponseReturnValue:
    """Revoke a personal token."""
    return go("/settings?saved=tokens#tokens")


@action(pages, "POST", "/settings/people/<uuid:user_id>/link-invitations", performs="invite_account_link")
async def let_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Let the person who proves the account's address to the identity provider take it over."""
    return go("/settings?saved=let-link#people")


@action(pages, "POST", "/settings/people/<uuid:user_id>/reset-links", performs="create_reset_link")
async def reset_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Create a one-time link for a person's new password and show it, once."""
    user, url = outcome.found, outcome.answer.url
    return await _page(outcome.actor, section="people", link={"url": url, "name": user.display_name, "id": user.id})
