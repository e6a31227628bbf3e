"""What the pages about people show, and keep showing as it changes."""

from dataclasses import dataclass
from typing import Any

from quart import Response

from mission_control.core.actor import Actor
from mission_control.organizations.people_view import (
    AT_ONCE,
    BOARDS_AT_ONCE,
    boards_here,
    invitations_of,
    members_of,
    orders_for,
)
from mission_control.web.fragments import render_block
from mission_control.web.ordering import ordering
from mission_control.web.regions import Concerns, Reads, Region, View, live_page

LIST, ACCESS = "people", "access"
LIST_TEMPLATE, ACCESS_TEMPLATE = "organizations/people.html", "organizations/access.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleView(View):
    """A page of members; `boards_from` is where the columns of the access page begin."""

    offset: int = 0
    order: str = "role"
    boards_from: int = 0


NEWS = Concerns[PeopleView](
    ("member.", "invite.", "board.created", "board.deleted", "board.restored", "organization."),
    ("delivery_id",),  # a mail with an invitation
)
REACH = Concerns[PeopleView](("member.", "invite.accepted", "board."))


async def people_context(actor: Actor, offset: int, order: str) -> dict[str, Any]:
    """Return the members and, for admins, the open invitations."""
    orders = orders_for(actor)
    order = order if order in orders else "role"
    members, total = await members_of(actor, offset, order)
    is_admin = actor.administers(actor.organization_id)
    return {
        "members": members,
        "total": total,
        "offset": offset,
        "at_once": AT_ONCE,
        "invitations": await invitations_of(actor) if is_admin and offset == 0 else [],
        "is_admin": is_admin,
        **ordering(orders, order),
    }


async def access_context(actor: Actor, offset: int, boards_from: int) -> dict[str, Any]:
    """Return the members with the boards that each of them reaches, a page of both."""
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


async def people_stream(actor: Actor, page: str, offset: int, order: str, boards_from: int) -> Response:
    """Return the stream of a page of people."""

    async def look(viewer: Actor, reads: Reads) -> View | None:
        if page == ACCESS and not viewer.administers(viewer.organization_id):
            return None
        return PeopleView(
            actor=viewer, pages=(page,), active="settings", reads=reads,
            offset=offset, order=order, boards_from=boards_from,
        )  # fmt: skip

    return await live_page(actor, look)


async def _people(view: PeopleView) -> str:
    return await render_block(LIST_TEMPLATE, "people", **await people_context(view.actor, view.offset, view.order))


async def _matrix(view: PeopleView) -> str:
    context = await access_context(view.actor, view.offset, view.boards_from)
    return await render_block(ACCESS_TEMPLATE, "matrix", **context)


REGIONS = (
    Region(LIST, "#people", NEWS, _people),
    Region(ACCESS, "#matrix", REACH, _matrix),
)
