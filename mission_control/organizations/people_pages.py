"""The people of the organization, as pages of the settings: the list, one member, and the access of everybody."""

from uuid import UUID

from quart import current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.models import User
from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.organizations.forms import RoleForm
from mission_control.organizations.models import Member
from mission_control.organizations.people_view import (
    AT_ONCE,
    BOARDS_AT_ONCE,
    ORDERS_OF_ADMINS,
    boards_here,
    invitations_of,
    member_of,
    members_of,
    orders_for,
)
from mission_control.organizations.queries import MemberBoardUpdate, MemberReachUpdate, visible_member
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, done, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.lists import Asked, LiveList, Pages, ordering
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page, signed_in

pages = Pages("people_pages", __name__)
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


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


async def _members(actor: Actor, asked: Asked) -> dict[str, object]:
    """Return the members and, for admins, the open invitations."""
    orders = orders_for(actor)
    order = asked.order if asked.order in orders else "role"
    members, total = await members_of(actor, asked.first, order)
    is_admin = actor.administers(actor.organization_id)
    return {
        "members": members,
        "total": total,
        "offset": asked.first,
        "at_once": AT_ONCE,
        "invitations": await invitations_of(actor) if is_admin and asked.first == 0 else [],
        "is_admin": is_admin,
        **ordering(orders, order),
    }


async def _with_saved(actor: Actor) -> dict[str, str]:
    return {"saved": _saved()}


LiveList(
    pages=pages, place=SETTINGS, template="organizations/people.html", read=_members, orders=ORDERS_OF_ADMINS,
    around=_with_saved, blocks=("people",),
    news=Concerns[View](
        ("member.", "invite.", "board.created", "board.deleted", "board.restored", "organization."),
        ("delivery_id",),  # a mail with an invitation
    ),
)  # fmt: skip


def _corner() -> tuple[int, int]:
    return _number("from"), _number("boards")


async def _reaches(actor: Actor, corner: tuple[int, int]) -> dict[str, object]:
    """Return the members with the boards that each of them reaches, a page of both."""
    offset, boards_from = corner
    members, total = await members_of(actor, offset)
    boards = await boards_here(actor.organization_id)
    return {
        "members": members,
        "total": total,
        "offset": offset,
        "at_once": AT_ONCE,
        "boards": boards[boards_from : boards_from + BOARDS_AT_ONCE],
        "board_total": len(boards),
        "boards_from": boards_from,
        "boards_at_once": BOARDS_AT_ONCE,
    }


LiveList(
    pages=pages, place=SETTINGS, path=f"{PEOPLE}/access", template="organizations/access.html", read=_reaches,
    asks=_corner, blocks=("matrix",), news=Concerns[View](("member.", "invite.accepted", "board.")),
    verb="organization.administer",
)  # fmt: skip


@pages.get(MEMBER)
async def member(member_id: UUID) -> str:
    """Show a member: role, boards, sign-in, removal."""
    actor = await signed_in()
    require(actor, "member.read", await visible_member(actor, member_id))
    return await _member_page(actor, member_id)


async def _member_page(actor: Actor, member_id: UUID, **changes: object) -> str:
    context: dict[str, object] = {
        "member": await member_of(actor, member_id),
        "boards": await boards_here(actor.organization_id),
        "provider": current_app.config["SETTINGS"].sign_in_provider,
        "may_make_owners": actor.memberships[actor.organization_id].role == "owner",
        "saved": _saved(),
        "error": "",
    }
    return await settings_page(actor, "organizations/member.html", "people", **(context | changes))


async def _not_changed(refusal: Refusal[Member, object]) -> ResponseReturnValue:
    if isinstance(refusal.error, FormInvalid) or is_htmx():
        raise refusal.error
    return await _member_page(refusal.actor, refusal.ids["member_id"], error=refusal.sentence)


@action(pages, f"{MEMBER}/role", form=RoleForm, refused=_not_changed)
async def update_org_member(outcome: Outcome[Member, RoleForm]) -> ResponseReturnValue:
    """Change a member's role."""
    return go(f"{PEOPLE}/{outcome.found.id}?saved=role")


@action(pages, f"{MEMBER}/boards", refused=_not_changed)
async def set_member_reach(outcome: Outcome[Member, MemberReachUpdate]) -> ResponseReturnValue:
    """Let a member reach all boards, or chosen ones."""
    return done(f"{PEOPLE}/{outcome.found.id}")


@action(pages, f"{MEMBER}/boards/<uuid:board_id>")
async def set_member_board(outcome: Outcome[object, MemberBoardUpdate]) -> ResponseReturnValue:
    """Set what a member may do on one board."""
    return done(f"{PEOPLE}/access")


@pages.get(f"{MEMBER}/removal")
async def removal(member_id: UUID) -> str:
    """Ask before a member is removed, with what follows from it: a dialog for htmx, else a page."""
    actor = await signed_in()
    require(actor, "member.remove", await visible_member(actor, member_id))
    return await _removal(actor, member_id)


async def _removal(actor: Actor, member_id: UUID, error: str = "") -> str:
    context = {"member": await member_of(actor, member_id), "error": error}
    if is_htmx():
        return render_macro("organizations/forms.html", "removal_dialog", **context)
    return await settings_page(actor, "organizations/removal.html", "people", **context)


async def _not_removed(refusal: Refusal[Member, None]) -> ResponseReturnValue:
    return await _removal(refusal.actor, refusal.ids["member_id"], refusal.sentence)


@action(pages, f"{MEMBER}/removal", refused=_not_removed)
async def remove_org_member(outcome: Outcome[Member, None]) -> ResponseReturnValue:
    """Take a person out of the organization."""
    return go(f"{PEOPLE}?saved=removed")


@action(pages, f"{PEOPLE}/accounts/<uuid:user_id>/link-invitations")
async def invite_account_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Let the person who proves the account's address to the identity provider take it over."""
    return go(f"{PEOPLE}?saved=let-link")


@action(pages, f"{PEOPLE}/accounts/<uuid:user_id>/reset-links")
async def create_reset_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Create a one-time link for a person's new password and show it, once."""
    return await settings_page(
        outcome.actor, "organizations/link.html", "people", person=outcome.found, link=outcome.answer.url
    )
