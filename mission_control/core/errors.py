"""Errors as values of the domain, every code with its sentence, and which name was meant."""

import json
from collections.abc import Awaitable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class ErrorCode(StrEnum):
    """The word for programs that stands beside the sentence of an error: `/docs` lists all. More may be added."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> "ErrorCode":
        code = str.__new__(cls, value)
        code._value_, code.sentence = value, sentence
        return code

    # Runs and claims
    LEASE_LOST = "lease_lost", "Your lease of this task is over. Stop working on it."
    NO_RUN = "no_run", "You work on no task that could wait. Name the one that you hold by its id."
    FENCES_DIFFER = "fences_differ", "The fence in the body and the one in X-Task-Fence differ. Send one of them."
    TASK_DELETED = "task_deleted", "This task was deleted. Stop working on it."
    RUN_ENDED = "run_ended", "This run was handed in already. Leave the status out to add a report."
    NOBODY_WORKS = "nobody_works", "No agent works on this task now. Write a comment."
    CLAIMS_DISABLED = "claims_disabled", "On this board only the lead starts tasks; there is nothing to claim."
    TASK_ALREADY_CLAIMED = "task_already_claimed", "Somebody else has this task. Claim another one."
    TASK_NOT_CLAIMABLE = "task_not_claimable", "Nobody can claim this task now. The message says why."
    WIP_LIMIT_REACHED = "wip_limit_reached", "You, or the column, have as many tasks as allowed. Finish one first."
    AGENT_PAUSED = "agent_paused", "People paused you. Claim with wait_seconds to wait until work resumes."
    BOARD_PAUSED = "board_paused", "People paused the board. Claim with wait_seconds to wait until work resumes."
    ORGANIZATION_PAUSED = (
        "organization_paused",
        "People paused all agents. Claim with wait_seconds to wait until work resumes.",
    )
    BUDGET_EXHAUSTED = "budget_exhausted", "A budget is used up. Claim with wait_seconds to wait until it allows more."

    # Changes of tasks
    TASK_BLOCKED = (
        "task_blocked_cannot_transition",
        "This task waits for unfinished tasks and cannot be started or assigned yet.",
    )
    TASK_PARTS_OPEN = "task_parts_open", "Parts of this task that block it are not done yet. Finish them first."
    TASK_HAS_PENDING_APPROVAL = (
        "task_has_pending_approval",
        "A pending approval blocks changes of this task's status.",
    )
    TASK_REVIEW_REQUIRED = "task_review_required", "On this board a task is done only after review."
    TASK_APPROVAL_REQUIRED = (
        "task_approval_required",
        "On this board a person has to approve that a task is finished. They are asked when it is handed in.",
    )
    TASK_DONE_NEEDS = "task_done_needs", "On this board done needs more than there is: a result, a check or criteria."
    TASK_NOT_IN_REVIEW = "task_not_in_review", "This task is no longer in review."
    TASK_ASSIGNEE_MISMATCH = "task_assignee_mismatch", "This task is assigned to somebody else."
    TASK_UPDATE_FIELD_FORBIDDEN = "task_update_field_forbidden", "Your role may not change one of these fields."
    LEAD_ONLY = "lead_only", "Only the lead of the board may do this."
    WORKER_ONLY = "worker_only", "Only workers may do this; a lead assigns work."
    MAIN_AGENT_ONLY = "main_agent_only", "Only the main agent of a gateway may do this."
    NO_BOARD = "no_board", "You work on no board. A person can put you on one."

    # Approvals, questions and needs
    APPROVAL_CLOSED = "approval_closed", "This request is closed: what it was about is over."
    APPROVAL_DECIDED = "approval_decided", "This is decided already."
    APPROVAL_NEEDS_SEVERAL = "approval_needs_several", "Several people have to approve this."
    APPROVAL_EXPIRED = "approval_expired", "This request has expired on the gateway."
    APPROVAL_FINAL = "approval_final", "The gateway has its answer. The agent can ask again."
    APPROVAL_OF_GATEWAY = "approval_of_gateway", "Who asks says until when it waits."
    QUESTION_ANSWERED = "question_answered", "Somebody answered this question already."
    HOLD_ANSWERED = "hold_answered", "Somebody told this worker what to do already."
    HOLD_ENDED = "hold_ended", "This worker goes on already."
    QUESTION_CLOSED = "question_closed", "This question is closed: what it was about is over."
    QUESTION_WITHDRAWN = "question_withdrawn", "This question was withdrawn."
    QUESTION_EXPIRED = "question_expired", "This question has expired on the gateway."
    QUESTION_OF_GATEWAY = "question_of_gateway", "Who asks says until when it waits."
    REQUEST_OVER = "request_over", "This request of a gateway is settled already."
    NEED_CHANGED = "need_changed", "This changed while you looked. Look again: `changed` says what it is now."
    NEED_ENDED = "need_ended", "This no longer waits for an answer. The message says who was faster."

    # Agents, gateways and notices
    AFTER_UNKNOWN = (
        "after_unknown",
        "No notice has had this number yet. Read on with the `next` of an answer, or again from 0.",
    )
    AGENT_WITHOUT_SESSION = "agent_without_session", "The agent has no session on its gateway yet."
    BOARD_WITHOUT_GATEWAY = "board_without_gateway", "This board has no gateway."
    DELIVERY_NOT_FAILED = "delivery_not_failed", "Only a delivery that was given up can be sent again."
    GATEWAY_ADDRESS_REFUSED = "gateway_address_refused", "The gateway's address is not allowed here."
    GATEWAY_GONE = "gateway_gone", "The gateway of this board is gone. Choose another."
    GATEWAY_NOT_CONNECTED = "gateway_not_connected", "The gateway is not connected. Connect it first."
    GATEWAY_IN_USE = "gateway_in_use", "Boards use this gateway. Give them another one, or send force=true."
    GATEWAY_REFUSED = "gateway_refused", "The gateway refuses the connection. Its page says why."
    GATEWAY_SECRET_UNREADABLE = "gateway_secret_unreadable", "The stored token cannot be read. Enter it again."
    GATEWAY_TOKEN_REFUSED = "gateway_token_refused", "The gateway refuses the token."
    GATEWAY_UNUSABLE = "gateway_unusable", "The gateway was deleted or has no address."
    GATEWAY_VERSION_NOT_SUPPORTED = ("gateway_version_not_supported", "The gateway's version is too old or too new.")
    GATEWAY_WITHOUT_MAIN_AGENT = ("gateway_without_main_agent", "The gateway has no main agent yet.")
    SAME_GATEWAY = "same_gateway", "The organization has this gateway already, at another address."
    ONBOARDING_ANSWERED = "onboarding_answered", "The agent has answered already."
    ONBOARDING_CONFIRMED = "onboarding_confirmed", "This was confirmed already."
    ONBOARDING_GATEWAY_CHANGED = (
        "onboarding_gateway_changed",
        "The board has another gateway since. Start the conversation again with its agent.",
    )
    ONBOARDING_WENT_ON = "onboarding_went_on", "Something was said since. Read it, then answer."

    # Tokens and limits
    TOKEN_ENDED = "token_ended", "This token has ended; rotate it instead."
    TOKEN_REPLACED = "token_replaced", "Only an agent's newest token can be renewed; this one has been replaced."
    TOKEN_SCOPE_MISSING = "token_scope_missing", "The token lacks the scope in `needed`."
    RATE_LIMITED = "rate_limited", "Too many requests. Try again after Retry-After seconds."

    # Safe writes
    EDIT_CONFLICT = "changed_meanwhile", "Somebody changed this while you were writing."
    HEADER_NOT_SUPPORTED = (
        "header_not_supported",
        "This operation cannot honour a header that you sent. Leave it out; nothing was done.",
    )
    IDEMPOTENCY_ANSWER_GONE = (
        "idempotency_answer_gone",
        "This request was carried out before, and its answer is no longer stored. Read what it changed.",
    )
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", "This Idempotency-Key was used for another request."
    PRECONDITION_FAILED = "precondition_failed", "This has changed since you read it: `current` is how it is now."

    # What MCP tools say where an error has no code of its own
    ARGUMENTS_INVALID = "arguments_invalid", "The arguments do not fit the tool. The message names them."
    BAD_REQUEST = "bad_request", "A value names something that this server does not deal with."
    UNAUTHORIZED = "unauthorized", "Your token is expired or revoked."
    FORBIDDEN = "forbidden", "This is not yours to do: your role, or your token, does not allow it."
    NOT_FOUND = "not_found", "There is no such thing on your board. Look the id up again."
    METHOD_NOT_ALLOWED = "method_not_allowed", "The address takes other methods: see the header Allow."
    REQUEST_TIMEOUT = "request_timeout", "The request did not come to its end. Send it again."
    CONFLICT = "conflict", "It is not in a state for this. Read it again."
    GONE = "gone", "It existed, and is gone for good."
    CONTENT_TOO_LARGE = "content_too_large", "More was sent than is allowed."
    UNPROCESSABLE_CONTENT = "unprocessable_content", "A value does not fit. The message says which."
    MISDIRECTED_REQUEST = "misdirected_request", "The server does not know itself by this host. Set its BASE_URL."
    TOO_MANY_REQUESTS = "too_many_requests", "Too many requests. Wait, then try again."
    INTERNAL_ERROR = "internal_error", "Something went wrong here. Tell a person."
    BAD_GATEWAY = "bad_gateway", "A gateway or another service gave no usable answer. Try again later."
    SERVICE_UNAVAILABLE = "service_unavailable", "The server is stopping. Try again in a few seconds."
    DATABASE_UNAVAILABLE = "database_unavailable", "The database cannot be used now. Try again in a few seconds."

    def detail(self, message: str = "", **more: object) -> dict[str, Any]:
        return {"message": message or self.sentence, "code": self, **more}

    @classmethod
    def of_status(cls, status: int) -> "ErrorCode":
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return cls.INTERNAL_ERROR
        return cls.__members__[HTTPStatus(status).phrase.upper().replace(" ", "_")]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: "CoreSchema", handler: "GetJsonSchemaHandler"
    ) -> dict[str, object]:
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)["x-enum-descriptions"] = [code.sentence for code in cls]
        return schema


LONGEST_INPUT = 200  # characters of what was sent that an error repeats


class DomainError(Exception):
    """Something the caller asked for cannot be done; `detail` is what the answer carries."""

    status = 422

    def __init_subclass__(cls, status: int = 0) -> None:
        cls.status = status or cls.status

    def __init__(self, detail: str | dict[str, Any] | list[Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail if detail is not None else HTTPStatus(self.status).phrase
        self.headers: dict[str, str] = {}

    @property
    def is_bare(self) -> bool:
        return self.detail == HTTPStatus(self.status).phrase

    @property
    def code(self) -> object:
        """The machine-readable reason, None where the detail has none."""
        return self.detail.get("code") if isinstance(self.detail, dict) else None

    @property
    def sentence(self) -> str:
        if isinstance(self.detail, dict):
            return str(self.detail.get("message", HTTPStatus(self.status).phrase))
        if isinstance(self.detail, list):
            return "; ".join(str(item.get("msg", "")) for item in self.detail)
        return self.detail


class Refused(DomainError, status=400):
    """A value names something that this program does not deal with."""


class Unauthenticated(DomainError, status=401):
    """Nobody is known by the credentials sent, or none were sent."""


class Forbidden(DomainError, status=403):
    """The thing is visible, the change is not allowed."""


class NotFound(DomainError, status=404):
    """The thing does not exist for this caller."""


async def existing[T](reading: Awaitable[T | None], sentence: str | None = None) -> T:
    """Return what is read. Nothing: NotFound, with the sentence."""
    thing = await reading
    if thing is None:
        raise NotFound(sentence)
    return thing


class Conflict(DomainError, status=409):
    """The thing is not in a state for this."""


class Gone(DomainError, status=410):
    """The thing existed and does no more."""


class TooLarge(DomainError, status=413):
    """More was sent, or would have to be sent, than is allowed."""


class Invalid(DomainError, status=422):
    """A value does not fit; a list stands for schema errors, a string or object for business rules."""


class TooMany(DomainError, status=429):
    """A limit was met."""

    def __init__(self, retry_after: int, detail: str | dict[str, object] | None = None) -> None:
        super().__init__(detail)
        self.headers["Retry-After"] = str(max(1, retry_after))


class Unreachable(DomainError, status=502):
    """An external service did not give a usable answer."""


class SchemaError(TypedDict):
    """One thing that is wrong with a request, in the shape of the validator's."""

    type: str
    loc: list[str | int]
    msg: str
    input: object
    ctx: NotRequired[Mapping[str, object]]


def schema_error(kind: str, loc: list[str | int], msg: str, value: object = None, **context: object) -> SchemaError:
    item: SchemaError = {"type": kind, "loc": loc, "msg": msg, "input": shortened(value)}
    if context:
        item["ctx"] = {name: shortened(part) for name, part in context.items()}
    return item


def shortened(value: object) -> Any:
    """Return a value as an error repeats it: long texts are cut, other long values become the start of their JSON."""
    if isinstance(value, str):
        return value[:LONGEST_INPUT]
    text = ""
    for piece in json.JSONEncoder(default=repr).iterencode(value):  # in small pieces, so that little of it is written
        text += piece[:LONGEST_INPUT]
        if len(text) > LONGEST_INPUT:
            return text[:LONGEST_INPUT]
    return value


def invalid_field(field: str, sentence: str, value: object = None) -> Invalid:
    """Return the error of a business rule about one field, such as `values.token`, in the shape of schema errors."""
    return Invalid(
        [schema_error("value_error", ["body", *field.split(".")], f"Value error, {sentence}", value, error=sentence)]
    )
