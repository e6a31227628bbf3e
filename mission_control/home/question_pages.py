"""The pages of one question and of one request of a gateway, and their forms."""

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.asks.pages import OTHERWISE, AskPage, DeadlineForm, deadline_actions
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid
from mission_control.core.values import BlankToNone, NonEmptyStr
from mission_control.home.gateway_request_queries import request_item, visible_request
from mission_control.home.models import GatewayRequest, Question
from mission_control.home.question_queries import item_of, visible_question
from mission_control.home.question_schemas import LONGEST_ANSWER
from mission_control.log.models import Event
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done
from mission_control.web.shell import safe_next


class AnswerForm(Form):
    """A person's answer: an option, their own words, or both."""

    answer: Annotated[NonEmptyStr | None, BlankToNone] = Field(None, max_length=LONGEST_ANSWER)
    option: Annotated[str | None, BlankToNone] = None
    substance: str | None = None
    next: str = "/approvals"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.answer is None and self.option is None:
            raise ValueError("Fill this in.")
        return self

    def body(self, found: object) -> Fields:
        return {"answer": self.answer, "option_id": self.option, "substance": self.substance}


pages = Blueprint("questions_pages", __name__)
QUESTION = "/boards/<uuid:board_id>/questions/<uuid:question_id>"
OPTION = "option:"  # and the id of the option that is taken without an answer


QUESTION_PAGE = AskPage[Question](
    pages=pages,
    path=QUESTION,
    kind="question",
    template="questions/show.html",
    find=visible_question,
    item=item_of,
    news=("question.", "board."),
    otherwise=lambda item: OTHERWISE | {f"{OPTION}{one['id']}": f"take “{one['label']}”" for one in item.options},
    next_url=lambda item: f"/boards/{item.board_id}/approvals",
)
QUESTION_REGIONS = QUESTION_PAGE.regions


@action(pages, f"{QUESTION}/answers", form=AnswerForm, refused=QUESTION_PAGE.refused_answer)
async def answer_question(outcome: Outcome[Question, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.found.agent_name} has your answer.")


class QuestionDeadlineForm(DeadlineForm):
    """How many hours are left, and what happens otherwise: maybe an option is taken."""

    def body(self, found: Question) -> Fields:
        if not self.otherwise.startswith(OPTION):
            return super().body(found)
        option = {"otherwise": "option", "otherwise_option_id": self.otherwise.removeprefix(OPTION)}
        return {**super().body(found), **option}


deadline_actions(pages, QUESTION, "set_question_deadline", "remove_question_deadline", QuestionDeadlineForm)


REQUEST = "/gateways/requests/<uuid:gateway_request_id>"


class DecisionForm(Form):
    """A person's decision."""

    decision: Literal["approved", "rejected"]
    always: bool = False
    substance: str | None = None
    next: str = "/approvals"

    def body(self, found: GatewayRequest) -> Fields:
        always = self.always and self.decision == "approved"
        return {"decision": self.decision, "always": always, "substance": self.substance}


class RequestPage(AskPage[GatewayRequest]):
    """The page of a request: of no board, for those who manage the gateways of its organization."""

    async def is_there(self, viewer: Actor, thing: GatewayRequest) -> bool:
        return can(viewer, "gateway.manage", thing.organization_id) and await GatewayRequest.exists(id=thing.id)

    def is_about(self, thing: GatewayRequest, news: Event) -> bool:
        return news.subject_id == thing.gateway_id

    def at_home(self, actor: Actor, thing: GatewayRequest) -> Actor:
        return replace(actor, organization_id=thing.organization_id)

    async def refused(self, refusal: Refusal[GatewayRequest, Any]) -> str:
        """Answer what was typed with the reason; an approval has no field beside which it stands."""
        if refusal.found.kind == "approval" and isinstance(refusal.error, FormInvalid | Invalid):
            return await self.again(refusal.actor, refusal.found, sentence=refusal.sentence, values=refusal.values)
        return await self.refused_answer(refusal)


REQUEST_PAGE = RequestPage(
    pages=pages,
    path=REQUEST,
    kind="request",
    template="gateway_requests/show.html",
    find=visible_request,
    item=lambda _actor, request: request_item(request.id),
    news=("gateway.",),
    parts=("row", "asked"),
)
REQUEST_REGIONS = REQUEST_PAGE.regions


@action(pages, f"{REQUEST}/decisions", form=DecisionForm, refused=REQUEST_PAGE.refused)
async def decide_gateway_request(outcome: Outcome[GatewayRequest, DecisionForm]) -> ResponseReturnValue:
    """Approve or reject; only the first decision counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.answer['heading']} {outcome.form.decision}.")


@action(pages, f"{REQUEST}/answers", form=AnswerForm, refused=REQUEST_PAGE.refused)
async def answer_gateway_request(outcome: Outcome[GatewayRequest, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast="The gateway gets your answer.")
