"""What questions add to the application."""

from mission_control.feature import Feature
from mission_control.live.kinds import Kind
from mission_control.questions import api, asks, models, pages, queries, reactions

questions = Feature(
    name="questions",
    models=(models,),
    rules=(queries.rules,),
    reactions=(reactions.reactions, reactions.reactions),
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
    lookups=(queries.visible_question,),
    blueprints=(
        api.api,
        pages.pages,
    ),
    asks=(asks.QuestionAsk(),),
    regions=pages.REGIONS,
    notices={
        "QUESTION ANSWERED": "question_answered",
    },
)
