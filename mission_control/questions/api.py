"""Questions of agents to people, over HTTP for both."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import (
    OK,
    HTTPValidationError,
    JsonObject,
    LLMErrorResponse,
    OkResponse,
    Versioned,
    Wait,
)
from mission_control.http.operation_api import Api, hints
from mission_control.questions import commands as question_commands
from mission_control.questions.commands import ask_people, ask_through_gateway, main_agent_of, set_deadline
from mission_control.questions.models import Question
from mission_control.questions.queries import read_question
from mission_control.questions.reactions import POLLS
from mission_control.questions.schemas import (
    GatewayMainAskUserRequest,
    GatewayMainAskUserResponse,
    QuestionAnswer,
    QuestionCreate,
    QuestionDeadline,
    QuestionQuery,
    QuestionRead,
)

api = Api(__name__, "questions")
NO_WAIT = Wait()
QUESTIONS = "/boards/<board_id>/questions"
QUESTION = f"{QUESTIONS}/<question_id>"


@api.post(
    "/agent/boards/<board_id>/gateway/main/ask-user",
    rule="question.ask_as_lead",
    errors={403: LLMErrorResponse, 404: LLMErrorResponse, 422: HTTPValidationError, 502: LLMErrorResponse},
    hints=hints(
        "human_escalation",
        "board_lead",
        use="When work cannot go on without something that only people know or want to decide.",
        avoid="Not for a yes or no about one step; ask for an approval. Not for what the board's memory answers.",
        needs="You are the lead of the board; you searched its memory first.",
        effects="People see the question at once. The answer comes to your inbox and into the memory with your tags.",
        never="Do not ask for passwords or other secrets, and do not ask the same again while it is open.",
        route="Lead only; POST /api/v1/agent/boards/{board_id}/questions is for every agent, and takes options.",
        example="ask people which of two directions they want",
    ),
)
async def agent_lead_ask_user_via_gateway_main(
    actor: Actor, board: Board, data: GatewayMainAskUserRequest
) -> GatewayMainAskUserResponse:
    """Ask people something.

    On a gateway its main agent passes the question on; without one it is queued for people under `question_id`. The
    answer is stored in the board's memory.
    """
    if (main := await main_agent_of(board)) is not None:
        delivery_id = await ask_through_gateway(actor, board, main, data)
        return GatewayMainAskUserResponse(
            board_id=board.id, main_agent_id=main.id, main_agent_name=main.name, delivery_ids=[delivery_id]
        )
    new = QuestionCreate.model_construct(**data.model_dump(exclude={"reply_source"}))
    question = await ask_people(actor, board, new, data.reply_source)
    return GatewayMainAskUserResponse(board_id=board.id, question_id=question.id)


@api.post(
    f"/agent{QUESTIONS}",
    QuestionRead,
    rule="question.ask",
    errors={403: LLMErrorResponse, 404: LLMErrorResponse, 422: HTTPValidationError},
    hints=hints(
        "agent_question_ask",
        use="When work cannot go on without something that only people know or want to decide.",
        avoid="Not for a yes or no about one step; ask for an approval. Not for what the board's memory answers.",
        needs="You searched the board's memory first.",
        effects="People see the question at once. The answer comes to your inbox and into the memory with your tags.",
        never="Do not ask for passwords or other secrets, and do not ask the same again while it is open.",
        route="Give up to six options with what happens for each, and recommend one; people answer by one key.",
        example="ask people which of two directions they want",
    ),
)
async def ask_question(actor: Actor, board: Board, data: QuestionCreate) -> JsonObject:
    """Ask people something, with up to six answers that they can choose from.

    The answer is stored in the board's memory and arrives in your inbox, with the chosen `option_id`.
    """
    return await read_question((await ask_people(actor, board, data)).id)


@api.get(
    QUESTIONS,
    Versioned[QuestionRead],
    who="actor",
    rule="board.read",
    is_long_poll=True,
    hints=hints(
        "agent_question_discovery",
        use="To see which questions wait for people and how they were answered.",
        avoid="Not in a loop without wait_seconds and known; the answer comes to the asker's inbox too.",
        never="Do not act as if an open question were answered.",
        route="With state=open before you ask anew.",
        example="did people answer my question",
    ),
)
async def list_questions(actor: Actor, board: Board, query: QuestionQuery) -> JsonObject:
    """List the questions of a board to people, newest first.

    With `wait_seconds`, and as `known` the `version` of the list that you have, the answer comes as soon as one is
    asked, answered or over, or unchanged after that time.
    """
    return await POLLS.listed(actor, board, query)


@api.get(QUESTION, QuestionRead, who="actor", is_long_poll=True)
async def get_question(actor: Actor, question: Question, query: Wait = NO_WAIT) -> JsonObject:
    """Read a question and its answer.

    With `wait_seconds` the answer to an open one comes as soon as people answered, or it is over; or open after that
    time.
    """
    return await POLLS.one(actor, question, query.wait_seconds)


@api.post(f"{QUESTION}/answers", QuestionRead, rule="question.answer")
async def answer_question(actor: Actor, question: Question, data: QuestionAnswer) -> JsonObject:
    """Answer a question with one of its options or in your own words. The first answer counts; a second gets 409.

    The answer is stored in the board's memory as a note, and the asking agent is notified.
    """
    await question_commands.answer_question(actor, question, data.answer, data.option_id, data.substance)
    return await read_question(question.id)


@api.put(f"{QUESTION}/deadline", QuestionRead, rule="question.answer")
async def set_question_deadline(actor: Actor, question: Question, data: QuestionDeadline) -> JsonObject:
    """Say until when an open question is to be answered, and what happens otherwise."""
    await set_deadline(actor, question, data)
    return await read_question(question.id)


@api.delete(f"{QUESTION}/deadline", QuestionRead, rule="question.answer")
async def remove_question_deadline(actor: Actor, question: Question) -> JsonObject:
    """Let an open question wait without a deadline."""
    await set_deadline(actor, question, None)
    return await read_question(question.id)


@api.delete(
    f"/agent{QUESTION}",
    rule="question.withdraw",
    errors={403: LLMErrorResponse, 404: LLMErrorResponse, 409: LLMErrorResponse},
    hints=hints(
        "question_withdrawal",
        use="When you have found the answer yourself, or the question has become pointless.",
        avoid="Not to ask in other words at once; people may be answering.",
        needs="You asked it, or you are the lead of the board; and it is open.",
        effects="It disappears from people's queues.",
        never="Do not withdraw a question because the answer takes long.",
        route="An answered question cannot be withdrawn.",
        example="take back a question that no longer needs an answer",
    ),
)
async def withdraw_question(actor: Actor, question: Question) -> OkResponse:
    """Withdraw a question that people have not answered."""
    await question_commands.withdraw_question(actor, question)
    return OK
