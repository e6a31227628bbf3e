"""Organizations, their members, invitations and logs, over HTTP."""

from dataclasses import dataclass
from uuid import UUID

from quart import current_app

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.values import OK, JsonObject, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api
from mission_control.http.retries import committed
from mission_control.people.audit import organization_logs
from mission_control.people.audit.organization_logs import AccountLogEntry, AccountLogQuery, account_log
from mission_control.people.jobs.commands import JobRead
from mission_control.people.models import Invite, Member, Organization
from mission_control.people.organizations import commands as organization_commands
from mission_control.people.organizations import invitations, members, queries
from mission_control.people.organizations.access import boards_here
from mission_control.people.organizations.commands import prepare_removal, token_of
from mission_control.people.organizations.work_state import WorkStateChange, set_organization_state
from mission_control.people.sign_in.browser_sessions import sends_mail

api = Api(__name__, "organizations", below="/organizations")


@api.post("")
async def create_organization(actor: Actor, data: queries.OrganizationCreate) -> queries.OrganizationRead:
    """Make an organization.

    The caller owns it and works in it from now on.
    """
    return queries.OrganizationRead.of(await organization_commands.create_organization(actor, data.name))


@api.get("/me/list")
async def list_my_organizations(actor: Actor) -> list[queries.OrganizationListItem]:
    """List one's organizations by name."""
    here, mine = actor.organization_id, list(actor.memberships.values())
    mine.sort(key=lambda own: (own.organization_name.lower(), own.organization_id))
    return [
        queries.OrganizationListItem(
            id=own.organization_id, name=own.organization_name, role=own.role, is_active=own.organization_id == here
        )
        for own in mine
    ]


@api.patch("/me/active")
async def set_active_org(actor: Actor, data: queries.OrganizationActiveUpdate) -> queries.OrganizationRead:
    """Work in another of one's organizations from now on."""
    organization = await Organization.get_or_none(id=data.organization_id)
    if organization is None:
        raise Forbidden()
    await organization_commands.switch_organization(actor, organization)
    return queries.OrganizationRead.of(organization)


@api.get("/me")
async def get_my_org(actor: Actor, organization: Organization) -> queries.OrganizationRead:
    """Read the organization one works in."""
    return queries.OrganizationRead.of(organization)


@api.patch("/me", rule="organization.rename")
async def update_my_org(
    actor: Actor, organization: Organization, data: queries.OrganizationUpdate
) -> queries.OrganizationRead:
    """Rename the organization one works in."""
    if data.name is not None:
        organization = await organization_commands.rename_organization(actor, organization, data.name)
    return queries.OrganizationRead.of(organization)


@api.delete("/me", rule="organization.delete", is_atomic=False)
async def delete_my_org(actor: Actor, organization: Organization) -> OkResponse:
    """Delete the organization one works in.

    Everything in it is deleted, its log included. Only owners can. What its agents do on gateways is ended.
    """
    await prepare_removal(organization.id)

    async def delete() -> OkResponse:
        await organization_commands.delete_organization(actor, organization)
        return OK

    return await committed(actor, delete) or OK


@api.post("/me/departures", rule="organization.leave")
async def leave_my_org(actor: Actor, organization: Organization) -> OkResponse:
    """Leave the organization one works in.

    Its only owner cannot: 422.
    """
    await members.leave_organization(actor, organization)
    return OK


@api.post("/me/ownership", rule="organization.transfer")
async def transfer_my_org(
    actor: Actor, organization: Organization, data: queries.OrganizationOwnershipUpdate
) -> queries.OrganizationMemberRead:
    """Make a member the owner.

    The member gets all boards, the caller becomes an admin. The answer is the new owner.
    """
    heir = await members.transfer_ownership(actor, organization, data.member_id)
    return await queries.member_read(actor, heir.id)


@dataclass(frozen=True, slots=True)
class MemberOnBoard:
    """A member, and the board on which their access is set."""

    member: Member
    board_id: UUID
    organization_id: UUID
    role: str


@api.get("/me/member")
async def get_my_membership(actor: Actor) -> queries.OrganizationMemberRead:
    """Read one's own place in the organization one works in."""
    return await queries.member_read(actor, actor.memberships[actor.organization_id].id)


@api.get("/me/members", Page[queries.OrganizationMemberRead])
async def list_org_members(actor: Actor, query: Paging) -> JsonObject:
    """List the members of the organization one works in, by address.

    Owners and admins see which boards each one reaches, others see their own.
    """
    return page(*await queries.list_members(actor, query), query)


@api.get("/me/members/<member_id>", rule="member.read")
async def get_org_member(actor: Actor, member: Member) -> queries.OrganizationMemberRead:
    """Read a member with the boards they reach."""
    return await queries.member_read(actor, member.id)


@api.patch("/me/members/<member_id>", rule="member.change_role")
async def update_org_member(
    actor: Actor, member: Member, data: queries.OrganizationMemberUpdate
) -> queries.OrganizationMemberRead:
    """Change a member's role.

    Only owners make and unmake owners; one owner always remains.
    """
    if data.role is not None:
        await members.change_role(actor, member, data.role)
    return await queries.member_read(actor, member.id)


@api.put("/me/members/<member_id>/access", rule="member.change_access")
async def update_member_access(
    actor: Actor, member: Member, data: queries.OrganizationMemberAccessUpdate
) -> queries.OrganizationMemberRead:
    """Replace which boards a member reaches."""
    await members.change_access(
        actor, member, read=data.all_boards_read, write=data.all_boards_write, boards=data.board_access
    )
    return await queries.member_read(actor, member.id)


async def member_on_board(actor: Actor, member_id: UUID, board_id: UUID) -> MemberOnBoard:
    """A member of the active organization, and a board in it; NotFound otherwise."""
    member = await queries.visible_member(actor, member_id)
    if board_id not in [board.id for board in await boards_here(member.organization_id)]:
        raise NotFound()
    return MemberOnBoard(member, board_id, member.organization_id, member.role)


@api.put("/me/members/<member_id>/boards", rule="member.change_access")
async def set_member_reach(
    actor: Actor, member: Member, data: queries.MemberReachUpdate
) -> queries.OrganizationMemberRead:
    """Let a member read or change all boards, also those to come, or chosen boards only.

    `chosen` keeps what the member reaches now and leaves out boards to come.
    """
    await members.set_reach(actor, member, data.reach)
    return await queries.member_read(actor, member.id)


@api.put("/me/members/<member_id>/boards/<board_id>", find=member_on_board, rule="member.change_access")
async def set_member_board(
    actor: Actor, one: MemberOnBoard, data: queries.MemberBoardUpdate
) -> queries.OrganizationMemberRead:
    """Set what a member may do on one board; other boards stay as they are.

    Less than what the member may do on all boards turns those into chosen boards.
    """
    await members.set_board(actor, one.member, one.board_id, data.access)
    return await queries.member_read(actor, one.member.id)


@api.delete("/me/members/<member_id>", rule="member.remove")
async def remove_org_member(actor: Actor, member: Member) -> OkResponse:
    """Take a person out of the organization."""
    await members.remove_member(actor, member)
    return OK


@api.put("/me/work-state", rule="organization.set_work_state")
async def set_my_org_work_state(
    actor: Actor, organization: Organization, data: WorkStateChange
) -> queries.OrganizationRead:
    """Pause, stop or resume all agents of the organization one works in.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return queries.OrganizationRead.of(await set_organization_state(actor, organization, data))


async def _reads(actor: Actor, invites: list[Invite]) -> list[queries.OrganizationInviteRead]:
    mails, key = await invitations.mails_of(invites), current_app.config["SECRET_KEY"]
    return [
        queries.OrganizationInviteRead.of(invite, token=token_of(actor, invite, key), mail=mails.get(invite.id))
        for invite in invites
    ]


async def _read(actor: Actor, invite: Invite) -> queries.OrganizationInviteRead:
    return (await _reads(actor, [invite]))[0]


@api.get("/me/invites", Page[queries.OrganizationInviteRead], rule="invite.list")
async def list_org_invites(actor: Actor, query: Paging) -> JsonObject:
    """List the invitations that nobody has accepted yet, newest first.

    `token` is there as long as it can be accepted. Expired ones stay until they are revoked.
    """
    waiting = Invite.filter(organization_id=actor.organization_id, accepted_at=None)
    found = await waiting.order_by("-created_at", "-id").limit(query.limit).offset(query.offset)
    return page(await _reads(actor, found), await waiting.count(), query)


@api.post("/me/invites", rule="invite.create")
async def create_org_invite(
    actor: Actor, organization: Organization, data: queries.OrganizationInviteCreate
) -> queries.OrganizationInviteRead:
    """Invite a person by e-mail address.

    Where a mail server is set (`SMTP_URL`), its link is sent by mail; else hand the token over yourself. It is good for
    14 days.
    """
    invite = await organization_commands.create_invite(actor, organization, data, current_app.config["SECRET_KEY"])
    return await _read(actor, await invitations.mail_invite(actor, invite) if sends_mail() else invite)


@api.post("/me/invites/<invite_id>/resends", rule="invite.resend")
async def resend_invitation(actor: Actor, invite: Invite) -> queries.OrganizationInviteRead:
    """Send an invitation by mail again, or try a mail again that was given up.

    409 without a mail server, while a mail is on its way, and within a minute of the last one.
    """
    if not sends_mail():
        raise Conflict(invitations.NO_SERVER)
    await invitations.mail_again(actor, invite)
    return await _read(actor, await Invite.get(id=invite.id))


@api.delete("/me/invites/<invite_id>", rule="invite.revoke")
async def revoke_org_invite(actor: Actor, invite: Invite) -> queries.OrganizationInviteRead:
    """Revoke an invitation."""
    return await _read(actor, await organization_commands.revoke_invite(actor, invite))


@api.post("/invites/accept")
async def accept_org_invite(actor: Actor, data: queries.OrganizationInviteAccept) -> queries.OrganizationMemberRead:
    """Join an organization by the token of an invitation.

    A member's role and boards are added to, never reduced. One works in that organization from now on.
    """
    member = await organization_commands.accept_invite(actor, data.token)
    return await queries.member_read(actor, member.id)


@api.get("/me/audit", rule="organization.verify")
async def read_audit(actor: Actor, organization: Organization) -> organization_logs.AuditRead:
    """Read the signed head of the organization's log, and the result of the last check."""
    return await organization_logs.read_audit(organization)


@api.post("/me/audit/checks", rule="organization.verify", is_atomic=False, status=202)
async def check_audit(actor: Actor, organization: Organization) -> JobRead:
    """Verify the organization's log from its first event, as long work: return the job at its beginning.

    The result is stored with the job, and shown to every admin by `read_audit`. While a check runs, another one is
    refused: 409.
    """
    return await organization_logs.start_check(actor, organization)


@api.get("/me/audit/events", rule="organization.verify")
async def list_audit_events(
    actor: Actor, organization: Organization, query: organization_logs.AuditEventsQuery
) -> organization_logs.AuditEventPage:
    """List events with everything that their hashes cover, oldest first, so that others can verify the log.

    Continue with `after`, the number of the last event.
    """
    events = await organization_logs.audit_events(organization.id, query)
    return organization_logs.AuditEventPage(items=events, total=organization.log_seq)


@api.get("/me/account-log", Page[AccountLogEntry], rule="organization.read_account_log")
async def list_account_log(actor: Actor, organization: Organization, query: AccountLogQuery) -> JsonObject:
    """List sign-ins, passwords, tokens and accounts of the organization's people, newest first.

    `group=rights` lists changes of roles, boards, invitations and agents' tokens instead. Only for owners.
    """
    return page(*await account_log(actor, query), query)
