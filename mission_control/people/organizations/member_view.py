"""The people of an organization as its pages show them: members, what they reach, and invitations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mission_control.core.actor import Actor, can
from mission_control.core.errors import NotFound
from mission_control.database.sql import select
from mission_control.people.accounts.commands import may_reset
from mission_control.people.accounts.names import person_name
from mission_control.people.models import LOCAL, Invite, InviteBoardAccess, Member
from mission_control.people.organizations.access import LEVELS, Access, boards_here, level, live_access
from mission_control.people.organizations.invitations import mails_of
from mission_control.people.organizations.queries import InvitationMail
from mission_control.web.lists import Order, Orders

AT_ONCE = 50
BOARDS_AT_ONCE = 12
PEOPLE = f"""
SELECT m.id, m.user_id, {person_name("u", "User")} AS name, COALESCE(u.email, '') AS email, u.clerk_user_id,
    m.role, m.all_boards_read, m.all_boards_write, u.password_hash IS NOT NULL AS has_password,
    m.created_at AS joined_at,
    (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS session_seen_at,
    (SELECT MAX(t.last_used_at) FROM tokens t WHERE t.user_id = u.id) AS token_used_at
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE m.organization_id = ? {{more}}"""
BY_NAME = "LOWER(p.name), p.id"
SEEN = (
    "CASE WHEN p.session_seen_at >= p.token_used_at OR p.token_used_at IS NULL THEN p.session_seen_at"
    " ELSE p.token_used_at END"
)
ORDERS = {
    "role": Order("by role", sql=f"CASE p.role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, {BY_NAME}"),
    "name": Order("by name", sql=BY_NAME),
    "newest": Order("newest", sql="p.joined_at DESC, p.id DESC"),
}
ORDERS_OF_ADMINS = {**ORDERS, "seen": Order("last seen", sql=f"{SEEN} DESC NULLS LAST, {BY_NAME}")}


@dataclass(slots=True)
class Colleague:
    """A member, with what the viewer may know and do about them."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    clerk_user_id: str
    role: str
    all_boards_read: bool
    all_boards_write: bool
    has_password: bool
    joined_at: datetime
    session_seen_at: datetime | None
    token_used_at: datetime | None
    chosen: dict[UUID, Access] = field(default_factory=dict)
    board_count: int = 0
    last_seen_at: datetime | None = None
    is_me: bool = False
    is_last_owner: bool = False
    may_reset: bool = False
    may_link: bool = False
    may_change: bool = False
    may_remove: bool = False

    @property
    def everywhere(self) -> Access:
        return level(self.all_boards_read, self.all_boards_write)

    def access(self, board_id: UUID) -> Access:
        return max(self.everywhere, self.chosen.get(board_id, "none"), key=LEVELS.index)

    @property
    def reach(self) -> str:
        return reach_words(self.everywhere, list(self.chosen.values()), self.board_count)


def reach_words(everywhere: Access, chosen: Sequence[Access], board_count: int) -> str:
    """Return the words for what somebody reaches: `Changes all boards`, `Reads 2 of 5 boards`."""
    if everywhere == "write":
        return "Changes all boards"
    writes, reads = chosen.count("write"), chosen.count("read")
    if everywhere == "read":
        return f"Reads all boards, changes {writes}" if writes else "Reads all boards"
    if not writes and not reads:
        return "No boards"
    of = f"of {board_count} board{'' if board_count == 1 else 's'}"
    if writes and reads:
        return f"Changes {writes}, reads {reads} {of}"
    return f"Changes {writes} {of}" if writes else f"Reads {reads} {of}"


def orders_for(actor: Actor) -> Orders:
    """Return the orders of members; only admins see when somebody was there."""
    return ORDERS_OF_ADMINS if actor.administers(actor.organization_id) else ORDERS


async def members_of(actor: Actor, offset: int = 0, order: str = "role") -> tuple[list[Colleague], int]:
    """Return a page of the members of the active organization, owners first unless asked, and how many there are."""
    sql = f"SELECT p.* FROM ({PEOPLE.format(more='')}) p ORDER BY {orders_for(actor)[order].sql} LIMIT ? OFFSET ?"
    colleagues = await select(Colleague, sql, actor.organization_id, AT_ONCE, offset)
    return await _for_viewer(actor, colleagues), await Member.filter(organization_id=actor.organization_id).count()


async def member_of(actor: Actor, member_id: UUID) -> Colleague:
    colleagues = await select(Colleague, PEOPLE.format(more="AND m.id = ?"), actor.organization_id, member_id)
    if not colleagues:
        raise NotFound()
    [member] = await _for_viewer(actor, colleagues)
    return member


async def invitations_of(actor: Actor) -> list[tuple[Invite, str, InvitationMail | None]]:
    """Return the newest invitations that nobody has accepted, with what they reach in words, and their mails."""
    unaccepted = Invite.filter(organization_id=actor.organization_id, accepted_at=None)
    waiting = await unaccepted.order_by("-created_at", "-id").limit(AT_ONCE)
    boards: dict[UUID, list[Access]] = {}
    for access in await InviteBoardAccess.filter(organization_invite_id__in=[invite.id for invite in waiting]):
        boards.setdefault(access.organization_invite_id, []).append(level(access.can_read, access.can_write))
    count = len(await boards_here(actor.organization_id)) if boards else 0
    mails = await mails_of(waiting)
    return [
        (invite, invite_reach(invite, boards.get(invite.id, []), count), mails.get(invite.id)) for invite in waiting
    ]


def invite_reach(invite: Invite, boards: Sequence[Access], board_count: int) -> str:
    return reach_words(level(invite.all_boards_read, invite.all_boards_write), boards, board_count)


async def _for_viewer(actor: Actor, members: list[Colleague]) -> list[Colleague]:
    """Add what the viewer may know and do about each member."""
    is_admin = actor.administers(actor.organization_id)
    roles, chosen = await _roles(members), await _chosen(members)
    count = len(await boards_here(actor.organization_id))
    owners = await Member.filter(organization_id=actor.organization_id, role="owner").count()
    for member in members:
        place = Member(organization_id=actor.organization_id, user_id=member.user_id, role=member.role)
        member.board_count, member.is_me = count, member.user_id == actor.id
        member.is_last_owner = member.role == "owner" and owners == 1
        member.may_reset = is_admin and may_reset(actor, roles[member.user_id])
        member.may_link = member.may_reset and member.clerk_user_id.startswith(LOCAL)
        member.may_change = can(actor, "member.change_role", place)
        member.may_remove = member.may_change and not member.is_me and not member.is_last_owner
        if is_admin or member.is_me:
            member.chosen = chosen.get(member.id, {})
        if is_admin:
            member.last_seen_at = max(filter(None, (member.session_seen_at, member.token_used_at)), default=None)
    return members


async def _roles(members: list[Colleague]) -> dict[UUID, dict[UUID, str]]:
    """Return the roles of members in all of their organizations."""
    roles: dict[UUID, dict[UUID, str]] = {}
    for place in await Member.filter(user_id__in=[member.user_id for member in members]):
        roles.setdefault(place.user_id, {})[place.organization_id] = place.role
    return roles


async def _chosen(members: list[Colleague]) -> dict[UUID, dict[UUID, Access]]:
    chosen: dict[UUID, dict[UUID, Access]] = {}
    for access in await live_access([member.id for member in members]):
        if (word := level(access.can_read, access.can_write)) != "none":
            chosen.setdefault(access.organization_member_id, {})[access.board_id] = word
    return chosen
