"""Invitations as their makers see them: invite somebody, the link to copy, revoke."""

from typing import Any
from uuid import UUID

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.organizations.forms import InviteForm
from mission_control.organizations.invites import token_of
from mission_control.organizations.levels import level
from mission_control.organizations.models import Invite, InviteBoardAccess, Organization
from mission_control.organizations.people_view import boards_here, invitation
from mission_control.organizations.queries import active_organization, visible_invite
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.settings import settings_page
from mission_control.web.shell import signed_in

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


async def _form(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    mine = actor.memberships[actor.organization_id]
    context = {
        "values": values,
        "errors": errors,
        "boards": await boards_here(actor.organization_id),
        "may_make_owners": mine.role == "owner",
        "organization_name": mine.organization_name,
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
    actor = await signed_in()
    found = await visible_invite(actor, invite_id)
    require(actor, "invite.revoke", found)
    chosen = await InviteBoardAccess.filter(organization_invite_id=found.id)
    boards = await boards_here(actor.organization_id)
    token = token_of(actor, found, current_app.config["SECRET_KEY"])
    return await settings_page(
        actor,
        "organizations/invitation.html",
        "people",
        invite=invitation(found, [level(one.can_read, one.can_write) for one in chosen], len(boards)),
        link=f"{_base()}/invitations/{token}" if token else "",
        is_used=found.accepted_at is not None,
    )


def _base() -> str:
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


@action(pages, "POST", f"{INVITATIONS}/<uuid:invite_id>/revocations", performs="revoke_org_invite")
async def revoke(outcome: Outcome[Invite, None]) -> ResponseReturnValue:
    """Revoke an invitation."""
    return go("/settings/people?saved=revoked")
