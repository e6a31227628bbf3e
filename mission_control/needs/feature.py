"""What needs add to the application."""

from mission_control.feature import Feature
from mission_control.needs import (
    api,
    approvals,
    deliveries,
    flagged,
    models,
    overdue,
    pairing,
    policy,
    questions,
    reviews,
    silent,
)

KINDS = (
    approvals.KIND,
    questions.KIND,
    reviews.KIND,
    flagged.KIND,
    silent.KIND,
    pairing.KIND,
    deliveries.KIND,
    overdue.KIND,
)

needs = Feature(
    name="needs",
    models=(models,),
    rules=(policy.rules,),
    needs=KINDS,
    blueprints=(api.api,),
)
