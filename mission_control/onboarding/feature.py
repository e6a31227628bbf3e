"""What onboarding adds to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.onboarding import api, chat_pages, conversation, models, pages, queries

onboarding = Feature(
    name="onboarding",
    models=(models,),
    rules=(queries.rules,),
    kinds={
        "onboarding.started": Kind(
            "A person started the conversation about a board with its gateway's main agent.",
            "started the conversation about",
        ),
        "onboarding.answered": Kind("A person answered the main agent.", "answered about"),
        "onboarding.resent": Kind(
            "A person had the main agent sent again what it had not answered.", "asked again about"
        ),
        "onboarding.agent_notified": Kind("The main agent got what a person said about a board."),
        "onboarding.agent_notify_failed": Kind("What a person said could not be sent to the main agent."),
        "onboarding.agent_silent": Kind(
            "The main agent has not answered within five minutes.", "waits for the main agent of"
        ),
        "onboarding.cancelled": Kind("A person cancelled the conversation.", "cancelled the conversation about"),
        "onboarding.asked": Kind("A gateway's main agent asked something about a new board.", "asked something about"),
        "onboarding.drafted": Kind(
            "A gateway's main agent proposed a goal and a lead for a board.", "proposed a goal for"
        ),
        "onboarding.confirmed": Kind("A person confirmed a board's goal; the board has a lead.", "set up"),
    },
    loops=(conversation.SILENCE,),
    blueprints=(
        api.api,
        pages.pages,
        chat_pages.pages,
    ),
    asides=chat_pages.ASIDES,
    regions=(*chat_pages.CHAT_REGIONS, *chat_pages.REGIONS),
)
