"""Invitations as pages: for their makers, and behind the link."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.entrance import sends_mail
from mission_control.accounts.models import User
from mission_control.authn import authentication
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.policy import can, require
from mission_control.live.models import Event
from mission_control.organizations import entrance
from mission_control.organizations.access import level
from mission_control.organizations.commands import token_of
from mission_control.organizations.entrance import first_place, mails_of
from mission_control.organizations.forms import AcceptForm, InviteForm, JoinForm
from mission_control.organizations.models import Invite, InviteBoardAccess, Member, Organization
from mission_control.organizations.people_view import boards_here
from mission_control.organizations.people_view import invitation as people_view_invitation
from mission_control.organizations.queries import active_organization, visible_invite
from mission_control.web.actions import Outcome, Refusal, Typed, action, session_action
from mission_control.web.forms import Fields, FormInvalid, go, is_htmx
from mission_control.web.fragments import render_block, render_macro, render_page
from mission_control.web.regions import Concerns, Reads, Region, Signal, View, live_page
from mission_control.web.shell import settings_page, signed_in

PAGE, TEMPLATE = "invitation", "organizations/invitation.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView(View):
    """An invitation as somebody sees it; none once it was revoked."""

    invite: Invite | None
    base: str


async def context(actor: Actor, invite: Invite, base: str, error: str = "") -> dict[str, Any]:
    """Return what the page shows; the link as long as somebody can accept it."""
    chosen = await InviteBoardAccess.filter(organization_invite_id=invite.id)
    boards = await boards_here(actor.organization_id)
    token = token_of(actor, invite, current_app.config["SECRET_KEY"])
    return {
        "invite": people_view_invitation(invite, [level(one.can_read, one.can_write) for one in chosen], len(boards)),
        "link": f"{base}/invitations/{token}" if token else "",
        "is_used": invite.accepted_at is not None,
        "mail": (await mails_of([invite])).get(invite.id),
        "sends_mail": sends_mail(),
        "error": error,
    }


async def stream(actor: Actor, invite_id: UUID, base: str) -> Response:

    async def look(viewer: Actor, reads: Reads) -> InvitationView | None:
        try:
            found = await visible_invite(viewer, invite_id)
        except NotFound:
            found = None
        if not (can(viewer, "invite.revoke", found) if found else viewer.administers(viewer.organization_id)):
            return None
        return InvitationView(actor=viewer, pages=(PAGE,), active="settings", reads=reads, invite=found, base=base)

    return await live_page(actor, look)


async def _invitation(view: InvitationView) -> str:
    shown = await context(view.actor, view.invite, view.base) if view.invite else {"invite": None}
    return await render_block(TEMPLATE, "invitation", **shown)


def _is_its_own(view: InvitationView, news: Event | Signal) -> bool:
    """Events of invitations are few; a signal names the mail that it is about."""
    return isinstance(news, Event) or (
        view.invite is not None and news["delivery_id"] == str(view.invite.mail_delivery_id)
    )


NEWS = Concerns[InvitationView](("invite.",), ("delivery_id",), _is_its_own)
REGIONS = (Region(PAGE, "#invitation", NEWS, _invitation),)


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


@action(pages, INVITATIONS, form=InviteForm, refused=_not_invited)
async def create_org_invite(outcome: Outcome[Organization, InviteForm]) -> ResponseReturnValue:
    """Invite somebody, and show the link to hand over."""
    return go(f"{INVITATIONS}/{outcome.answer.id}")


@pages.get(f"{INVITATIONS}/<uuid:invite_id>")
async def show(invite_id: UUID) -> str:
    """Show an invitation with its link, as long as somebody can accept it."""
    return await _shown(await signed_in(), invite_id)


async def _shown(actor: Actor, invite_id: UUID, error: str = "") -> str:
    found = await visible_invite(actor, invite_id)
    require(actor, "invite.revoke", found)
    return await settings_page(actor, TEMPLATE, "people", **await context(actor, found, _base(), error))


@pages.get(f"{INVITATIONS}/<uuid:invite_id>/live")
async def live(invite_id: UUID) -> Response:
    """Keep the page of an invitation live."""
    actor = await signed_in()
    require(actor, "invite.revoke", await visible_invite(actor, invite_id))
    return await stream(actor, invite_id, _base())


def _base() -> str:
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


async def _not_mailed(refusal: Refusal[Invite, None]) -> ResponseReturnValue:
    if refusal.found is None:
        raise refusal.error
    return await _shown(refusal.actor, refusal.found.id, refusal.sentence)


@action(pages, f"{INVITATIONS}/<uuid:invite_id>/mails", refused=_not_mailed)
async def send_invitation_mail(outcome: Outcome[Invite, None]) -> ResponseReturnValue:
    """Send an invitation by mail again."""
    return go(f"{INVITATIONS}/{outcome.found.id}")


@action(pages, f"{INVITATIONS}/<uuid:invite_id>/revocations")
async def revoke_org_invite(outcome: Outcome[Invite, None]) -> ResponseReturnValue:
    """Revoke an invitation."""
    return go("/settings/people?saved=revoked")


join_pages = Blueprint("join_pages", __name__)
INVITATION = "/invitations/<string:token>"


@join_pages.get(INVITATION)
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


@session_action(join_pages, INVITATION, performs=entrance.sign_up, form=JoinForm, refused=_not_signed_up)
async def sign_up(form: JoinForm, member: Member) -> ResponseReturnValue:
    """Make the account, join and go on."""
    return go(await first_place(member))


async def _not_joined(refusal: Refusal[None, AcceptForm]) -> ResponseReturnValue:
    if refusal.form is None:
        raise refusal.error
    return await _page(refusal.form.token, {}, refusal.errors)


@action(join_pages, "/invitations/acceptances", form=AcceptForm, refused=_not_joined)
async def accept_org_invite(outcome: Outcome[None, AcceptForm]) -> ResponseReturnValue:
    """Join the organization with the account that one is signed in to, and go on."""
    joined = await Member.get(id=outcome.answer.id)
    return go(await first_place(joined))
