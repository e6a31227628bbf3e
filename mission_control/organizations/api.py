"""Organizations over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden
from mission_control.core.schemas import OK, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.retries import committed
from mission_control.organizations import commands, members
from mission_control.organizations.commands import prepare_removal
from mission_control.organizations.models import Organization
from mission_control.organizations.queries import (
    OrganizationActiveUpdate,
    OrganizationCreate,
    OrganizationListItem,
    OrganizationMemberRead,
    OrganizationOwnershipUpdate,
    OrganizationRead,
    OrganizationUpdate,
    member_read,
    my_organizations,
)

api = Api(__name__, "organizations", below="/organizations")


@api.post("")
async def create_organization(actor: Actor, data: OrganizationCreate) -> OrganizationRead:
    """Make an organization.

    The caller owns it and works in it from now on.
    """
    return OrganizationRead.of(await commands.create_organization(actor, data.name))


@api.get("/me/list", list[OrganizationListItem])
async def list_my_organizations(actor: Actor) -> list[dict[str, Any]]:
    """List one's organizations by name."""
    return my_organizations(actor)


@api.patch("/me/active")
async def set_active_org(actor: Actor, data: OrganizationActiveUpdate) -> OrganizationRead:
    """Work in another of one's organizations from now on."""
    organization = await Organization.get_or_none(id=data.organization_id)
    if organization is None:
        raise Forbidden()
    await commands.switch_organization(actor, organization)
    return OrganizationRead.of(organization)


@api.get("/me")
async def get_my_org(actor: Actor, organization: Organization) -> OrganizationRead:
    """Read the organization one works in."""
    return OrganizationRead.of(organization)


@api.patch("/me", rule="organization.rename")
async def update_my_org(actor: Actor, organization: Organization, data: OrganizationUpdate) -> OrganizationRead:
    """Rename the organization one works in."""
    if data.name is not None:
        organization = await commands.rename_organization(actor, organization, data.name)
    return OrganizationRead.of(organization)


@api.delete("/me", rule="organization.delete", is_atomic=False)
async def delete_my_org(actor: Actor, organization: Organization) -> OkResponse:
    """Delete the organization one works in.

    Everything in it is deleted, its log included. Only owners can. What its agents do on gateways is ended.
    """
    await prepare_removal(organization.id)

    async def delete() -> OkResponse:
        await commands.delete_organization(actor, organization)
        return OK

    return await committed(actor, delete) or OK


@api.post("/me/departures", rule="organization.leave", former=("/me/leave",))
async def leave_my_org(actor: Actor, organization: Organization) -> OkResponse:
    """Leave the organization one works in.

    Its only owner cannot: 422.
    """
    await members.leave_organization(actor, organization)
    return OK


@api.post("/me/ownership", OrganizationMemberRead, rule="organization.transfer")
async def transfer_my_org(
    actor: Actor, organization: Organization, data: OrganizationOwnershipUpdate
) -> dict[str, Any]:
    """Make a member the owner.

    The member gets all boards, the caller becomes an admin. The answer is the new owner.
    """
    heir = await members.transfer_ownership(actor, organization, data.member_id)
    return await member_read(actor, heir.id)
