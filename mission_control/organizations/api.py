"""Organizations over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden
from mission_control.core.schemas import OK, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
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
    active_organization,
    member_read,
    my_organizations,
)

api = Api("organizations_api", __name__, url_prefix="/api/v1/organizations")
TAGS = ("organizations",)


@operation(
    api,
    "POST",
    "",
    operation_id="create_organization_api_v1_organizations_post",
    tags=TAGS,
    who="user",
    body=OrganizationCreate,
    returns=OrganizationRead,
)
async def create_organization(actor: Actor, data: OrganizationCreate) -> OrganizationRead:
    """Make an organization.

    The caller owns it and works in it from now on.
    """
    return OrganizationRead.of(await commands.create_organization(actor, data.name))


@operation(
    api,
    "GET",
    "/me/list",
    operation_id="list_my_organizations_api_v1_organizations_me_list_get",
    tags=TAGS,
    who="user",
    returns=list[OrganizationListItem],
)
async def list_my_organizations(actor: Actor) -> list[dict[str, Any]]:
    """List one's organizations by name."""
    return my_organizations(actor)


@operation(
    api,
    "PATCH",
    "/me/active",
    operation_id="set_active_org_api_v1_organizations_me_active_patch",
    tags=TAGS,
    who="user",
    body=OrganizationActiveUpdate,
    returns=OrganizationRead,
)
async def set_active_organization(actor: Actor, data: OrganizationActiveUpdate) -> OrganizationRead:
    """Work in another of one's organizations from now on."""
    organization = await Organization.get_or_none(id=data.organization_id)
    if organization is None:
        raise Forbidden()
    await commands.switch_organization(actor, organization)
    return OrganizationRead.of(organization)


@operation(
    api,
    "GET",
    "/me",
    operation_id="get_my_org_api_v1_organizations_me_get",
    tags=TAGS,
    who="user",
    find=active_organization,
    returns=OrganizationRead,
)
async def get_my_organization(actor: Actor, organization: Organization) -> OrganizationRead:
    """Read the organization one works in."""
    return OrganizationRead.of(organization)


@operation(
    api,
    "PATCH",
    "/me",
    operation_id="update_my_org",
    tags=TAGS,
    who="user",
    find=active_organization,
    verb="organization.rename",
    body=OrganizationUpdate,
    returns=OrganizationRead,
)
async def update_my_organization(
    actor: Actor, organization: Organization, data: OrganizationUpdate
) -> OrganizationRead:
    """Rename the organization one works in."""
    if data.name is not None:
        organization = await commands.rename_organization(actor, organization, data.name)
    return OrganizationRead.of(organization)


@operation(
    api,
    "DELETE",
    "/me",
    operation_id="delete_my_org_api_v1_organizations_me_delete",
    tags=TAGS,
    who="user",
    find=active_organization,
    verb="organization.delete",
    returns=OkResponse,
    is_atomic=False,
)
async def delete_my_organization(actor: Actor, organization: Organization) -> dict[str, bool]:
    """Delete the organization one works in.

    Everything in it is deleted, its log included. Only owners can. What its agents do on gateways is ended.
    """
    await prepare_removal(organization.id)

    async def delete() -> dict[str, bool]:
        await commands.delete_organization(actor, organization)
        return OK

    return await committed(actor, delete) or OK


@operation(
    api,
    "POST",
    "/me/departures",
    former=("/me/leave",),
    operation_id="leave_my_org",
    tags=TAGS,
    who="user",
    find=active_organization,
    verb="organization.leave",
    returns=OkResponse,
)
async def leave_my_organization(actor: Actor, organization: Organization) -> dict[str, bool]:
    """Leave the organization one works in.

    Its only owner cannot: 422.
    """
    await members.leave_organization(actor, organization)
    return OK


@operation(
    api,
    "POST",
    "/me/ownership",
    operation_id="transfer_my_org",
    tags=TAGS,
    who="user",
    find=active_organization,
    verb="organization.transfer",
    body=OrganizationOwnershipUpdate,
    returns=OrganizationMemberRead,
)
async def transfer_my_organization(
    actor: Actor, organization: Organization, data: OrganizationOwnershipUpdate
) -> dict[str, Any]:
    """Make a member the owner.

    The member gets all boards, the caller becomes an admin. The answer is the new owner.
    """
    heir = await members.transfer_ownership(actor, organization, data.member_id)
    return await member_read(actor, heir.id)
