"""Pausing and stopping all agents of an organization over HTTP."""

from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.organizations.models import Organization
from mission_control.organizations.queries import OrganizationRead, active_organization
from mission_control.organizations.work_state import WorkStateChange, set_organization_state

api = Api("organizations_work_state_api", __name__, url_prefix="/api/v1/organizations")


@operation(
    api,
    "PUT",
    "/me/work-state",
    operation_id="set_my_org_work_state",
    tags=("organizations",),
    who="user",
    find=active_organization,
    verb="organization.set_work_state",
    body=WorkStateChange,
    returns=OrganizationRead,
)
async def set_work_state(actor: Actor, organization: Organization, data: WorkStateChange) -> OrganizationRead:
    """Pause, stop or resume all agents of the organization one works in.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return OrganizationRead.of(await set_organization_state(actor, organization, data))
