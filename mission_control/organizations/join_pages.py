"""The page behind an invitation's link: sign up or sign in, accept, and land on a board."""

from urllib.parse import quote

from quart import Blueprint, current_app
from quart.typing import ResponseReturnValue

from mission_control.accounts.models import User
from mission_control.authn import authentication
from mission_control.core.errors import Conflict
from mission_control.organizations import entrance
from mission_control.organizations.entrance import first_place
from mission_control.organizations.forms import AcceptForm, JoinForm
from mission_control.organizations.models import Member
from mission_control.web.actions import Outcome, Refusal, Typed, action, session_action
from mission_control.web.forms import Fields, FormInvalid, go
from mission_control.web.fragments import render_page

pages = Blueprint("join_pages", __name__)
INVITATION = "/invitations/<string:token>"


@pages.get(INVITATION)
async def invitation(token: str) -> str:
    """Show what somebody is invited to, and how to accept."""
    return await _page(token, {}, {})


async def _page(token: str, values: Fields, errors: dict[str, str]) -> str:
    actor = await authentication.user_by_session()
    user = await User.get(id=actor.id) if actor is not None else None
    return await render_page(
        "organizations/join.html",
        invite=await entrance.opened(token),
        token=token,
        here=quote(f"/invitations/{token}"),
        user=user,
        values=values,
        errors=errors,
        provider=current_app.config["SETTINGS"].sign_in_provider,
    )


async def _not_signed_up(refusal: Typed[JoinForm], token: str) -> ResponseReturnValue:
    refusal.only(FormInvalid, Conflict)
    return await _page(token, refusal.values, refusal.errors)


@session_action(pages, INVITATION, performs=entrance.sign_up, form=JoinForm, refused=_not_signed_up)
async def sign_up(form: JoinForm, member: Member) -> ResponseReturnValue:
    """Make the account, join and go on."""
    return go(await first_place(member))


async def _not_joined(refusal: Refusal[None, AcceptForm]) -> ResponseReturnValue:
    if refusal.form is None:
        raise refusal.error
    return await _page(refusal.form.token, {}, refusal.errors)


@action(pages, "POST", "/invitations/acceptances", performs="accept_org_invite", form=AcceptForm, refused=_not_joined)
async def accept(outcome: Outcome[None, AcceptForm]) -> ResponseReturnValue:
    """Join the organization with the account that one is signed in to, and go on."""
    joined = await Member.get(id=outcome.answer["id"])
    return go(await first_place(joined))
