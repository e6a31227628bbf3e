"""The first visit: name and time zone, asked where they are missing."""

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.forms import WelcomeForm
from mission_control.accounts.models import User
from mission_control.accounts.settings_view import zones
from mission_control.core.errors import Invalid
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go
from mission_control.web.fragments import render_page
from mission_control.web.shell import safe_next, signed_in

pages = Blueprint("welcome_pages", __name__)
WELCOME = "/welcome"


@pages.get(WELCOME)
async def welcome() -> str:
    """Ask for name and time zone."""
    user = await User.get(id=(await signed_in()).id)
    values = {"name": user.name or "", "timezone": user.timezone or "", "next": safe_next(request.args.get("next"))}
    return await _page(values, {})


async def _page(values: Fields, errors: dict[str, str]) -> str:
    return await render_page("accounts/welcome.html", values=values, errors=errors, zones=zones())


async def _not_saved(refusal: Refusal[None, WelcomeForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    return await _page(refusal.values, refusal.errors)


@action(pages, "POST", WELCOME, performs="update_me", form=WelcomeForm, refused=_not_saved)
async def save(outcome: Outcome[None, WelcomeForm]) -> ResponseReturnValue:
    """Save both, and go on."""
    return go(safe_next(outcome.form.next))
