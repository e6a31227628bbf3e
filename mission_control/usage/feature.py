"""What usage adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.usage import api, asks, models, pages, queries
from mission_control.usage.budgets import MIDNIGHT

usage = Feature(
    name="usage",
    models=(models,),
    rules=(queries.rules,),
    kinds={
        "budget.warning": Kind("A budget is used up to 80 %."),
        "budget.exceeded": Kind("A budget is used up; its agents get no more work."),
        "budget.created": Kind("A budget was created."),
        "budget.updated": Kind("The limit of a budget changed."),
        "budget.deleted": Kind("A budget was deleted."),
    },
    lookups=(queries.visible_budget,),
    blueprints=(
        api.api,
        pages.pages,
    ),
    asks=(asks.BudgetAsk(),),
    loops=(MIDNIGHT,),
)
