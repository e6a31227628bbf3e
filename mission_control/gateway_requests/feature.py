"""What gateway_requests adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_requests import api, asks, models, pages, queries
from mission_control.gateway_requests.answers import ANSWERS
from mission_control.gateway_requests.intake import (
    approval_requested,
    approval_resolved,
    catch_up,
    question_requested,
    question_resolved,
)
from mission_control.live.kinds import Kind

gateway_requests = Feature(
    name="gateway_requests",
    models=(models,),
    rules=(queries.rules,),
    kinds={
        "gateway.request.asked": Kind(
            "A gateway asked people for an agent that is on no board.", "brought in", is_named_in_message=True
        ),
        "gateway.request.decided": Kind(
            "A person approved or rejected such a request.", "decided on", is_named_in_message=True
        ),
        "gateway.request.answered": Kind("A person answered such a question.", "answered", is_named_in_message=True),
        "gateway.request.ended": Kind(
            "Such a request was settled on the gateway, expired, or was cancelled.",
            "noted the end of",
            is_named_in_message=True,
        ),
        "gateway.request.delivered": Kind(
            "A gateway got the answer to such a request.", "passed on the answer to", is_named_in_message=True
        ),
    },
    lookups=(queries.visible_request,),
    blueprints=(api.api, pages.pages),
    gateway_tabs=(queries.TAB,),
    asks=(asks.RequestAsk(),),
    regions=pages.REGIONS,
    loops=(ANSWERS,),
    gateway_events={
        "exec.approval.requested": approval_requested("exec"),
        "plugin.approval.requested": approval_requested("plugin"),
        "openclaw.approval.requested": approval_requested("system-agent"),
        "exec.approval.resolved": approval_resolved,
        "plugin.approval.resolved": approval_resolved,
        "openclaw.approval.resolved": approval_resolved,
        "question.requested": question_requested,
        "question.resolved": question_resolved,
    },
    on_gateway_connected=(catch_up,),
)
