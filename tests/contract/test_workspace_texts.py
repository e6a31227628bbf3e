"""What the workspace files tell agents exists in the API as it is served."""

import re
from typing import Any

import pytest

from mission_control.provisioning.workspace.facts import Role
from mission_control.provisioning.workspace.files import FILES, workspace_files
from tests.cast import Cast
from tests.unit.test_workspace_files import facts

NAMED = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE)`? (?:and `(?:PUT|PATCH|DELETE) )?['\"]?(/api/v1/[^\s'\"`?|]*)(\?[^\s'\"`]*)?"
)
CODES = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
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
    assert len(found) >= 10
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
