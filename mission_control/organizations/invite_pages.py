"""Invitations as their makers see them: invite somebody, the link to copy, revoke."""

from uuid import UUID

from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.entrance import sends_mail
from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.organizations import invite_live
from mission_control.organizations.forms import InviteForm
from mission_control.organizations.models import Invite, Organization
from mission_control.organizations.people_view import boards_here
from mission_control.organizations.queries import active_organization, visible_invite
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import settings_page, signed_in

pages = Blueprint("invite_pages", __name__)
INVITATIONS = "/settings/people/invitations"
FRESH = {"email": "", "role": "member", "reach": "chosen", "boards": []}


@pages.get(f"{INVITATIONS}/new")
async def new() -> str:
    """Ask whom to invite: a dialog for htmx, else a page."""
    actor = await signed_in()
    require(actor, "invite.create", await active_organization(actor))
    return await _form(actor, FRESH | {"boards": await _suggested(actor)}, {})


async def _suggested(actor: Actor) -> list[str]:
    """Return what to begin with: to change the board that the address names, or the only one."""
    boards, wanted = await boards_here(actor.organization_id), request.args.get("board", "")
    named = [board for board in boards if str(board.id) == wanted or len(boards) == 1]
    return [f"{board.id}:write" for board in named]


async def _form(actor: Actor, values: Fields, errors: dict[str, str]) -> str:
    mine = actor.memberships[actor.organization_id]
    context = {
        "values": values,
        "errors": errors,
        "boards": await boards_here(actor.organization_id),
        "may_make_owners": mine.role == "owner",
        "organization_name": mine.organization_name,
        "sends_mail": sends_mail(),
    }
    if is_htmx():
        return render_macro("organizations/forms.html", "invite_dialog", **context)
    return await settings_page(actor, "organizations/invite.html", "people", **context)


async def _not_invited(refusal: Refusal[Organization, InviteForm]) -> ResponseReturnValue:
    errors = refusal.errors
    if not isinstance(refusal.error, FormInvalid) and "" in errors:
        errors = {"email": errors[""]}
    elif "invited_email" in errors:
        errors = {"email": errors["invited_email"]}
    return await _form(refusal.actor, FRESH | refusal.values, errors)


@action(pages, "POST", INVITATIONS, performs="create_org_invite", form=InviteForm, refused=_not_invited)
async def invite(outcome: Outcome[Organization, InviteForm]) -> ResponseReturnValue:
    """Invite somebody, and show the link to hand over."""
    return go(f"{INVITATIONS}/{outcome.answer.id}")


@pages.get(f"{INVITATIONS}/<uuid:invite_id>")
async def show(invite_id: UUID) -> str:
    """Show an invitation with its link, as long as somebody can accept it."""
    return await _shown(await signed_in(), invite_id)


async def _shown(actor: Actor, invite_id: UUID, error: str = "") -> str:
    found = await visible_invite(actor, invite_id)
    require(actor, "invite.revoke", found)
    return await settings_page(
        actor, invite_live.TEMPLATE, "people", **await invite_live.context(actor, found, _base(), error)
    )


@pages.get(f"{INVITATIONS}/<uuid:invite_id>/live")
async def live(invite_id: UUID) -> Response:
    """Keep the page of an invitation live."""
    actor = await signed_in()
    require(actor, "invite.revoke", await visible_invite(actor, invite_id))
    return await invite_live.stream(actor, invite_id, _base())


def _base() -> str:
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


async def _not_mailed(refusal: Refusal[Invite, None]) -> ResponseReturnValue:
    if refusal.found is None:
        raise refusal.error
    return await _shown(refusal.actor, refusal.found.id, refusal.sentence)


@action(
    pages,
    "POST",
    f"{INVITATIONS}/<uuid:invite_id>/mails",
    performs="send_invitation_mail",
    refused=_not_mailed,
)
async def mail(outcome: Outcome[Invite, None]) -> ResponseReturnValue:
    """Send an invitation by mail again."""
    return go(f"{INVITATIONS}/{outcome.found.id}")


@action(pages, "POST", f"{INVITATIONS}/<uuid:invite_id>/revocations", performs="revoke_org_invite")
async def revoke(outcome: Outcome[Invite, None]) -> ResponseReturnValue:
    """Revoke an invitation."""
    return go("/settings/people?saved=revoked")
