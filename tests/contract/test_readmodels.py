"""The answers of every operation are exactly their declared models: no key too many, none too few, no other type."""

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from mission_control import features
from mission_control.accounts.models import Token
from mission_control.core.registry import OPERATIONS, Operation
from tests.cast import Cast

assert features.BLUEPRINTS
ANSWERING = [one for one in OPERATIONS if not one.is_stream]
BOARD = {"name": "Mirror", "slug": "mirror", "description": "Polish."}
GOAL = {"objective": "See.", "success_metrics": {"nights": [1, {"a": None}]}, "target_date": "2027-01-01T00:00:00.5Z"}
ASK = {"action_type": "publish", "confidence": 80, "payload": {"reason": "r"}, "rubric_scores": {"clarity": 3}}
SAID = {"message": "Hello."}
AGENT = {
    "name": "Lyra",
    "identity_profile": {"role": "x"},
    "soul_template": "Calm.",
    "heartbeat_config": {"every": "1m"},
}

# What is sent to each operation that takes a body.
BODIES: dict[str, Callable[[Cast], dict[str, Any]]] = {
    "update_me_api_v1_users_me_patch": lambda cast: {"preferred_name": "A.", "notes": "x"},
    "create_board_api_v1_boards_post": lambda cast: BOARD | GOAL,
    "update_board_api_v1_boards__board_id__patch": lambda cast: GOAL,
    "create_approval_api_v1_boards__board_id__approvals_post": lambda cast: ASK,
    "create_approval_api_v1_agent_boards__board_id__approvals_post": lambda cast: ASK,
    "update_approval_api_v1_boards__board_id__approvals__approval_id__patch": lambda cast: {
        "decision": "changes_requested", "note": "Shorter.",
    },
    "create_agent_api_v1_agents_post": lambda cast: AGENT | {"board_id": str(cast.board.id)},
    "update_agent_api_v1_agents__agent_id__patch": lambda cast: AGENT,
    "heartbeat_agent_api_v1_agents__agent_id__heartbeat_post": lambda cast: {"status": "busy"},
    "heartbeat_or_create_agent_api_v1_agents_heartbeat_post": lambda cast: {"name": "Vega", "status": "busy"},
    "create_agent_token_api_v1_agents__agent_id__tokens_post": lambda cast: {
        "scopes": ["read", "work"], "expires_at": "2099-01-01T00:00:00Z",
    },
    "agent_lead_create_agent": lambda cast: AGENT,
    "create_task_api_v1_boards__board_id__tasks_post": lambda cast: {"title": "x", "due_at": "2027-01-01T00:00:00Z"},
    "update_task_api_v1_boards__board_id__tasks__task_id__patch": lambda cast: {
        "title": "New", "due_at": "2027-01-01T00:00:00.000001Z",
    },
    "create_task_comment_api_v1_boards__board_id__tasks__task_id__comments_post": lambda cast: SAID,
    "agent_lead_create_task": lambda cast: {"title": "x", "assigned_agent_id": str(cast.vega.id)},
    "update_task_api_v1_agent_boards__board_id__tasks__task_id__patch": lambda cast: {"depends_on_task_ids": []},
    "create_task_comment_api_v1_agent_boards__board_id__tasks__task_id__comments_post": lambda cast: SAID,
}  # fmt: skip


async def scene(cast: Cast) -> dict[str, Any]:
    """A board on which everything is there in several states; returns what paths are made of."""
    first = await cast.add_task(assigned_agent_id=cast.vega.id, description="d", due_at="2027-01-01T00:00:00Z")
    second = await cast.add_task(assigned_user_id=cast.cleo.id, status="review")
    own = (await cast.atlas.post(f"/agent{cast.tasks}", {"title": "x", "depends_on_task_ids": [second["id"]]})).ok()
    (await cast.vega.patch(cast.task(first), {"status": "in_progress", "comment": "Begun."})).ok()
    for caller in (cast.cleo, cast.vega):
        (await caller.post(f"{cast.task(own)}/comments", {"message": "Hello."})).ok()
    done = await cast.ask(cast.vega, first, second, rubric_scores={"a": 1})
    (await cast.cleo.patch(f"{cast.approvals}/{done['id']}", {"decision": "changes_requested", "note": "n"})).ok()
    asked = await cast.ask(cast.cleo, first)
    await cast.ask(cast.vega)
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"identity_profile": {"a": "b"}, "soul_template": "s"})).ok()
    token = await Token.get(agent_id=cast.vega.id)
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"scopes": ["read"]})).ok()
    return {
        "board_id": cast.board.id, "task_id": own["id"], "approval_id": asked["id"], "agent_id": cast.vega.id,
        "token_id": token.id,
    }  # fmt: skip


def test_every_operation_with_a_body_is_called_with_one() -> None:
    assert set(BODIES) == {one.operation_id for one in ANSWERING if one.body is not None}


@pytest.mark.parametrize("one", ANSWERING, ids=lambda one: one.operation_id)
async def test_answers_are_as_declared(cast: Cast, one: Operation) -> None:
    values = await scene(cast)
    path = re.sub(r"<(\w+)>", lambda found: str(values[found[1]]), one.path)
    if one.operation_id.startswith("restore_task"):
        (await cast.ada.delete(path.removesuffix("/restorations"))).ok()
    caller = cast.atlas if one.who == "agent" else cast.ada
    body = [BODIES[one.operation_id](cast)] if one.body is not None else []
    answer = (await caller.call(one.method, path, *body)).ok()
    adapter = TypeAdapter[Any](one.returns)
    assert adapter.dump_python(adapter.validate_json(orjson.dumps(answer)), mode="json") == answer
    if isinstance(answer, dict) and "items" in answer:
        assert answer["items"], "a list that is empty shows nothing"
