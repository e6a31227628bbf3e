"""The OpenAPI 3.1 document, made from the registered operations, and what it says in words."""

import inspect
import re
from typing import get_args, get_origin

from pydantic import BaseModel

from mission_control import __version__
from mission_control.core.values import ErrorResponse, HTTPValidationError, Page
from mission_control.http.inputs import takes_fence
from mission_control.http.openapi_schemas import REF, Part, References, example_of, fields_of, meaning, schemas
from mission_control.http.registry import OPERATIONS, PRIVILEGES, Hints, Operation, started_by, takes_match

TAGS = {
    "auth": "Signing in with the token of an identity provider",
    "health": "Whether the server is alive and ready",
    "agents": "Agents as people manage them: hiring, tokens, callbacks, pausing, heartbeats",
    "activity": "What happened, as a list and as a stream",
    "gateways": "Gateways, and the agents that run on them",
    "jobs": "Long work that somebody started and may leave: how far it is, and its result",
    "metrics": "Figures for the dashboard",
    "organizations": "Organizations, their members and invitations",
    "souls-directory": "A public directory of agents' personalities, searched and read",
    "skills": "The catalogue of skills, and the repositories they come from",
    "board-groups": "Groups of boards",
    "board-group-memory": "What the boards of a group remember together, chat among it",
    "boards": "Boards: their rules, their snapshot, export and import, trash",
    "questions": "What agents ask people, with options, and the answers",
    "search": "Words in tasks, comments, memory and approvals",
    "board-memory": "What a board remembers, its chat among it",
    "board-webhooks": "Addresses at which other systems write to a board",
    "outgoing-webhooks": "Addresses to which the events of a board or of the organization are sent, signed",
    "board-onboarding": "Setting up a board: its goal and its lead",
    "approvals": "Questions to people that need a decision",
    "needs": "What waits for the calling person, of every kind: what is asked, the answers, what happens with each",
    "tasks": "Tasks: reading, changing, moving, comments, steps, files, attempts",
    "custom-fields": "Fields that an organization adds to its tasks",
    "tags": "Tags of tasks",
    "users": "The calling person's account",
    "agent": "What agents do, with an agent's token",
    "agent-lead": "For the agent that hands out and reviews a board's work",
    "agent-worker": "For agents that take tasks and do them",
    "agent-main": "For the main agent of a gateway",
}
REASONS = {
    401: "No valid credentials",
    403: "Not allowed",
    404: "Not found",
    409: "It is not in a state for this",
    410: "Gone",
    412: "It has changed; `detail.current` is how it is now",
    413: "The request is too large",
    422: "The request does not fit",
    429: "Too many requests, or too many tries with unknown credentials; see Retry-After",
}
ABOUT_TOKENS = (
    "A token of a person (`mcu_...`) or, where the operation has the header X-Agent-Token, of an agent (`mca_...`,"
    " in either header). An agent's token may have scopes: `read` reads, `work` also writes, `lead` also acts as the"
    " board's lead; a token without scopes is unrestricted. Too few: 403 with the code"
    " `token_scope_missing` and `needed`. An agent, and a person by tokens, has a number of requests a minute, whatever"
    " the number of tokens, unless a token has a number of its own. RateLimit-Limit carries it,"
    " RateLimit-Remaining and RateLimit-Reset (seconds until all are there again); over it: 429 with the code"
    " `rate_limited` and Retry-After (seconds). Long polls and streams count once. Unknown tokens are limited per"
    " address."
)
ABOUT = """\
Boards that people and AI agents share.

**An agent** has a token (`mca_...`) and sends it as `X-Agent-Token` or as `Authorization: Bearer`. Its operations carry
its role as a tag, `agent-lead` or `agent-worker`, and hints: `x-llm-intent` names an operation, `x-when-to-use` and
`x-when-not-to-use` choose between them.

A worker's loop: `agent_auth_health` says who you are and which board is yours; `agent_task_claim` waits for work and
answers a task with a fence; `agent_task_lookup` and `agent_task_comment_discovery` read it;
`agent_task_comment_create` reports; `agent_task_completion` hands in; and again.

A lead's loop: `agent_inbox_read` waits for news; `delegate_work` makes tasks; `agent_task_update` judges those in
review.

What takes `wait_seconds` answers as soon as there is news, or after that time, which ends up to a fifth earlier. A list
names itself by its `version`: send that as `known`, and another list is the news.

`/openapi.json?tag=agent-worker` is the part of this document that a worker needs, and likewise for every other tag.
`/llms.txt` is a worker's whole day in 2,500 tokens, `/llms-full.txt` all operations of agents as text.

**A person or a script** sends a personal token (`mcu_...`) as `Authorization: Bearer`.

Bodies are JSON with `Content-Type: application/json`. Fields that are not declared are refused (422) where the schema
of the body has `additionalProperties: false`, and ignored elsewhere. Times are RFC 3339 in UTC with `Z`; a time without
a zone counts as UTC. Every error is `{"detail": ..., "request_id": ...}`. `detail` is a sentence; or an object with
`message` for people and `code` for programs (`ErrorCode` lists them all); or, for a request that does not fit, a list
with one item for each field: `loc` says where, `msg` what is wrong.
"""


# Who may call, as security schemes: any one of them is enough.
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "user": [{"HTTPBearer": []}],
    "agent": [{"AgentToken": []}, {"HTTPBearer": []}],
    "actor": [{"HTTPBearer": []}, {"AgentToken": []}],
    "anyone": [],
}
# The answers that operations share, by status.
ANSWERS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "TooLarge",
    422: "Invalid",
    429: "TooManyRequests",
}
# Ids that the predecessor documents as plain text.
PLAIN_IDS = {"board_id", "approval_id", "agent_id"}
# The headers that operations share, by their name in the document.
HEADERS: dict[str, Part] = {
    "AgentToken": {
        "name": "X-Agent-Token",
        "description": "An agent's token; `Authorization: Bearer` takes it as well",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "description": "Sent again with the same key, the write gets the first answer for 24 hours",
        "schema": {"type": "string"},
    },
    "IfMatch": {
        "name": "If-Match",
        "description": "The ETag of the state that may be changed; another state answers 412",
        "schema": {"type": "string"},
    },
    "TaskFence": {
        "name": "X-Task-Fence",
        "description": "The fence of an agent's lease, or `fence` in the body; when the lease is over: 409 lease_lost",
        "schema": {"type": "integer", "minimum": 0},
    },
}

ALLOWANCE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
# The headers of answers.
ANSWER_HEADERS: dict[str, Part] = {
    name: {"description": words, "schema": {"type": kind}}
    for name, kind, words in (
        ("ETag", "string", "Names this state: for If-None-Match on reads, for If-Match on writes"),
        ("Idempotency-Replayed", "string", "`true`: the write was done before, and this is its first answer"),
        ("Location", "string", "Where to read how far the work is"),
        ("Retry-After", "integer", "Seconds to wait before the next request"),
        ("RateLimit-Limit", "integer", "How many requests the token may make in a minute"),
        ("RateLimit-Remaining", "integer", "How many of them are left"),
        ("RateLimit-Reset", "integer", "Seconds until all are there again"),
    )
}
WHO = {
    "user": "People.",
    "agent": "Agents; their token needs the scope `{scope}`.",
    "actor": "People and agents; an agent's token needs the scope `{scope}`.",
    "anyone": "Anybody.",
}


def document(base_url: str) -> Part:
    named, references = schemas()
    paths: Part = {path: {"get": _health(path)} for path in ("/health", "/healthz", "/readyz")}
    for operation in OPERATIONS:
        template = _template(operation.path)
        paths.setdefault(template, {})[operation.method.lower()] = entry = _entry(operation, references, template)
        if operation.body is not None:
            content = entry["requestBody"]["content"]["application/json"]
            content["example"] = example_of(content["schema"], named)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mission Control API",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url or "/"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": named,
            "responses": {name: _shared_answer(status, references) for status, name in ANSWERS.items()},
            "headers": ANSWER_HEADERS,
            "parameters": {name: {"in": "header", "required": False} | spec for name, spec in HEADERS.items()},
            "securitySchemes": {
                "HTTPBearer": {"type": "http", "scheme": "bearer", "description": ABOUT_TOKENS},
                "AgentToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Agent-Token",
                    "description": "An agent's token (`mca_...`)",
                },
            },
        },
    }


def _template(path: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def _health(path: str) -> Part:
    name = path.strip("/")
    content = {"application/json": {"schema": {"$ref": REF.format(model="OkResponse")}}}
    answers: Part = {"200": {"description": "All is well", "content": content}}
    description = "It answers as long as the server runs, and looks at nothing."
    if name == "readyz":
        answers["503"] = {"description": "Not ready; `checks` says why"}
        description = "It looks at the database, its migrations, and what delivers events."
    return {
        "tags": ["health"],
        "summary": "Is it ready for work?" if name == "readyz" else "Is the process alive?",
        "description": description,
        "operationId": f"{name}_{name}_get",
        "security": [],
        "responses": answers,
    }


def _entry(operation: Operation, references: References, template: str) -> Part:
    entry: Part = {
        "tags": list(operation.tags),
        "summary": operation.summary.rstrip("."),
        "description": description_of(operation),
        "operationId": operation.operation_id,
        "security": SECURITY[operation.who],
        "parameters": _parameters(operation, template),
        "responses": _responses(operation, references),
    }
    if operation.body is not None:
        parts = [operation.body] if (operation.body, "validation") in references else get_args(operation.body)
        schemas = [references[(part, "validation")] for part in parts]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        entry["requestBody"] = {"required": operation.needs_body, "content": {"application/json": {"schema": schema}}}
    if operation.form is not None:
        entry["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": dict(operation.form)}}}
    if operation.hints is not None:
        entry |= _hints(operation.hints)
    return entry


def _hints(hints: Hints) -> Part:
    example = {"intent": hints.example, "required_privilege": PRIVILEGES[hints.actor][0]}
    return {
        "x-llm-intent": hints.intent,
        "x-when-to-use": [hints.use],
        "x-when-not-to-use": [hints.avoid],
        "x-required-actor": hints.actor,
        "x-prerequisites": [hints.needs],
        "x-side-effects": [hints.effects],
        "x-negative-guidance": [hints.never],
        "x-routing-policy": [hints.route],
        "x-routing-policy-examples": [{"input": example, "decision": hints.intent}],
    }


def _parameters(operation: Operation, template: str) -> list[Part]:
    parameters: list[Part] = []
    schema: Part
    for name in re.findall(r"\{(\w+)\}", template):
        is_text = name in PLAIN_IDS or f"<string:{name}>" in operation.path
        schema = {"type": "string"} if is_text else {"type": "string", "format": "uuid"}
        parameters.append(
            {"name": name, "in": "path", "required": True, "description": meaning(name, ""), "schema": schema}
        )
    if operation.query is not None:
        for name, (field, is_required) in fields_of(operation.query).items():
            schema = {key: part for key, part in field.items() if key != "description"}
            words = field.get("description") or meaning(name, "?")
            parameters.append(
                {"name": name, "in": "query", "required": is_required, "description": words, "schema": schema}
            )
    return parameters + [{"$ref": f"#/components/parameters/{name}"} for name in _headers(operation)]


def _headers(operation: Operation) -> list[str]:
    """Return the optional headers: an agent's token, and those that make a write safe to repeat."""
    is_write, is_agents = operation.method != "GET", operation.who in ("agent", "actor")
    taken = {
        "AgentToken": is_agents,
        "IdempotencyKey": is_write,
        "IfMatch": takes_match(operation),
        "TaskFence": takes_fence(operation),
    }
    return [name for name, is_taken in taken.items() if is_taken]


def _responses(operation: Operation, references: References) -> Part:
    answer: Part = {"description": said_of(operation), "content": _content(operation, references)}
    if headers := _answer_headers(operation):
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    answers: Part = {str(operation.status): answer}
    for status in _refusals(operation):
        answers[str(status)] = {"$ref": f"#/components/responses/{ANSWERS[status]}"}
    for status, model in operation.errors.items():
        schema = references[(model, "serialization")]
        answers[str(status)] = {
            "description": REASONS.get(status, "Error"),
            "content": {"application/json": {"schema": schema}},
        }
    return answers


def _answer_headers(operation: Operation) -> list[str]:
    sent = {
        "ETag": operation.sends_etag,
        "Idempotency-Replayed": "IdempotencyKey" in _headers(operation),
        "Location": started_by(operation) is not None,
    }
    return [name for name, is_sent in sent.items() if is_sent] + (list(ALLOWANCE) if operation.who != "anyone" else [])


def _shared_answer(status: int, references: References) -> Part:
    model = HTTPValidationError if status == 422 else ErrorResponse
    schema = references[(model, "serialization")]
    names = ("Retry-After", *ALLOWANCE) if status == 429 else ()
    headers = {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}} if names else {}
    return {"description": REASONS[status], **headers, "content": {"application/json": {"schema": schema}}}


def _refusals(operation: Operation) -> list[int]:
    """Return the errors that every such operation may answer, in addition to those it declares."""
    statuses = [] if operation.who == "anyone" else [401, 403, 429]
    if "<" in operation.path or operation.query is not None or operation.body is not None:
        statuses.append(404)
    if operation.method != "GET":
        statuses += [409, 413]
    if takes_match(operation):
        statuses.append(412)
    return [*statuses, 422]


def _content(operation: Operation, references: References) -> Part:
    if operation.is_stream:
        return {"text/event-stream": {"schema": {"type": "string"}}}
    if operation.media != ("application/json",):
        return {media: {"schema": {"type": "string"}} for media in operation.media}
    if operation.returns is str:
        return {"application/json": {"schema": {"type": "string"}}}
    if get_origin(operation.returns) is list:
        [inner] = get_args(operation.returns)
        return {"application/json": {"schema": {"type": "array", "items": references[(inner, "serialization")]}}}
    return {"application/json": {"schema": references[(operation.returns, "serialization")]}}


def description_of(operation: Operation) -> str:
    more = operation.description if operation.description != operation.summary else ""
    return f"{more} {WHO[operation.who].format(scope=operation.scope)}".strip()


def said_of(operation: Operation) -> str:
    if operation.is_stream:
        return "Events, each with the number from which a stream resumes"
    if operation.media != ("application/json",):
        return "The file"
    if get_origin(operation.returns) is list:
        return f"All of them, in one array without paging. Each: {_words(get_args(operation.returns)[0])}"
    if isinstance(operation.returns, type) and issubclass(operation.returns, Page):
        return f"A part of the list. Each item: {_words(operation.returns.model_fields['items'].annotation)}"
    begun = "The work has begun and goes on after this answer. " if operation.status == 202 else ""
    return begun + _words(operation.returns)


def _words(shape: object) -> str:
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return _words(get_args(shape)[0]) if get_args(shape) else "A text"
    paragraph = (inspect.getdoc(shape) or shape.__name__).partition("\n\n")[0]
    return " ".join(paragraph.split()).partition(". ")[0].rstrip(".")
