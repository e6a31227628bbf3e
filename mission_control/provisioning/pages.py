"""Actions of pages about agents on gateways."""

from typing import Any

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_frame import DELETED, agent_of_page
from mission_control.provisioning.schemas import ProvisioningRequest
from mission_control.web.actions import Form, action
from mission_control.web.forms import done
from mission_control.web.outcomes import Outcome

pages = Blueprint("provisioning_pages", __name__)


class ProvisioningForm(Form):
    """How to set an agent up anew."""

    rotate_token: bool = False
    reset_session: bool = False
    force_bootstrap: bool = False
    overwrite: bool = False

    def body(self, found: Any) -> ProvisioningRequest:
        """Return the request."""
        return ProvisioningRequest(**self.model_dump())


@action(
    pages, "POST", "/agents/<uuid:agent_id>/provisionings",
    performs="create_agent_provisioning", form=ProvisioningForm, at=agent_of_page, gone=DELETED,
)  # fmt: skip
async def provision(outcome: Outcome[Agent, ProvisioningForm]) -> ResponseReturnValue:
    """Set an agent up on its gateway anew."""
    return done(f"/agents/{outcome.found.id}", toast=f"{outcome.found.name} is being set up")
