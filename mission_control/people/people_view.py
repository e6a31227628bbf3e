"""The people of an organization as its pages show them: members, what they reach, and invitations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.errors import NotFound
from mission_control.database.sql import Row, as_moment, placeholders, rows
from mission_control.people.access import LEVELS, Access, level
from mission_control.people.account_commands import LOCAL, may_reset
from mission_control.people.account_names import person_name
from mission_control.people.models import Invite, InviteBoardAccess, Member
from mission_control.people.organization_entrance import mails_of
from mission_control.people.organization_queries import InvitationMail
from mission_control.web.lists import Order, Orders

AT_ONCE = 50
BOARDS_AT_ONCE = 12
NO_BOARDS = "No boards"
PEOPLE = f"""
SELECT m.id, m.user_id, {person_name("u", "User")} AS name, u.email, u.clerk_user_id, m.role, m.all_boards_read,
    m.all_boards_write, u.password_hash IS NOT NULL AS has_password, m.created_at,
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
    "newest": Order("newest", sql="p.created_at DESC, p.id DESC"),
}
ORDERS_OF_ADMINS = {**ORDERS, "seen": Order("last seen", sql=f"{SEEN} DESC NULLS LAST, {BY_NAME}")}


@dataclass(frozen=True, slots=True)
class BoardName:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member, with what the viewer may do about them."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: str
    everywhere: Access
    chosen: dict[UUID, Access]
    board_count: int
    last_seen_at: datetime | None
    joined_at: datetime
    has_password: bool
    is_me: bool
    is_last_owner: bool
    may_reset: bool
    may_link: bool
    may_change: bool
    may_remove: bool

    def access(self, board_id: UUID) -> Access:
        return max(self.everywhere, self.chosen.get(board_id, "none"), key=LEVELS.index)

    @property
    def reach(self) -> str:
        """Return which boards the member reaches, in a few words."""
        return reach_words(self.everywhere, list(self.chosen.values()), self.board_count)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that nobody has accepted."""

    id: UUID
    email: str
    role: str
    reach: str
    expires_at: datetime
    is_expired: bool
    created_at: datetime
    mail: InvitationMail | None = None

    @property
    def sees_nothing(self) -> bool:
        """Whether who accepts it reaches no board."""
        return self.reach == NO_BOARDS and self.role == "member"


@dataclass(frozen=True, slots=True)
class People:
    """A page of the organization's members, and its open invitations."""

    members: Sequence[Colleague]
    total: int
    invitations: Sequence[Invitation] = field(default_factory=list)


def reach_words(everywhere: Access, chosen: Sequence[Access], board_count: int) -> str:
    """Return the words for what somebody reaches: `Changes all boards`, `Reads 2 of 5 boards`."""
    if everywhere == "write":
        return "Changes all boards"
    writes, reads = chosen.count("write"), chosen.count("read")
    if everywhere == "read":
        return f"Reads all boards, changes {writes}" if writes else "Reads all boards"
    if not writes and not reads:
        return NO_BOARDS
    of = f"of {board_count} board{'' if board_count == 1 else 's'}"
    if writes and reads:
        return f"Changes {writes}, reads {reads} {of}"
    return f"Changes {writes} {of}" if writes else f"Reads {reads} {of}"


async def boards_here(organization_id: UUID) -> list[BoardName]:
    found = await rows(
        "SELECT id, name FROM boards WHERE organization_id = ? AND deleted_at IS NULL ORDER BY LOWER(name), id",
        organization_id,
    )
    return [BoardName(UUID(str(row["id"])), row["name"]) for row in found]


def orders_for(actor: Actor) -> Orders:
    """Return the orders of members; only admins see when somebody was there."""
    return ORDERS_OF_ADMINS if actor.administers(actor.organization_id) else ORDERS


async def members_of(actor: Actor, offset: int = 0, order: str = "role") -> tuple[list[Colleague], int]:
    """Return a page of the members of the active organization, owners first unless asked, and how many there are."""
    in_order = orders_for(actor)[order].sql
    sql = f"SELECT p.* FROM ({PEOPLE.format(more='')}) p ORDER BY {in_order} LIMIT ? OFFSET ?"
    found = await rows(sql, actor.organization_id, AT_ONCE, offset)
    return await _colleagues(actor, found), await Member.filter(organization_id=actor.organization_id).count()


async def member_of(actor: Actor, member_id: UUID) -> Colleague:
    """Return one member of the active organization; NotFound otherwise."""
    found = await rows(PEOPLE.format(more="AND m.id = ?"), actor.organization_id, member_id)
    if not found:
        raise NotFound()
    [one] = await _colleagues(actor, found)
    return one


async def invitations_of(actor: Actor) -> list[Invitation]:
    """Return the invitations of the active organization that nobody has accepted, newest first."""
    waiting = Invite.filter(organization_id=actor.organization_id, accepted_at=None)
    found = await waiting.order_by("-created_at", "-id").limit(AT_ONCE)
    boards: dict[UUID, list[Access]] = {}
    for one in await InviteBoardAccess.filter(organization_invite_id__in=[invite.id for invite in found]):
        boards.setdefault(one.organization_invite_id, []).append(level(one.can_read, one.can_write))
    count = await _board_count(actor.organization_id) if boards else 0
    mails = await mails_of(found)
    return [invitation(one, boards.get(one.id, []), count, mails.get(one.id)) for one in found]


def invitation(
    invite: Invite, boards: Sequence[Access], board_count: int, mail: InvitationMail | None = None
) -> Invitation:
    """Return an invitation as pages show it."""
    everywhere = level(invite.all_boards_read, invite.all_boards_write)
    return Invitation(
        id=invite.id,
        email=invite.invited_email,
        role=invite.role,
        reach=reach_words(everywhere, boards, board_count),
        expires_at=invite.expires_at,
        is_expired=invite.expires_at <= times.clock_now(),
        created_at=invite.created_at,
        mail=mail,
    )


async def _board_count(organization_id: UUID) -> int:
    [row] = await rows(
        "SELECT COUNT(*) AS count FROM boards WHERE organization_id = ? AND deleted_at IS NULL", organization_id
    )
    return int(row["count"])


async def _colleagues(actor: Actor, found: list[Row]) -> list[Colleague]:
    roles = await _roles_of([row["user_id"] for row in found])
    chosen = await _chosen([row["id"] for row in found])
    count = await _board_count(actor.organization_id)
    owners = await Member.filter(organization_id=actor.organization_id, role="owner").count()
    return [_colleague(actor, row, roles, chosen, count, owners) for row in found]


def _colleague(
    actor: Actor,
    row: Row,
    roles: dict[str, dict[UUID, str]],
    chosen: dict[str, dict[UUID, Access]],
    count: int,
    owners: int,
) -> Colleague:
    is_admin, is_me = actor.administers(actor.organization_id), str(row["user_id"]) == str(actor.id)
    seen = [moment for name in ("session_seen_at", "token_used_at") if (moment := as_moment(row[name])) is not None]
    resets = is_admin and may_reset(actor, roles[str(row["user_id"])])
    place = Member(organization_id=actor.organization_id, user_id=row["user_id"], role=row["role"])
    may_change, is_last = can(actor, "member.change_role", place), row["role"] == "owner" and owners == 1
    return Colleague(
        id=UUID(str(row["id"])),
        user_id=UUID(str(row["user_id"])),
        name=row["name"],
        email=row["email"] or "",
        role=row["role"],
        everywhere=level(bool(row["all_boards_read"]), bool(row["all_boards_write"])),
        chosen=chosen.get(str(row["id"]), {}) if is_admin or is_me else {},
        board_count=count,
        last_seen_at=max(seen) if seen and is_admin else None,
        joined_at=as_moment(row["created_at"]) or times.clock_now(),
        has_password=bool(row["has_password"]),
        is_me=is_me,
        is_last_owner=is_last,
        may_reset=resets,
        may_link=resets and str(row["clerk_user_id"]).startswith(LOCAL),
        may_change=may_change,
        may_remove=may_change and not is_me and not is_last,
    )


async def _chosen(member_ids: list[UUID]) -> dict[str, dict[UUID, Access]]:
    found = await rows(
        "SELECT x.organization_member_id AS member_id, x.board_id, x.can_read, x.can_write"
        " FROM organization_board_access x JOIN boards b ON b.id = x.board_id"
        f" WHERE x.organization_member_id IN ({placeholders(len(member_ids) or 1)}) AND b.deleted_at IS NULL",
        *(member_ids or [UUID(int=0)]),
    )
    chosen: dict[str, dict[UUID, Access]] = {}
    for row in found:
        if (access := level(bool(row["can_read"]), bool(row["can_write"]))) != "none":
            chosen.setdefault(str(row["member_id"]), {})[UUID(str(row["board_id"]))] = access
    return chosen


async def _roles_of(user_ids: list[UUID]) -> dict[str, dict[UUID, str]]:
    found = await rows(
        "SELECT user_id, organization_id, role FROM organization_members"
        f" WHERE user_id IN ({placeholders(len(user_ids) or 1)})",
        *(user_ids or [UUID(int=0)]),
    )
    roles: dict[str, dict[UUID, str]] = {}
    for row in found:
        roles.setdefault(str(row["user_id"]), {})[UUID(str(row["organization_id"]))] = row["role"]
    return roles
