"""What the room `home` adds to the application."""

from mission_control.feature import Feature
from mission_control.home import (
    asks,
    gateway_request_api,
    gateway_request_pages,
    gateway_request_queries,
    models,
    notification_api,
    notification_pages,
    notification_queries,
    notification_reactions,
    pages,
    question_api,
    question_asks,
    question_pages,
    question_queries,
    question_reactions,
    regions,
)
from mission_control.home.answers import ANSWERS
from mission_control.home.intake import (
    approval_requested,
    approval_resolved,
    catch_up,
    question_requested,
    question_resolved,
)
from mission_control.log.event_log import Kind
from mission_control.web.shell import PaletteEntry

gateway_requests = Feature(
    name="gateway_requests",
    models=(models,),
    rules=(gateway_request_queries.rules,),
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
    lookups=(gateway_request_queries.visible_request,),
    blueprints=(gateway_request_api.api, gateway_request_pages.pages),
    gateway_tabs=(gateway_request_queries.TAB,),
    asks=(asks.RequestAsk(),),
    regions=gateway_request_pages.REGIONS,
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


questions = Feature(
    name="questions",
    models=(models,),
    rules=(question_queries.rules,),
    reactions=(question_reactions.reactions,),
    kinds={
        "question.asked": Kind("An agent asked people a question.", "asked people:"),
        "question.answered": Kind(
            "A person answered an agent's question; the answer is in the board's memory.", "answered:"
        ),
        "question.withdrawn": Kind("A lead withdrew a question.", "withdrew:"),
        "question.closed": Kind("A question became moot: the run that asked ended.", "closed the question:"),
        "question.deadline_changed": Kind(
            "Until when a question is to be answered, or what happens otherwise, changed.", "changed the deadline of:"
        ),
        "question.reminded": Kind("Nobody answered by the deadline: people were reminded.", "reminded people of:"),
        "question.asked_another": Kind(
            "Nobody answered by the deadline: another person was asked.", "asked another person:"
        ),
        "gateway.lead.ask_user.sent": Kind(
            "A gateway's main agent got the question of a lead for people.", "passed a question to the main agent"
        ),
        "gateway.lead.ask_user.failed": Kind(
            "A question for a gateway's main agent was given up.", "could not pass a question to the main agent"
        ),
        "question.ended_on_gateway": Kind(
            "A question of a gateway was answered there, expired, or was cancelled.", "closed, as its gateway did:"
        ),
        "question.delivered": Kind("A gateway got the answer to its question.", "told the gateway the answer to:"),
    },
    lookups=(question_queries.visible_question,),
    blueprints=(
        question_api.api,
        question_pages.pages,
    ),
    asks=(question_asks.QuestionAsk(),),
    regions=question_pages.REGIONS,
    notices={
        "QUESTION ANSWERED": "question_answered",
    },
)


notifications = Feature(
    name="notifications",
    models=(models,),
    rules=(notification_queries.rules,),
    reactions=(notification_reactions.reactions,),
    blueprints=(notification_api.api, notification_pages.pages),
    regions=notification_pages.REGIONS,
    settings_pages=(notification_pages.SETTINGS_PAGE,),
    palette=(PaletteEntry("Notifications", "/notifications", "bell", "mentions assigned unread", position=25),),
)


home = Feature(
    name="home",
    blueprints=(pages.pages,),
    regions=regions.REGIONS,
    palette=(PaletteEntry("Home", "/", "house", "needs you queue inbox start", position=1),),
)
