"""What the workspace files tell agents exists in the API as it is served."""

import json
import re
import shlex
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mission_control.client.__main__ import METHODS, parser_of
from mission_control.gateway_agents.provisioning.workspace import FILES, Role, workspace_files
from tests.cast import NO_ID, Cast
from tests.gateway_agents.test_workspace_files import facts

NAMED = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE)`? (?:and `(?:PUT|PATCH|DELETE) )?['\"]?(/api/v1/[^\s'\"`?|]*)(\?[^\s'\"`]*)?"
)
TAG = {"worker": "agent-worker", "lead": "agent-lead", "main": "agent-main"}
# A main agent reaches these boards' memory although the operations are not listed among its own.
OF_BOARDS = {"/api/v1/agent/boards/{board_id}/memory"}


def named(role: Role, names: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Every operation that the files of a role name: method, path and query."""
    texts = workspace_files(facts(role), names=names).values()
    return [(one[1], one[2], (one[3] or "").removeprefix("?")) for text in texts for one in NAMED.finditer(text)]


@pytest.mark.parametrize("names", [FILES[:5], FILES], ids=["new", "old"])
@pytest.mark.parametrize("role", TAG)
async def test_named_operations_are_served_to_the_role(cast: Cast, role: Role, names: tuple[str, ...]) -> None:
    document: dict[str, Any] = (await cast.nobody.get("/openapi.json")).ok()
    found = named(role, names)
    assert len(found) >= 9
    for method, path, query in found:
        operation = document["paths"].get(path, {}).get(method.lower())
        assert operation is not None, f"{method} {path}"
        assert TAG[role] in operation["tags"] or path in OF_BOARDS, f"{method} {path}"
        parameters = {parameter(document, one)["name"] for one in operation.get("parameters", [])}
        sent = {pair.partition("=")[0] for pair in query.split("&") if pair}
        assert sent <= parameters, f"{method} {path}?{query}"


def parameter(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A parameter, by itself or behind a reference."""
    if "$ref" in node:
        found: dict[str, Any] = document["components"]["parameters"][node["$ref"].rpartition("/")[2]]
        return found
    return node


SENT = re.compile(
    r"^\./mc (POST|PUT|PATCH|DELETE) (\S+) (?:- <<'JSON'\n(?P<here>.*?)\nJSON$|'(?P<quoted>\{[^']*\})')",
    re.MULTILINE | re.DOTALL,
)
MANY = {"worker": 1, "lead": 6, "main": 5}
RUN = re.compile(r"^\./mc ((?:\\\n|.)+)$", re.MULTILINE)


@pytest.mark.parametrize("role", TAG)
async def test_bodies_in_the_texts_are_what_the_operations_take(cast: Cast, role: Role) -> None:
    document: dict[str, Any] = (await cast.nobody.get("/openapi.json")).ok()
    found = [one for text in workspace_files(facts(role), names=FILES[:5]).values() for one in SENT.finditer(text)]
    assert len(found) == MANY[role]
    for one in found:
        method, path, here, quoted = one.groups()
        body = json.loads(re.sub(r"\{(task|board|agent)_id\}", str(NO_ID), here or quoted))
        if path.endswith(("/completions", "/lease")):
            body |= {"fence": 1}  # as the helper does
        content = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
        schema = content["schema"] | {"components": document["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(body)]
        assert errors == [], f"{method} {path}: {errors}"
        assert set(body) <= properties(document, content["schema"]), f"{method} {path}"


@pytest.mark.parametrize("role", TAG)
def test_commands_in_the_texts_are_what_the_program_takes(role: Role) -> None:
    texts = workspace_files(facts(role), names=FILES[:5]).values()
    written = [one.replace("\\\n", " ").split(" <<")[0].split(" > ")[0] for text in texts for one in RUN.findall(text)]
    lines = [shlex.split(one) for one in written]
    for name, *rest in lines:
        command = "call" if name in METHODS else name
        given = parser_of(command).parse_intermixed_args([name, *rest] if command == "call" else rest)
        assert command == "call" or vars(given), name
    assert len(lines) >= 7


def properties(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return properties(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    forms = [properties(document, one) for one in schema.get("anyOf", ())]
    return set(schema.get("properties", ())).union(*forms)
