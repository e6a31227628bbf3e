"""The served OpenAPI document: sound in itself, complete, and what the contract's clients expect."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import pytest
from pydantic import TypeAdapter

from mission_control.http.openapi import TAGS
from mission_control.http.openapi_schemas import vocabulary
from mission_control.http.registry import OPERATIONS, inherited_ids
from mission_control.people.jobs.commands import JobRead
from tests.cast import API, Cast

METHODS = {"get", "post", "put", "patch", "delete"}
CHECKER = Path(__file__).parents[3] / "shared" / "contract" / "check_openapi.py"
HINTS = {
    "x-llm-intent": str, "x-when-to-use": list, "x-when-not-to-use": list, "x-required-actor": str,
    "x-prerequisites": list, "x-side-effects": list, "x-negative-guidance": list, "x-routing-policy": list,
    "x-routing-policy-examples": list,
}  # fmt: skip
LLM_ERRORS = {
    "agent_lead_create_agent": {"403", "409", "422"},
    "agent_lead_create_task": {"403", "404", "409", "422"},
    "agent_lead_ask_user_via_gateway_main": {"403", "404", "502"},
    "agent_lead_nudge_agent": {"403", "404", "422", "502"},
    "agent_lead_update_agent_soul": {"403", "404", "422", "502"},
    "agent_lead_delete_board_agent": {"403", "404"},
    "agent_main_message_board_lead": {"403", "404", "422", "502"},
    "agent_main_broadcast_lead_message": {"403", "404", "422", "502"},
    "bootstrap_user_api_v1_auth_bootstrap_post": {"401"},
}
ROLES = {"agent-lead", "agent-worker", "agent-main"}


@pytest.fixture
async def document(cast: Cast) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.nobody.get("/openapi.json")).ok()
    return found


def entries(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, entry in item.items():
            assert method in METHODS, f"{path}: {method}"
            yield path, method, entry


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference to a shared part names, else the node itself."""
    while "$ref" in node:
        _, _, kind, name = node["$ref"].split("/")
        node = document["components"][kind][name]
    return node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def test_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Mission Control API" and document["info"]["version"]
    assert [one["name"] for one in document["tags"]] == list(TAGS)
    assert all(one["description"] for one in document["tags"])
    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_every_entry_is_valid(document: dict[str, Any]) -> None:
    for path, method, entry in entries(document):
        where = f"{method} {path}"
        assert entry["summary"] and set(entry["tags"]) <= set(TAGS), where
        assert path.startswith((API, "/health", "/readyz")), where
        placeholders = re.findall(r"\{(\w+)\}", path)
        parameters = [resolved(document, one) for one in entry.get("parameters", [])]
        assert [one["name"] for one in parameters if one["in"] == "path"] == placeholders, where
        assert all(one["required"] for one in parameters if one["in"] == "path"), where
        keys = [(one["in"], one["name"]) for one in parameters]
        assert len(set(keys)) == len(keys) and all("schema" in one for one in parameters), where
        assert sum(status in entry["responses"] for status in ("200", "202")) == 1, where
        for status, answer in entry["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status) and resolved(document, answer)["description"], where
        for scheme in entry["security"]:
            assert set(scheme) <= set(document["components"]["securitySchemes"]), where


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    names = [entry["operationId"] for _, _, entry in entries(document)]
    assert len(names) == len(set(names))


def test_operation_ids_are_kept_or_short(document: dict[str, Any]) -> None:
    known = inherited_ids()
    for path, method, entry in entries(document):
        name = entry["operationId"]
        if before := known.get((method.upper(), re.sub(r"\{\w+\}", "{}", path))):
            assert name == before
        else:
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name) and "_api_v1_" not in name and len(name) <= 40, name


def test_name_belongs_to_one_function() -> None:
    handlers: dict[str, set[Any]] = {}
    for one in OPERATIONS:
        handlers.setdefault(one.name, set()).add(one.handler)
    assert {name: of for name, of in handlers.items() if len(of) > 1} == {}


def test_security_says_who_may_call(document: dict[str, Any]) -> None:
    wanted = {
        "anyone": set(),
        "user": {"HTTPBearer"},
        "agent": {"AgentToken", "HTTPBearer"},
        "actor": {"AgentToken", "HTTPBearer"},
    }
    for one in OPERATIONS:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.path)
        entry = document["paths"][path][one.method.lower()]
        assert {name for scheme in entry["security"] for name in scheme} == wanted[one.who], one.operation_id


def nodes(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, one in node.items():
            yield from nodes(one, (*path, key))
    elif isinstance(node, list):
        for number, one in enumerate(node):
            yield from nodes(one, (*path, str(number)))


def test_schemas_suit_generators_of_clients(document: dict[str, Any]) -> None:
    """No field that can only be null, no null by default, no constant booleans or titles of fields."""
    for path, node in nodes(document):
        if path and path[-1] == "properties":
            continue
        where = "/".join(path)
        assert node.get("type") != "null" or path[-2] in ("anyOf", "oneOf"), where
        assert node.get("default", ...) is not None and not isinstance(node.get("const"), bool), where
    for name, schema in document["components"]["schemas"].items():
        assert re.fullmatch(r"\w+", name), name
        for path, node in nodes(schema.get("properties", {})):
            assert path == () or path[-1] == "properties" or "title" not in node, f"{name}: {path}"
    titles = [one["title"] for one in document["components"]["schemas"].values() if "title" in one]
    assert len(titles) == len(set(titles))


def test_requests_have_no_defaults_which_generators_demand(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        left_out = schema.get("properties", {}).keys() - set(schema.get("required", ()))
        assert [one for one in left_out if "default" in schema["properties"][one]] == [], name


def test_only_lists_of_the_predecessor_are_bare_arrays() -> None:
    assert [one.name for one in OPERATIONS if get_origin(one.returns) is list and not one.is_inherited] == []


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    served = {(method, path) for path, method, _ in entries(document) if path.startswith(API)}
    assert served == {(one.method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.path)) for one in OPERATIONS}


async def test_every_described_operation_is_served(cast: Cast, document: dict[str, Any]) -> None:
    rules = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in cast.app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    described = {(method, path) for path, method, _ in entries(document) if path.startswith(API)}
    assert described <= rules
    api_routes = {
        (method, path) for method, path in rules if path.startswith(API) and method not in ("head", "options")
    }
    assert api_routes - described == set()


def test_agent_operations_carry_their_hints(document: dict[str, Any]) -> None:
    for path, _, entry in entries(document):
        if not path.startswith(f"{API}/agent/"):
            continue
        name = entry["operationId"]
        assert "agent" in entry["tags"] and ROLES & set(entry["tags"]), name
        assert entry["description"], name
        for key, kind in HINTS.items():
            assert isinstance(entry[key], kind) and entry[key], f"{name}: {key}"
        assert entry["x-required-actor"] in ("any_agent", "board_lead", "agent_main"), name
        for example in entry["x-routing-policy-examples"]:
            assert set(example) == {"input", "decision"} and set(example["input"]) == {"intent", "required_privilege"}
        headers = [resolved(document, one) for one in entry["parameters"]]
        assert "X-Agent-Token" in {one["name"] for one in headers if one["in"] == "header"}, name
        if entry["x-required-actor"] == "board_lead":
            assert "agent-lead" in entry["tags"], name


def test_intents_are_distinct(document: dict[str, Any]) -> None:
    intents = [entry["x-llm-intent"] for _, _, entry in entries(document) if "x-llm-intent" in entry]
    assert len(intents) == len(set(intents))


def test_heartbeat_shows_no_body(document: dict[str, Any]) -> None:
    assert "requestBody" not in document["paths"][f"{API}/agent/heartbeat"]["post"]


def test_declared_errors_match(document: dict[str, Any]) -> None:
    for path, method, entry in entries(document):
        answers = {status: resolved(document, answer) for status, answer in entry["responses"].items()}
        shapes = {
            status: answer["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
            for status, answer in answers.items()
            if "application/json" in answer.get("content", {})
        }
        for status in LLM_ERRORS.get(entry["operationId"], set()):
            assert shapes[status] == "LLMErrorResponse", f"{method} {path} {status}"
        blocked = method in ("post", "patch") and re.fullmatch(
            rf"{API}/boards/{{board_id}}/tasks(/{{task_id}}(/moves|/reviews)?)?", path
        )
        assert (shapes.get("409") == "BlockedTaskError") == bool(blocked), f"{method} {path}"


def test_streams_are_declared(document: dict[str, Any]) -> None:
    streams = [
        path
        for path, _, entry in entries(document)
        if "text/event-stream" in entry["responses"].get("200", {}).get("content", {})
    ]
    assert {path.rpartition("/")[2] for path in streams} == {"stream"}
    assert len(streams) == len([one for one in OPERATIONS if one.is_stream]) == 7


def test_shapes_match_the_contract(document: dict[str, Any], tmp_path: Path) -> None:
    if not CHECKER.exists():
        pytest.skip(f"the contract's checker is not beside this checkout ({CHECKER})")
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(CHECKER), str(file), "--served"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_json_bodies_have_valid_examples(document: dict[str, Any]) -> None:
    for one in OPERATIONS:
        if one.body is None:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.path)
        example = document["paths"][path][one.method.lower()]["requestBody"]["content"]["application/json"]["example"]
        TypeAdapter(one.body).validate_python(example)
        if path.startswith(f"{API}/agent/boards") and "agent-main" not in one.tags:
            assert "text" not in example.values(), f"{one.method} {path} has an example of its own"


def test_document_says_how_an_agent_starts(document: dict[str, Any]) -> None:
    """Whatever operation the introduction names is there, under that intent."""
    intents = {entry["x-llm-intent"] for _, _, entry in entries(document) if "x-llm-intent" in entry}
    named = set(re.findall(r"`(agent_\w+|delegate_work)`", document["info"]["description"]))
    assert len(named) > 5 and named <= intents
    lookup = document["paths"][f"{API}/boards/{{board_id}}/tasks/{{task_id}}"]["get"]
    assert {"agent-lead", "agent-worker"} <= set(lookup["tags"])


def test_every_field_and_parameter_says_what_it_means(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, part in schema.get("properties", {}).items()
        if not part.get("description") and "$ref" not in part
    ]
    silent += [
        f"{entry['operationId']}: {one['name']}"
        for _, _, entry in entries(document)
        for one in (resolved(document, node) for node in entry.get("parameters", []))
        if not one.get("description")
    ]
    assert silent == [], "a Field(description=...), or a line in http/vocabulary.txt"


def test_no_word_of_the_vocabulary_is_left_over(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"].values()
    said = {part.get("description") for schema in schemas for part in schema.get("properties", {}).values()}
    said |= {one.get("description") for _, _, entry in entries(document) for one in entry.get("parameters", ())}
    assert [f"{name}: {words}" for name, words in vocabulary().items() if words not in said] == []
    lines = list(vocabulary())
    assert lines == sorted(lines)


def test_every_operation_says_more_than_its_summary(document: dict[str, Any]) -> None:
    for path, method, entry in entries(document):
        assert entry["description"].rstrip(".") != entry["summary"], f"{method} {path}"
        [good] = [answer for status, answer in entry["responses"].items() if status < "300"]
        assert good["description"] != "The answer", f"{method} {path}"


def test_headers_of_answers_are_declared(document: dict[str, Any]) -> None:
    for one in OPERATIONS:
        entry = document["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.path)][one.method.lower()]
        headers = set(entry["responses"][str(one.status)].get("headers", {}))
        takes = {resolved(document, part)["name"] for part in entry["parameters"]}
        assert ("Idempotency-Replayed" in headers) == ("Idempotency-Key" in takes), one.operation_id
        assert ("ETag" in headers) == one.sends_etag, one.operation_id
        assert ("RateLimit-Remaining" in headers) == (one.who != "anyone"), one.operation_id
        assert ("Location" in headers) == (one.status == 202 and one.returns is JobRead), one.operation_id
    too_many = document["components"]["responses"]["TooManyRequests"]
    assert set(too_many["headers"]) == {"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}


async def test_long_work_says_where_to_follow_it(cast: Cast) -> None:
    begun = await cast.ada.call("POST", "/organizations/me/audit/checks")
    assert begun.status == 202
    place = begun.headers["Location"]
    assert (await cast.ada.get(place.removeprefix(API))).ok()["id"] == begun.body["id"]
