"""What gateway_requests adds to the application."""

from mission_control.feature import Feature
from mission_control.gateway_requests import policy
from mission_control.gateway_requests.answers import tell_gateways
from mission_control.gateway_requests.intake import (
    approval_requested,
    approval_resolved,
    catch_up,
    question_requested,
    question_resolved,
)

gateway_requests = Feature(
    name="gateway_requests",
    rules=(policy.rules,),
    loops=(tell_gateways,),
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
