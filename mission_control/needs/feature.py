"""What needs add to the application."""

from mission_control.feature import Feature
from mission_control.needs import (
    api,
    approvals,
    budgets,
    deliveries,
    flagged,
    gateways,
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
from mission_control.needs.timer import watch_deadlines

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
    loops=(watch_deadlines, returning.watch_for_returns),
    on_clock_set=(timer.look_now,),
    needs=KINDS,
    blueprints=(api.api,),
)
