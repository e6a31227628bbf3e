"""The page of an invitation, and how it is kept current: its link, and how its mail went."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from quart import Response, current_app

from mission_control.accounts.entrance import sends_mail
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.policy import can
from mission_control.live.models import Event
from mission_control.organizations.access import level
from mission_control.organizations.commands import token_of
from mission_control.organizations.entrance import mails_of
from mission_control.organizations.models import Invite, InviteBoardAccess
from mission_control.organizations.people_view import boards_here, invitation
from mission_control.organizations.queries import visible_invite
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page

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
        "invite": invitation(invite, [level(one.can_read, one.can_write) for one in chosen], len(boards)),
        "link": f"{base}/invitations/{token}" if token else "",
        "is_used": invite.accepted_at is not None,
        "mail": (await mails_of([invite])).get(invite.id),
        "sends_mail": sends_mail(),
        "error": error,
    }


async def stream(actor: Actor, invite_id: UUID, base: str) -> Response:
    """Return the stream of the page."""

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


def _is_its_own(view: InvitationView, news: Event | dict[str, Any]) -> bool:
    """Events of invitations are few; a signal names the mail that it is about."""
    return isinstance(news, Event) or (
        view.invite is not None and news["delivery_id"] == str(view.invite.mail_delivery_id)
    )


NEWS = Concerns[InvitationView](("invite.",), ("delivery_id",), _is_its_own)
REGIONS = (Region(PAGE, "#invitation", NEWS, _invitation),)
