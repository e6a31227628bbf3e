"""Shapes of questions to people."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from mission_control.boards.parking import ParkAsked
from mission_control.core.substance import Seen, Substance
from mission_control.core.values import ActorRef, BlankToNone, Body, NewsPaging, NonEmptyStr, Schema, example
from mission_control.needs.deadlines import AFTER_ALL, DeadlineAsked, DeadlineRead

REPLY_TAGS = ("gateway_main", "user_reply")
REPLY_SOURCE = "user_via_gateway_main"
LONGEST_QUESTION = 10_000
LONGEST_ANSWER = 20_000
MOST_OPTIONS = 6
QuestionState = Literal["open", "answered", "withdrawn", "closed"]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
OptionalShortText = Annotated[ShortText | None, BlankToNone]


class GatewayMainAskUserRequest(Schema):
    """A question to people. The answer is written into the board's memory with these tags and this source."""

    model_config = example(content="Which of the two accounts pays for the domain?", reply_tags=["billing"])

    correlation_id: OptionalShortText = None
    content: Annotated[NonEmptyStr, Field(max_length=LONGEST_QUESTION)]
    preferred_channel: OptionalShortText = None
    reply_tags: list[ShortText] = Field(default_factory=lambda: list(REPLY_TAGS), max_length=20)
    reply_source: OptionalShortText = REPLY_SOURCE


class Option(Body):
    """One answer that people can choose, and what happens then."""

    id: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None,
        BlankToNone,
        Field(description="How your program knows it; without one its number, from 1"),
    ] = None
    label: Annotated[NonEmptyStr, Field(max_length=200, description="The answer in a few words")]
    outcome: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)] | None,
        BlankToNone,
        Field(description="What happens when people choose it"),
    ] = None
    recommended: Annotated[bool, Field(description="Whether you would choose it; one at most")] = False


def check_option(otherwise: str | None, option_id: str | None) -> None:
    """Raise ValueError when an option is named and not taken, or the other way round."""
    if (otherwise == "option") != (option_id is not None):
        raise ValueError("`otherwise: option` and otherwise_option_id go together")


class QuestionWanted(Body):
    """What is asked, without the deadline, which stands last."""

    content: Annotated[NonEmptyStr, Field(max_length=LONGEST_QUESTION)]
    options: Annotated[list[Option], Field(max_length=MOST_OPTIONS)] = []
    allows_text: Annotated[bool, Field(description="Whether people may answer in their own words")] = True
    task_id: Annotated[
        UUID | None, Field(description="The task that it is about; left out, the only one that you work on")
    ] = None
    correlation_id: OptionalShortText = None
    preferred_channel: OptionalShortText = None
    reply_tags: list[ShortText] = Field(default_factory=lambda: ["user_reply"], max_length=20)


class QuestionCreate(ParkAsked, DeadlineAsked, QuestionWanted):
    """A question to people, with the answers that they can choose from."""

    model_config = example(
        content="Which of the two accounts pays for the domain?",
        options=[
            {"label": "The company's", "outcome": "I renew it today.", "recommended": True},
            {"label": "The project's", "outcome": "I ask its owner for the card first."},
        ],
        reply_tags=["billing"],
    )

    otherwise: Annotated[Literal["remind", "ask", "option"] | None, Field(description=AFTER_ALL)] = None
    otherwise_option_id: Annotated[
        str | None, Field(max_length=64, description="Which option is taken then, with `otherwise: option`")
    ] = None

    @model_validator(mode="after")
    def _options_agree(self) -> Self:
        check_option(self.otherwise, self.otherwise_option_id)
        for number, option in enumerate(self.options, start=1):
            option.id = option.id or str(number)
        ids, labels = {option.id for option in self.options}, {option.label.lower() for option in self.options}
        refusals = {
            "each option needs an id of its own": len(ids) < len(self.options),
            "each option needs a label of its own": len(labels) < len(self.options),
            "recommend one option at most": sum(option.recommended for option in self.options) > 1,
            "without options people can only answer in their own words": not (self.options or self.allows_text),
            "otherwise_option_id names none of the options": self.otherwise_option_id not in {None, *ids},
        }
        for sentence, applies in refusals.items():
            if applies:
                raise ValueError(sentence)
        return self


class GatewayMainAskUserResponse(Schema):
    """Where the question went: to a gateway's main agent, or without one into people's queue, as `question_id`."""

    ok: bool = True
    board_id: UUID
    main_agent_id: UUID | None = None
    main_agent_name: str | None = None
    question_id: UUID | None = None
    delivery_ids: list[UUID] = Field(default_factory=list)


class QuestionAnswer(Body):
    """What people answer: an option, their own words, or both."""

    model_config = example(answer="The company's, until June.")

    answer: Annotated[
        Annotated[NonEmptyStr, Field(max_length=LONGEST_ANSWER)] | None, Field(description="In your own words")
    ] = None
    option_id: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None,
        BlankToNone,
        Field(description="The option that you choose"),
    ] = None
    substance: Seen = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.answer is None and self.option_id is None:
            raise ValueError("choose an option, or answer in your own words")
        return self


class OptionRead(Schema):
    """One answer that people can choose, and what happens then."""

    id: str
    label: str
    outcome: str | None
    recommended: bool


class QuestionRead(DeadlineRead):
    """A question to people and its outcome.

    One with a `gateway_id` was asked on a gateway, which wants the answer before `expires_at`; `answer_state` is
    `waiting` until the gateway has it, then `sent`, or `late` when somebody answered there first.

    `run_id` names the run that asked, on the task `task_id`. With the run's end the question is `closed`, for
    `closed_reason`.
    """

    id: UUID
    board_id: UUID
    agent_id: UUID | None
    agent_name: str
    content: str
    correlation_id: str | None
    preferred_channel: str | None
    reply_tags: list[str]
    reply_source: str | None
    state: QuestionState
    answer: str | None
    answered_by: ActorRef | None
    answered_at: datetime | None
    created_at: datetime
    options: list[OptionRead]
    allows_text: bool
    chosen_option_id: str | None
    gateway_id: UUID | None
    expires_at: datetime | None
    answer_state: Literal["waiting", "sent", "late"] | None
    answered_by_name: str | None
    run_id: UUID | None
    task_id: UUID | None
    closed_reason: str | None
    closed_at: datetime | None
    otherwise_option_id: str | None
    substance: Substance


class QuestionQuery(NewsPaging):
    """Which questions to list."""

    state: QuestionState | None = None


class QuestionDeadline(DeadlineAsked, Body):
    """Until when an answer is needed, and what happens otherwise."""

    model_config = Body.model_config | example(
        decide_by="2027-01-04T18:00:00Z", otherwise="option", otherwise_option_id="1"
    )

    otherwise: Annotated[Literal["remind", "ask", "option"], Field(description=AFTER_ALL)] = "remind"
    otherwise_option_id: Annotated[str | None, Field(max_length=64, description="Which option is taken then")] = None

    @model_validator(mode="after")
    def _option_fits(self) -> Self:
        check_option(self.otherwise, self.otherwise_option_id)
        return self
