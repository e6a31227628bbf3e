"""Reading organizations, members and invitations."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.sql import placeholders, rows, wire_moment
from mission_control.organizations.models import Invite, Member, Organization

MEMBERS = (
    "SELECT m.id, m.organization_id, m.user_id, m.role, m.all_boards_read, m.all_boards_write, m.created_at,"
    " m.updated_at, u.email, u.name, u.preferred_name,"
    " (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS session_seen_at,"
    " (SELECT MAX(t.last_used_at) FROM tokens t WHERE t.user_id = u.id) AS token_used_at"
    " FROM organization_members m JOIN users u ON u.id = m.user_id"
)


async def active_organization(actor: Actor) -> Organization:
    """The organization the person works in."""
    organization = await Organization.get_or_none(id=actor.organization_id)
    if organization is None:
        raise NotFound()
    return organization


def my_organizations(actor: Actor) -> list[dict[str, Any]]:
    """The person's organizations by name, as the request found them."""
    mine = sorted(actor.memberships.values(), key=lambda one: (one.organization_name.lower(), one.organization_id))
    return [
        {
            "id": one.organization_id,
            "name": one.organization_name,
            "role": one.role,
            "is_active": one.organization_id == actor.organization_id,
        }
        for one in mine
    ]


async def visible_member(actor: Actor, member_id: UUID) -> Member:
    """A member of the active organization; NotFound otherwise."""
    member = await Member.get_or_none(id=member_id, organization_id=actor.organization_id)
    if member is None:
        raise NotFound()
    return member


async def has_board(organization_id: UUID, board_id: UUID) -> bool:
    """Whether a board is in the organization."""
    found = await rows(
        "SELECT 1 AS found FROM boards WHERE id = ? AND organization_id = ? AND deleted_at IS NULL",
        board_id,
        organization_id,
    )
    return bool(found)


async def visible_invite(actor: Actor, invite_id: UUID) -> Invite:
    """An invitation of the active organization; NotFound otherwise."""
    invite = await Invite.get_or_none(id=invite_id, organization_id=actor.organization_id)
    if invite is None:
        raise NotFound()
    return invite


async def member_read(actor: Actor, member_id: UUID) -> dict[str, Any]:
    """The answer for one member, with the boards they reach; owners and admins see when they were there last."""
    found = await rows(f"{MEMBERS} WHERE m.id = ?", member_id)
    if not found:
        raise NotFound()
    boards = (await _access([member_id])).get(str(member_id), [])
    return _member(found[0], boards, is_seen=_sees_last_seen(actor, found[0]))


async def list_members(actor: Actor, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """The members of the active organization by address; others' boards are shown to owners and admins only."""
    found = await rows(
        f"{MEMBERS} WHERE m.organization_id = ? ORDER BY LOWER(u.email) NULLS LAST, u.name NULLS LAST, m.id"
        " LIMIT ? OFFSET ?",
        actor.organization_id,
        paging.limit,
        paging.offset,
    )
    mine = actor.memberships[actor.organization_id]
    is_admin = actor.administers(actor.organization_id)
    member_ids = [row["id"] for row in found] if is_admin else [mine.id]
    access = await _access(member_ids)
    members = [_member(row, access.get(str(row["id"]), []), is_seen=_sees_last_seen(actor, row)) for row in found]
    return members, await Member.filter(organization_id=actor.organization_id).count()


async def list_invites(actor: Actor, paging: Paging) -> tuple[list[Invite], int]:
    """The invitations of the active organization that nobody has accepted, newest first."""
    waiting = Invite.filter(organization_id=actor.organization_id, accepted_at=None)
    page = waiting.order_by("-created_at", "-id").limit(paging.limit).offset(paging.offset)
    return await page, await waiting.count()


async def _access(member_ids: list[Any]) -> dict[str, list[dict[str, Any]]]:
    """The board rows of these members, by member."""
    found = await rows(
        "SELECT x.organization_member_id, x.id, x.board_id, x.can_read, x.can_write, x.created_at, x.updated_at"
        " FROM organization_board_access x JOIN boards b ON b.id = x.board_id"
        f" WHERE x.organization_member_id IN ({placeholders(len(member_ids) or 1)}) AND b.deleted_at IS NULL"
        " ORDER BY x.created_at, x.id",
        *(member_ids or [None]),
    )
    by_member: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_member.setdefault(str(row["organization_member_id"]), []).append(
            {
                "id": row["id"],
                "board_id": row["board_id"],
                "can_read": bool(row["can_read"]),
                "can_write": bool(row["can_write"]),
                "created_at": wire_moment(row["created_at"]),
                "updated_at": wire_moment(row["updated_at"]),
            }
        )
    return by_member


def _sees_last_seen(actor: Actor, row: dict[str, Any]) -> bool:
    return actor.administers(actor.organization_id) or str(row["user_id"]) == str(actor.id)


def _member(row: dict[str, Any], board_access: list[dict[str, Any]], *, is_seen: bool) -> dict[str, Any]:
    seen = [moment for name in ("session_seen_at", "token_used_at") if (moment := row[name]) is not None]
    return {
        "id": row["id"],
        "organization_id": row["organization_id"],
        "user_id": row["user_id"],
        "role": row["role"],
        "all_boards_read": bool(row["all_boards_read"]),
        "all_boards_write": bool(row["all_boards_write"]),
        "created_at": wire_moment(row["created_at"]),
        "updated_at": wire_moment(row["updated_at"]),
        "last_seen_at": wire_moment(max(seen)) if seen and is_seen else None,
        "user": {
            "id": row["user_id"],
            "email": row["email"],
            "name": row["name"],
            "preferred_name": row["preferred_name"],
        },
        "board_access": board_access,
    }
