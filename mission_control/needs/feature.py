"""What needs add to the application."""

from mission_control.feature import Feature
from mission_control.needs import (
    api,
    approvals,
    budgets,
    deliveries,
    flagged,
    gateways,
    listing,
    models,
    overdue,
    policy,
    polling,
    questions,
    reactions,
    requests,
    returning,
    reviews,
    silent,
    timer,
)

KINDS = (
    approvals.KIND,
    questions.KIND,
    requests.KIND,
    reviews.KIND,
    flagged.KIND,
    silent.KIND,
    gateways.KIND,
    deliveries.KIND,
    budgets.KIND,
    overdue.KIND,
)

needs = Feature(
    name="needs",
    models=(models,),
    rules=(policy.rules,),
    reactions=(reactions.reactions, polling.reactions),
    loops=(timer.DEADLINES, returning.RETURNS),
    needs=KINDS,
    lookups=(listing.key_named,),
    blueprints=(api.api,),
)
