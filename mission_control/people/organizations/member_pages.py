"""The people of the organization and invitations, as pages, also behind an invitation's link."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from quart import Blueprint, Response, current_app, render_template, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict, DomainError
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.http import authentication
from mission_control.http.request_log import SecretPath
from mission_control.people.models import Invite, InviteBoardAccess, Member, Organization, User
from mission_control.people.organizations import invitations, member_view, queries
from mission_control.people.organizations.access import boards_here, level
from mission_control.people.organizations.commands import token_of
from mission_control.people.organizations.invitations import first_place, mails_of
from mission_control.people.organizations.pages import AcceptForm, InviteForm, JoinForm, RoleForm
from mission_control.people.sign_in.browser_sessions import sends_mail
from mission_control.web.actions import Outcome, Refusal, Typed, action, again, session_action
from mission_control.web.forms import Fields, FormInvalid, done, go, is_htmx
from mission_control.web.fragments import PageContext, render_block, render_macro
from mission_control.web.lists import Asked, LiveList, Pages, number_asked, ordering
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import SettingsPage, settings_page, signed_in

SECRET = SecretPath("/invitations/")

PAGE, TEMPLATE = "invitation", "people/organizations/invitation.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView(View):
    """An invitation as somebody sees it; none once it was revoked."""

    invite: Invite | None


async def context(actor: Actor, invite: Invite, error: str = "") -> PageContext:
    """Return what the page shows; the link as long as somebody can accept it."""
    chosen = await InviteBoardAccess.filter(organization_invite_id=invite.id)
    boards = await boards_here(actor.organization_id)
    token = token_of(actor, invite, current_app.config["SECRET_KEY"])
    base = str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")
    return {
        "invite": invite,
        "reach": member_view.invite_reach(invite, [level(one.can_read, one.can_write) for one in chosen], len(boards)),
        "link": f"{base}/invitations/{token}" if token else "",
        "mail": (await mails_of([invite])).get(invite.id),
        "sends_mail": sends_mail(),
        "error": error,
    }


async def _invitation(view: InvitationView) -> str:
    shown = await context(view.actor, view.invite) if view.invite else {"invite": None}
    return await render_block(TEMPLATE, "invitation", **shown)


def _is_its_own(view: InvitationView, news: News) -> bool:
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
    """Ask whom to invite, at first to the board of the address, or the only one: a dialog for htmx, else a page."""
    actor = await signed_in()
    require(actor, "invite.create", await queries.active_organization(actor))
    boards, wanted = await boards_here(actor.organization_id), request.args.get("board", "")
    suggested = [f"{board.id}:write" for board in boards if str(board.id) == wanted or len(boards) == 1]
    return await _form(actor, FRESH | {"boards": suggested}, {})


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
        return render_macro("people/organizations/forms.html", "invite_dialog", **context)
    return await settings_page(actor, "people/organizations/invite.html", "people", **context)


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
    actor = await signed_in()
    found = await queries.visible_invite(actor, invite_id)
    require(actor, "invite.revoke", found)
    return await _shown(actor, found, {}, {})


async def _shown(actor: Actor, found: Invite, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(actor, TEMPLATE, "people", **await context(actor, found, " ".join(errors.values())))


@pages.get(f"{INVITATIONS}/<uuid:invite_id>/live")
async def live(invite_id: UUID) -> Response:
    """Keep the page of an invitation live."""
    actor = await signed_in()
    require(actor, "invite.revoke", await queries.visible_invite(actor, invite_id))

    async def look(viewer: Actor, reads: Reads) -> InvitationView | None:
        found = await Invite.get_or_none(id=invite_id, organization_id=viewer.organization_id)
        if not (can(viewer, "invite.revoke", found) if found else viewer.administers(viewer.organization_id)):
            return None
        return InvitationView(actor=viewer, pages=(PAGE,), active="settings", reads=reads, invite=found)

    return await live_page(actor, look)


@action(pages, f"{INVITATIONS}/<uuid:invite_id>/resends", refused=again(_shown, DomainError))
async def resend_invitation(outcome: Outcome[Invite, None]) -> ResponseReturnValue:
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
    return await render_template(
        "people/organizations/join.html",
        opened=await invitations.opened(token),
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


@session_action(join_pages, INVITATION, performs=invitations.sign_up, form=JoinForm, refused=_not_signed_up)
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


people_pages = Pages("people_pages", __name__)
PEOPLE = "/settings/people"
MEMBER = f"{PEOPLE}/<uuid:member_id>"
SETTINGS = SettingsPage("people", "Organization", "People", PEOPLE, "users", 120, "members roles access invite matrix")
SAVED = {
    "role": "The role is changed.",
    "removed": "They were removed from the organization.",
    "revoked": "The invitation is revoked. Its link is worth nothing now.",
    "let-link": "The person who proves this address to the provider within 14 days gets the account.",
}


def _saved() -> str:
    return SAVED.get(request.args.get("saved", ""), "") if request.method == "GET" else ""


async def _members(actor: Actor, asked: Asked) -> PageContext:
    """Return the members and, for admins, the open invitations."""
    orders = member_view.orders_for(actor)
    order = asked.order if asked.order in orders else "role"
    members, total = await member_view.members_of(actor, asked.first, order)
    is_admin = actor.administers(actor.organization_id)
    return {
        "members": members,
        "total": total,
        "offset": asked.first,
        "at_once": member_view.AT_ONCE,
        "invitations": await member_view.invitations_of(actor) if is_admin and asked.first == 0 else [],
        "is_admin": is_admin,
        **ordering(orders, order),
    }


async def _around(actor: Actor) -> dict[str, str]:
    return {"saved": _saved()}


LiveList(
    pages=people_pages, place=SETTINGS, template="people/organizations/people.html", read=_members,
    orders=member_view.ORDERS_OF_ADMINS, around=_around, blocks=("people",),
    news=Concerns[View](
        ("member.", "invite.", "board.created", "board.deleted", "board.restored", "organization."),
        ("delivery_id",),  # a mail with an invitation
    ),
)  # fmt: skip


async def _reaches(actor: Actor, corner: tuple[int, int]) -> PageContext:
    """Return the members with the boards that each of them reaches, a page of both."""
    offset, boards_from = corner
    members, total = await member_view.members_of(actor, offset)
    boards = await boards_here(actor.organization_id)
    return {
        "members": members,
        "total": total,
        "offset": offset,
        "at_once": member_view.AT_ONCE,
        "boards": boards[boards_from : boards_from + member_view.BOARDS_AT_ONCE],
        "board_total": len(boards),
        "boards_from": boards_from,
        "boards_at_once": member_view.BOARDS_AT_ONCE,
    }


LiveList(
    pages=people_pages, place=SETTINGS, path=f"{PEOPLE}/access", template="people/organizations/access.html",
    read=_reaches, asks=lambda: (number_asked("from"), number_asked("boards")), blocks=("matrix",),
    news=Concerns[View](("member.", "invite.accepted", "board.")), verb="organization.administer",
)  # fmt: skip


@people_pages.get(MEMBER)
async def member(member_id: UUID) -> str:
    """Show a member: role, boards, sign-in, removal."""
    actor = await signed_in()
    require(actor, "member.read", await queries.visible_member(actor, member_id))
    return await _member_page(actor, member_id)


async def _member_page(actor: Actor, member_id: UUID, **changes: object) -> str:
    context = {
        "member": await member_view.member_of(actor, member_id),
        "boards": await boards_here(actor.organization_id),
        "provider": current_app.config["SETTINGS"].sign_in_provider,
        "may_make_owners": actor.memberships[actor.organization_id].role == "owner",
        "saved": _saved(),
        "error": "",
    }
    return await settings_page(actor, "people/organizations/member.html", "people", **(context | changes))


async def _not_changed(refusal: Refusal[Member, object]) -> ResponseReturnValue:
    if isinstance(refusal.error, FormInvalid) or is_htmx():
        raise refusal.error
    return await _member_page(refusal.actor, refusal.ids["member_id"], error=refusal.sentence)


@action(people_pages, f"{MEMBER}/role", form=RoleForm, refused=_not_changed)
async def update_org_member(outcome: Outcome[Member, RoleForm]) -> ResponseReturnValue:
    """Change a member's role."""
    return go(f"{PEOPLE}/{outcome.found.id}?saved=role")


@action(people_pages, f"{MEMBER}/boards", refused=_not_changed)
async def set_member_reach(outcome: Outcome[Member, queries.MemberReachUpdate]) -> ResponseReturnValue:
    """Let a member reach all boards, or chosen ones."""
    return done(f"{PEOPLE}/{outcome.found.id}")


@action(people_pages, f"{MEMBER}/boards/<uuid:board_id>")
async def set_member_board(outcome: Outcome[object, queries.MemberBoardUpdate]) -> ResponseReturnValue:
    """Set what a member may do on one board."""
    return done(f"{PEOPLE}/access")


@people_pages.get(f"{MEMBER}/removal")
async def removal(member_id: UUID) -> str:
    """Ask before a member is removed, with what follows from it: a dialog for htmx, else a page."""
    actor = await signed_in()
    found = await queries.visible_member(actor, member_id)
    require(actor, "member.remove", found)
    return await _removal(actor, found, {}, {})


async def _removal(actor: Actor, found: Member, values: Fields, errors: dict[str, str]) -> str:
    context = {"member": await member_view.member_of(actor, found.id), "error": " ".join(errors.values())}
    if is_htmx():
        return render_macro("people/organizations/forms.html", "removal_dialog", **context)
    return await settings_page(actor, "people/organizations/removal.html", "people", **context)


@action(people_pages, f"{MEMBER}/removal", refused=again(_removal, DomainError))
async def remove_org_member(outcome: Outcome[Member, None]) -> ResponseReturnValue:
    """Take a person out of the organization."""
    return go(f"{PEOPLE}?saved=removed")


@action(people_pages, f"{PEOPLE}/accounts/<uuid:user_id>/link-invitations")
async def invite_account_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Let the person who proves the account's address to the identity provider take it over."""
    return go(f"{PEOPLE}?saved=let-link")


@action(people_pages, f"{PEOPLE}/accounts/<uuid:user_id>/reset-links")
async def create_reset_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Create a one-time link for a person's new password and show it, once."""
    return await settings_page(
        outcome.actor, "people/organizations/link.html", "people", person=outcome.found, link=outcome.answer.url
    )
