"""Over HTTP: invitations, and the logs of an organization."""

from quart import current_app

from mission_control.accounts.entrance import sends_mail
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.paging import Page, Paging, page
from mission_control.jobs.queries import JobRead
from mission_control.operations.api import Api
from mission_control.organizations import audit, commands, entrance
from mission_control.organizations.audit import AccountLogEntry, AccountLogQuery, account_log
from mission_control.organizations.models import Invite, Organization
from mission_control.organizations.queries import (
    OrganizationInviteAccept,
    OrganizationInviteCreate,
    OrganizationInviteRead,
    OrganizationMemberRead,
    list_invites,
    member_read,
)

api = Api(__name__, "organizations", below="/organizations")


def _key() -> str:
    key: str = current_app.config["SECRET_KEY"]
    return key


async def _reads(actor: Actor, found: list[Invite]) -> list[OrganizationInviteRead]:
    mails = await entrance.mails_of(found)
    return [
        OrganizationInviteRead.of(invite, commands.token_of(actor, invite, _key()), mails.get(invite.id))
        for invite in found
    ]


async def _read(actor: Actor, invite: Invite) -> OrganizationInviteRead:
    [read] = await _reads(actor, [invite])
    return read


@api.get("/me/invites", Page[OrganizationInviteRead], rule="invite.list")
async def list_org_invites(actor: Actor, query: Paging) -> dict[str, object]:
    """List the invitations that nobody has accepted yet, newest first.

    `token` is there as long as it can be accepted. Expired ones stay until they are revoked.
    """
    found, total = await list_invites(actor, query)
    return page(await _reads(actor, found), total, query)


@api.post("/me/invites", rule="invite.create")
async def create_org_invite(
    actor: Actor, organization: Organization, data: OrganizationInviteCreate
) -> OrganizationInviteRead:
    """Invite a person by e-mail address.

    Where a mail server is set (`SMTP_URL`), its link is sent by mail; else hand the token over yourself. It is good for
    14 days.
    """
    invite = (await commands.create_invite(actor, organization, data, _key())).row
    return await _read(actor, await entrance.mail_invite(actor, invite) if sends_mail() else invite)


@api.post("/me/invites/<invite_id>/mails", rule="invite.mail")
async def send_invitation_mail(actor: Actor, invite: Invite) -> OrganizationInviteRead:
    """Send an invitation by mail again, or try a mail again that was given up.

    409 without a mail server, while a mail is on its way, and within a minute of the last one.
    """
    if not sends_mail():
        raise Conflict(entrance.NO_SERVER)
    await entrance.mail_again(actor, invite)
    return await _read(actor, await Invite.get(id=invite.id))


@api.delete("/me/invites/<invite_id>", rule="invite.revoke")
async def revoke_org_invite(actor: Actor, invite: Invite) -> OrganizationInviteRead:
    """Revoke an invitation."""
    return await _read(actor, await commands.revoke_invite(actor, invite))


@api.post("/invites/accept")
async def accept_org_invite(actor: Actor, data: OrganizationInviteAccept) -> OrganizationMemberRead:
    """Join an organization by the token of an invitation.

    A member's role and boards are added to, never reduced. One works in that organization from now on.
    """
    member = await commands.accept_invite(actor, data.token)
    return await member_read(actor, member.id)


audit_api = Api(__name__, "organizations", below="/organizations/me")


@audit_api.get("/audit", rule="organization.verify")
async def read_audit(actor: Actor, organization: Organization) -> audit.AuditRead:
    """Read the signed head of the organization's log, and the result of the last check."""
    return await audit.read_audit(organization)


@audit_api.post("/audit/checks", rule="organization.verify", is_atomic=False, status=202)
async def check_audit(actor: Actor, organization: Organization) -> JobRead:
    """Verify the organization's log from its first event, as long work: return the job at its beginning.

    The result is stored with the job, and shown to every admin by `read_audit`. While a check runs, another one is
    refused: 409.
    """
    return await audit.start_check(actor, organization)


@audit_api.get("/audit/events", rule="organization.verify")
async def list_audit_events(
    actor: Actor, organization: Organization, query: audit.AuditEventsQuery
) -> list[audit.AuditEvent]:
    """List events with everything that their hashes cover, oldest first, so that others can verify the log.

    Continue with `after`, the number of the last event.
    """
    return await audit.audit_events(organization.id, query)


@audit_api.get("/account-log", Page[AccountLogEntry], rule="organization.read_account_log")
async def list_account_log(actor: Actor, organization: Organization, query: AccountLogQuery) -> dict[str, object]:
    """List sign-ins, passwords, tokens and accounts of the organization's people, newest first.

    `group=rights` lists changes of roles, boards, invitations and agents' tokens instead. Only for owners.
    """
    return page(*await account_log(actor, query), query)
