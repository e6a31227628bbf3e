"""What inbox adds to the application."""

from mission_control.feature import Feature
from mission_control.inbox import api, asks, notices, pages
from mission_control.inbox.receiving import senders
from mission_control.live.kinds import Kind

inbox = Feature(
    name="inbox",
    rules=(notices.rules,),
    kinds={
        "agent.callback_set": Kind("An agent's notices are sent to an address of its own.", "set the callback of"),
        "agent.callback_removed": Kind(
            "An agent's notices are no longer sent: a person removed the callback, or its address was gone.",
            "removed the callback of",
        ),
    },
    blueprints=(
        api.agent_api,
        api.api,
        pages.pages,
    ),
    asks=(asks.DeliveryAsk(),),
    agent_tabs=(pages.TAB,),
    senders=senders,
    notices={
        "GATEWAY MAIN QUESTION": "question",
        "GATEWAY MAIN HANDOFF": "handoff",
        "LEAD REQUEST: ASK USER": "ask_user",
        "BOARD ONBOARDING REQUEST": "onboarding",
        "BOARD ONBOARDING ANSWER": "onboarding_answer",
    },
)
