"""Pausing and stopping all agents of an organization over HTTP."""

from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.organizations.models import Organization
from mission_control.organizations.queries import OrganizationRead
from mission_control.organizations.work_state import WorkStateChange, set_organization_state

api = Api(__name__, "organizations", below="/organizations")


@api.put("/me/work-state", rule="organization.set_work_state")
async def set_my_org_work_state(actor: Actor, organization: Organization, data: WorkStateChange) -> OrganizationRead:
    """Pause, stop or resume all agents of the organization one works in.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return OrganizationRead.of(await set_organization_state(actor, organization, data))
