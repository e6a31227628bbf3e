"""The button with which a person lets workers that were stopped continue."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.holds.models import Hold
from mission_control.agents.holds.schemas import HoldAnswered
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done

pages = Blueprint("holds_pages", __name__)


@action(pages, "/boards/<uuid:board_id>/holds/<uuid:hold_id>/answers")
async def answer_hold(outcome: Outcome[Hold, HoldAnswered]) -> ResponseReturnValue:
    return done("/agents", toast=f"{outcome.found.worker} is to try again")
