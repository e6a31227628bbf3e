"""What onboarding adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.onboarding import api, models, pages, policy

onboarding = Feature(
    name="onboarding",
    models=(models,),
    rules=(policy.rules,),
    kinds={
        "onboarding.asked": Kind("A gateway's main agent asked something about a new board.", "asked something about"),
        "onboarding.drafted": Kind(
            "A gateway's main agent proposed a goal and a lead for a board.", "proposed a goal for"
        ),
        "onboarding.confirmed": Kind("A person confirmed a board's goal; the board has a lead.", "set up"),
    },
    blueprints=(
        api.api,
        pages.pages,
    ),
)
