"""What approvals add to the application."""

from mission_control.approvals import api, asks, decisions, live, models, pages, queries, queue_page
from mission_control.feature import Feature
from mission_control.log.event_log import Kind
from mission_control.web.shell import PaletteEntry

approvals = Feature(
    name="approvals",
    models=(models,),
    rules=(queries.rules,),
    reactions=(decisions.reactions, live.reactions),
    kinds={
        "approval.requested": Kind("Somebody asked for a decision."),
        "approval.decided": Kind("A person approved, rejected or sent back."),
        "approval.reopened": Kind("A decided approval is pending again."),
        "approval.closed": Kind("A pending approval became moot: its work was sent back, given away, done or deleted."),
        "approval.task_closed": Kind("A pending approval became moot for one of its tasks, and waits for the others."),
        "approval.deadline_changed": Kind(
            "Until when an approval is to be decided, or what happens otherwise, changed."
        ),
        "approval.reminded": Kind("Nobody decided by the deadline: people were reminded."),
        "approval.asked_another": Kind("Nobody decided by the deadline: another person was asked."),
        "approval.ended_on_gateway": Kind("A gateway's approval was decided there, expired, or was cancelled."),
        "approval.answered": Kind("A gateway got the decision about what it had asked for."),
    },
    lookups=(queries.visible_approval,),
    blueprints=(api.api, pages.pages),
    asks=(asks.ApprovalAsk(),),
    regions=(*queue_page.REGIONS, *pages.REGIONS),
    palette=(PaletteEntry("Approvals", "/approvals", "inbox", "queue decide", position=10),),
)
