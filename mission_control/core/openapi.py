"""The OpenAPI 3.1 document, made from the registered operations."""

import re
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mission_control import __version__
from mission_control.core.examples import example_of
from mission_control.core.given import LENIENT_IDS
from mission_control.core.registry import OPERATIONS, Operation, answers_its_state, read_of, reads_one_thing
from mission_control.core.schemas import ErrorResponse, HTTPValidationError

TAGS = [
    "auth", "health", "agents", "activity", "gateways", "metrics", "organizations", "souls-directory", "skills",
    "board-groups", "board-group-memory", "boards", "board-memory", "board-webhooks", "board-onboarding", "approvals",
    "tasks", "custom-fields", "tags", "users", "agent", "agent-lead", "agent-worker", "agent-main",
]  # fmt: skip
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
    " board's lead; without scopes it may everything that its agent may. Too few: 403 with the code"
    " `token_scope_missing` and `needed`. Each token has a number of requests a minute, told by RateLimit-Limit,"
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

**A person or a script** sends a personal token (`mcu_...`) as `Authorization: Bearer`.

Bodies are JSON with `Content-Type: application/json`, and fields that an operation does not know are ignored. Times are
UTC without a zone. Every error is `{"detail": ..., "request_id": ...}`. `detail` is a sentence; or an object with
`message` for people and `code` for programs; or, for a request that does not fit, a list with one item for each field:
`loc` says where, `msg` what is wrong.
"""
ABOUT_ROLES = {
    "agent": "What agents do, with an agent's token",
    "agent-lead": "For the agent that hands out and reviews a board's work",
    "agent-worker": "For agents that take tasks and do them",
    "agent-main": "For the main agent of a gateway",
}
REF = "#/components/schemas/{model}"


def document(base_url: str) -> dict[str, Any]:
    """The whole document; agents and client generators read it at /openapi.json."""
    schemas, references = _schemas()
    paths: dict[str, Any] = {path: {"get": _health(path)} for path in ("/health", "/healthz", "/readyz")}
    for one in OPERATIONS:
        template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.path)
        paths.setdefault(template, {})[one.method.lower()] = entry = _entry(one, references, template)
        if one.body is not None:
            content = entry["requestBody"]["content"]["application/json"]
            content["example"] = example_of(content["schema"], schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mission Control API", "version": __version__, "description": ABOUT},
        "servers": [{"url": base_url or "/"}],
        "tags": [{"name": tag} | ({"description": ABOUT_ROLES[tag]} if tag in ABOUT_ROLES else {}) for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"HTTPBearer": {"type": "http", "scheme": "bearer", "description": ABOUT_TOKENS}},
        },
    }


def _health(path: str) -> dict[str, Any]:
    name = path.strip("/")
    content = {"application/json": {"schema": {"$ref": REF.format(model="OkResponse")}}}
    answers: dict[str, Any] = {"200": {"description": "All is well", "content": content}}
    if name == "readyz":
        answers["503"] = {"description": "Not ready; `checks` says why"}
    return {
        "tags": ["health"],
        "summary": "Is it ready for work?" if name == "readyz" else "Is the process alive?",
        "operationId": f"{name}_{name}_get",
        "responses": answers,
    }


def _schemas() -> tuple[dict[str, Any], dict[Any, Any]]:
    wanted: dict[tuple[type[BaseModel], Any], None] = {
        (ErrorResponse, "serialization"): None,
        (HTTPValidationError, "serialization"): None,
    }
    for one in OPERATIONS:
        for shape, mode in [(one.body, "validation"), (one.returns, "serialization")]:
            for model in _models(shape):
                wanted[(model, mode)] = None
        for shape in one.errors.values():
            wanted[(shape, "serialization")] = None
    references, defs = models_json_schema(list(wanted), ref_template=REF)
    return defs.get("$defs", {}), dict(references)


def _models(shape: Any) -> list[type[BaseModel]]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return [shape]
    return [model for part in get_args(shape) for model in _models(part)]


def _entry(one: Operation, references: dict[Any, Any], template: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "tags": list(one.tags),
        "summary": one.summary.rstrip("."),
        "description": one.description,
        "operationId": one.operation_id,
        "parameters": _parameters(one, template),
        "responses": _responses(one, references),
    }
    if one.body is not None:
        schema = _body_schema(one.body, references)
        entry["requestBody"] = {"required": one.needs_body, "content": {"application/json": {"schema": schema}}}
    if one.form is not None:
        entry["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": dict(one.form)}}}
    if one.who in ("user", "actor"):
        entry["security"] = [{"HTTPBearer": []}]
    if one.hints is not None:
        entry |= _hints(one)
    return entry


def _body_schema(body: Any, references: dict[Any, Any]) -> Any:
    """One shape, or one of several."""
    if (body, "validation") in references:
        return references[(body, "validation")]
    return {"anyOf": [references[(part, "validation")] for part in get_args(body)]}


def _hints(one: Operation) -> dict[str, Any]:
    hints = one.hints
    assert hints is not None
    return {
        "x-llm-intent": hints.intent,
        "x-when-to-use": hints.when_to_use,
        "x-when-not-to-use": hints.when_not_to_use,
        "x-required-actor": hints.required_actor,
        "x-prerequisites": hints.prerequisites,
        "x-side-effects": hints.side_effects,
        "x-negative-guidance": hints.negative_guidance,
        "x-routing-policy": hints.routing_policy,
        "x-routing-policy-examples": hints.routing_examples,
    }


def _parameters(one: Operation, template: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    schema: dict[str, Any]
    for name in re.findall(r"\{(\w+)\}", template):
        is_text = name in LENIENT_IDS or f"<string:{name}>" in one.path
        schema = {"type": "string"} if is_text else {"type": "string", "format": "uuid"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if one.query is not None:
        schema = one.query.model_json_schema(ref_template=REF)
        required = set(schema.get("required", []))
        for name, part in schema["properties"].items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": part})
    if one.who in ("agent", "actor"):
        nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        found.append({"name": "X-Agent-Token", "in": "header", "required": False, "schema": nullable})
    if one.who == "agent":
        found.append({"name": "Authorization", "in": "header", "required": False, "schema": nullable})
    return found + _safety_headers(one)


def _safety_headers(one: Operation) -> list[dict[str, Any]]:
    """The optional headers that make a write safe to send again, and safe against what happened meanwhile."""
    named = []
    if one.method != "GET" and one.is_atomic and one.who != "anyone":
        named.append(("Idempotency-Key", "Sent again with the same key, the write gets the first answer for 24 hours"))
    if _takes_match(one):
        named.append(("If-Match", "The ETag of the state that may be changed; another state answers 412"))
    if one.method != "GET" and one.who in ("agent", "actor") and "<task_id>" in one.path:
        named.append(("X-Task-Fence", "The fence of an agent's lease; when the lease is over: 409 lease_lost"))
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": _header_schema(name)}
        for name, text in named
    ]


def _header_schema(name: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0} if name == "X-Task-Fence" else {"type": "string"}


def _takes_match(one: Operation) -> bool:
    is_held = one.is_atomic and not one.decides_itself
    changes = one.method in ("PATCH", "PUT", "DELETE") or answers_its_state(one)
    return changes and is_held and read_of(one) is not None


def _responses(one: Operation, references: dict[Any, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "The answer", "content": _content(one, references)}
    if reads_one_thing(one):
        answer["headers"] = {"ETag": {"description": "Names this state", "schema": {"type": "string"}}}
    answers: dict[str, Any] = {str(one.status): answer}
    error = {"application/json": {"schema": references[(ErrorResponse, "serialization")]}}
    for status in _refusals(one):
        answers[str(status)] = {"description": REASONS[status], "content": error}
    invalid = {"application/json": {"schema": references[(HTTPValidationError, "serialization")]}}
    answers["422"] = {"description": REASONS[422], "content": invalid}
    for status, model in one.errors.items():
        schema = references[(model, "serialization")]
        answers[str(status)] = {
            "description": REASONS.get(status, "Error"),
            "content": {"application/json": {"schema": schema}},
        }
    return answers


def _refusals(one: Operation) -> list[int]:
    """The errors that an operation may answer by the house's own rules, besides those it declares."""
    statuses = [] if one.who == "anyone" else [401, 403, 429]
    if "<" in one.path or one.query is not None or one.body is not None:
        statuses.append(404)
    if one.method != "GET":
        statuses += [409, 413]
    if _takes_match(one):
        statuses.append(412)
    return statuses


def _content(one: Operation, references: dict[Any, Any]) -> dict[str, Any]:
    if one.is_stream:
        return {"text/event-stream": {"schema": {"type": "string"}}}
    if one.media != ("application/json",):
        return {media: {"schema": {"type": "string"}} for media in one.media}
    if one.returns is str:
        return {"application/json": {"schema": {"type": "string"}}}
    if get_origin(one.returns) is list:
        [inner] = get_args(one.returns)
        return {"application/json": {"schema": {"type": "array", "items": references[(inner, "serialization")]}}}
    return {"application/json": {"schema": references[(one.returns, "serialization")]}}
