"""What schemathesis must know of the contract, and how its requests reach things that exist.

A `date-time` may be without an offset, and is then UTC. Ids that were made up give way to those of things that answers
showed, mostly: without that, most sequences end at the look-up. What is meant to be wrong stays wrong.
"""

import json
import os
import re
from typing import Any
from uuid import UUID

import httpx
import schemathesis
from hypothesis import strategies

from tests.fuzz.furnish import BOARD, Furnisher
from tests.fuzz.known import Known, names
from tests.fuzz.links import add_links

MOMENT = {
    "format": "moment",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
}
# What the installation under test knows of the outside, a value that hardly anybody would guess, and no waiting.
VALUES = {"source_url": "https://github.com/observatory/skills", "color": "9e9e9e", "wait_seconds": 0}
SOUL = {"handle": "ada", "slug": "night-owl"}
AS_AGENT = "X-Agent-Token"
# After these somebody works elsewhere or may do less. The owner, whose things are known, stays and stays the owner.
ROVING = re.compile(r"(POST|PATCH|PUT|DELETE) /api/v1/organizations(/me/(active|leave|ownership|members/.*))?$")
OWNER, ROVER = (f"Bearer {os.environ[name]}" for name in ("OWNER", "ROVER"))

schemathesis.openapi.format("moment", strategies.datetimes().map(lambda one: one.isoformat()))
known = Known(VALUES)
required: dict[str, set[str]] = {}  # fields, by operation
tokens: dict[str, str] = {}  # of agents, each with its board
tags: dict[str, str] = {}  # by path


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Read the document as the contract means it, add links to follow, and furnish the installation."""
    _rewrite(raw_schema)
    add_links(raw_schema)
    for methods in raw_schema["paths"].values():
        for one in methods.values():
            required[one["operationId"]] = _required(one, raw_schema["components"]["schemas"])
    known.begin(raw_schema["paths"], os.environ["SEED"])
    for _ in range(2):
        furnisher.everything()


def _rewrite(node: Any) -> None:
    if isinstance(node, dict):
        if node.get("format") == "date-time":
            node.update(MOMENT)
        if node.get("type") == "object" and "properties" in node:
            # What is undeclared is wrong then: sent only where something is to be wrong, and found in answers.
            node.setdefault("additionalProperties", False)
        for one in node.values():
            _rewrite(one)
    elif isinstance(node, list):
        for one in node:
            _rewrite(one)


def _required(operation: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = next((one["schema"] for one in content.values()), {})
    return set((schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema).get("required", ()))


def _learn(path: str, ids: dict[str, str], answer: Any) -> None:
    known.learn(path, ids, answer)
    if isinstance(answer, dict) and answer.get("token") and answer.get("board_id"):
        tokens[answer["token"]] = answer["board_id"]


furnisher = Furnisher(httpx.Client(base_url=os.environ["URL"], headers={"Authorization": OWNER}, timeout=60), _learn)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let a request come from somebody and reach something."""
    path, ids, headers = case.operation.path, dict(case.path_parameters), dict(case.headers or {})
    name = case.operation.definition.raw["operationId"]
    headers["Authorization"] = ROVER if ROVING.match(case.operation.label) or known.chance(8) else OWNER
    if not _is_wrong(case, "header"):
        _as_agent(path, ids, headers)
    ids |= {part: value for part, value in SOUL.items() if part in ids and not known.chance(6)}
    if not _is_wrong(case, "path"):
        ids = _existing(case.method.upper(), path, ids)
    if not _is_wrong(case, "query"):
        case.query = known.filled(case.query)
    if not _is_wrong(case, "body"):
        case.body = known.filled(_thinned(case.body, required.get(name, set())))
    if "If-Match" in headers and (tag := tags.get(path.format(**ids))):
        headers["If-Match"] = tag
    case.path_parameters, case.headers = ids, headers


def _existing(method: str, path: str, ids: dict[str, str]) -> dict[str, str]:
    if known.lacks(path) and known.chance(3):
        furnisher.everything()
    found = known.path_ids(path, ids)
    # A deletion mostly finds nothing: things must live for something to happen to them.
    if method == "DELETE" and path.endswith("}") and not known.chance(8 if path == BOARD else 3):
        found |= {names(path)[-1]: str(UUID(int=known.random.getrandbits(128)))}
    return found


def _is_wrong(case: Any, part: str) -> bool:
    """Whether this part of a request is to be wrong: it was made so, or once in a while is left as it was made."""
    made = case.meta.components.get(part) if case.meta is not None else None
    return (made is not None and made.mode.is_negative) or known.chance(12)


def _as_agent(path: str, ids: dict[str, str], headers: dict[str, Any]) -> None:
    """Send as an agent where only agents may, or where a token of one was to be sent."""
    if not path.startswith("/api/v1/agent/") and AS_AGENT not in headers:
        return
    headers.pop(AS_AGENT, None)
    on_it = [token for token, board in tokens.items() if board == ids.get("board_id")]
    if tokens:
        headers[AS_AGENT] = token = known.random.choice(on_it or list(tokens))
        if "board_id" in ids and ids["board_id"] not in known.seen:
            ids["board_id"] = tokens[token]


def _thinned(body: Any, needed: set[str]) -> Any:
    """Every other time without half of what may be left out: fewer fields have fewer reasons to be refused."""
    if not isinstance(body, dict) or known.chance(2):
        return body
    return {name: one for name, one in body.items() if name in needed or known.chance(2)}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember what the answer shows."""
    path, ids, status = case.operation.path, dict(case.path_parameters), response.status_code
    if status == 401:
        tokens.pop(case.headers.get(AS_AGENT), None)
    if case.headers["Authorization"] != OWNER:
        return
    method, by_owner = case.method.upper(), AS_AGENT not in case.headers
    if (status == 404 and method == "GET" and by_owner) or (status == 200 and method == "DELETE" and path[-1] == "}"):
        known.forget(path, ids)
    elif 200 <= status < 300 and "application/json" in response.headers.get("content-type", [""])[0]:
        _learn(path, ids, json.loads(response.content))
    if tag := response.headers.get("etag"):
        tags[path.format(**ids)] = tag[0]
