"""What questions add to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.questions import api, models, pages, policy
from mission_control.questions.queue import in_queue

questions = Feature(
    name="questions",
    models=(models,),
    rules=(policy.rules,),
    kinds={
        "question.asked": Kind("An agent asked people a question.", "asked people:"),
        "question.answered": Kind(
            "A person answered an agent's question; the answer is in the board's memory.", "answered:"
        ),
        "question.withdrawn": Kind("A lead withdrew a question.", "withdrew:"),
        "gateway.lead.ask_user.sent": Kind("A gateway's main agent got the question of a lead for people."),
        "gateway.lead.ask_user.failed": Kind("A question for a gateway's main agent was given up."),
    },
    blueprints=(
        api.api,
        pages.pages,
    ),
    queue_rows=(in_queue,),
    regions=pages.REGIONS,
    notices={
        "QUESTION ANSWERED": "question_answered",
    },
)
