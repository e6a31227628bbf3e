"""Actions of pages about agents on gateways."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_frame import DELETED, agent_of_page
from mission_control.provisioning.schemas import ProvisioningRequest
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done

pages = Blueprint("provisioning_pages", __name__)


@action(pages, "POST", "/agents/<uuid:agent_id>/provisionings", at=agent_of_page, gone=DELETED)
async def create_agent_provisioning(outcome: Outcome[Agent, ProvisioningRequest]) -> ResponseReturnValue:
    """Set an agent up on its gateway anew."""
    return done(f"/agents/{outcome.found.id}", toast=f"{outcome.found.name} is being set up")
