"""What needs add to the application."""

from mission_control.feature import Feature
from mission_control.needs import api, approvals, questions

needs = Feature(
    name="needs",
    needs=(
        approvals.KIND,
        questions.KIND,
    ),
    blueprints=(api.api,),
)
