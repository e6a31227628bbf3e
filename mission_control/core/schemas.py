"""Field types that several features share."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from mission_control.core.clock import naive_utc, with_plus
from mission_control.core.error_codes import ErrorCode

# The pattern refuses what `str.strip` takes away and pydantic does not: separators such as U+001F.
NonEmptyStr = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"[^\s\x1c-\x1f]")]


def _with_plus(value: object) -> object:
    return with_plus(value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_with_plus), AfterValidator(naive_utc)]


def _blank_to_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _reject_null(value: object) -> object:
    if value is None:
        raise ValueError("null is not allowed here; leave the field out to keep its value")
    return value


# Needs and deadlines say `send_back` for the decision that the contract calls `changes_requested`.
SentBack = BeforeValidator(lambda value: "changes_requested" if value == "send_back" else value)
NotNull = AfterValidator(_reject_null)
BlankToNone = BeforeValidator(_blank_to_none)
OptionalText = Annotated[str | None, BlankToNone]


def example(**body: Any) -> ConfigDict:
    """Return the configuration that gives a shape this example in the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class Body(BaseModel):
    """What an operation takes that the predecessor does not have: a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class OkResponse(BaseModel):
    """It worked."""

    ok: Literal[True] = True


class ActorRef(BaseModel):
    """Who did something: a person, an agent, or the system."""

    kind: Literal["user", "agent", "system"]
    id: UUID | None
    name: str


class ErrorResponse(BaseModel):
    """What every error answers."""

    detail: str | dict[str, Any] | list[Any]
    request_id: str | None = None
    code: ErrorCode | None = None


class LLMErrorResponse(BaseModel):
    """What errors of agent operations answer."""

    detail: str | dict[str, Any] | list[Any]
    request_id: str | None = None
    code: str | None = None
    retryable: bool | None = None


class ValidationItem(BaseModel):
    """One thing that is wrong with the request."""

    loc: list[str | int]
    msg: str
    type: str
    input: Any = None
    ctx: dict[str, Any] | None = None


class HTTPValidationError(BaseModel):
    """The request does not fit: a list for schema errors, a sentence or an object for business rules."""

    detail: list[ValidationItem] | str | dict[str, Any]
    request_id: str | None = None
    code: ErrorCode | None = None


OK = OkResponse()
