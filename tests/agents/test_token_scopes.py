"""Scopes of agents' tokens, over every operation that agents may call: `read` reads, `work` writes, `lead` leads."""

from pathlib import Path
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.schemas import TokenCreate
from mission_control.agents.tokens import rotate_token
from mission_control.core.limits import granted, require_scope, scope_needed
from mission_control.http.registry import Operation
from tests.cast import Caller, Cast, Program
from tests.contract.operation_rights import answer, named, operations
from tests.outside import outside
from tests.things import path_of

OPEN_TO_AGENTS = [one for one in operations() if one.who in ("agent", "actor")]


async def with_scopes(cast: Cast, agent: Program, *scopes: Any) -> Caller:
    """The agent with a second token, which has these scopes."""
    row = await Agent.get(id=agent.id).select_related("board")
    made = await rotate_token(await cast.ada.actor(), row, TokenCreate(scopes=list(scopes), overlap_seconds=600))
    return Caller(cast.app, {"X-Agent-Token": made.secret})


def test_agent_operations_need_both_kinds_of_scopes() -> None:
    assert {one.method for one in OPEN_TO_AGENTS} >= {"GET", "POST", "PATCH"}
    assert {one.scope for one in OPEN_TO_AGENTS} == {"connect", "read", "work", "lead"}


def test_scopes_imply_each_other() -> None:
    assert granted(None) is None and granted([]) == frozenset()
    assert granted(["lead"]) == granted(["work", "lead"]) == frozenset({"read", "work", "lead"})
    assert (
        granted(["connect"]) == frozenset({"connect"})
        and granted(["work"]) == frozenset({"read", "work"})
        and granted(["read", "unknown"]) == frozenset({"read"})
    )
    assert [scope_needed(method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")] == ["read"] + ["work"] * 4
    require_scope(None, "lead")


@pytest.mark.once
@pytest.mark.parametrize("one", OPEN_TO_AGENTS, ids=named)
async def test_read_only_token_can_only_read(cast: Cast, one: Operation, tmp_path: Path) -> None:
    reader = await with_scopes(cast, cast.vega, "read")
    path = await path_of(cast, one)
    async with outside(cast.app, path, tmp_path):
        if one.scope == "read":
            assert await answer(one, reader, path) == await answer(one, cast.vega, path)
            return
        refused = (await reader.call(one.method, path, **({"json": {}} if one.body is not None else {}))).refused(403)
    assert (refused["code"], refused["needed"]) == ("token_scope_missing", one.scope)
    assert one.scope in refused["message"]


@pytest.mark.once
@pytest.mark.parametrize("one", [one for one in OPEN_TO_AGENTS if one.scope == "lead"], ids=named)
async def test_leads_token_with_work_scope(cast: Cast, one: Operation, tmp_path: Path) -> None:
    worker = await with_scopes(cast, cast.atlas, "work")
    path = await path_of(cast, one)
    async with outside(cast.app, path, tmp_path):
        refused = (await worker.call(one.method, path, **({"json": {}} if one.body is not None else {}))).refused(403)
    assert refused["needed"] == "lead"


async def test_lead_without_the_lead_scope_acts_as_a_worker(cast: Cast) -> None:
    worker, lead = await with_scopes(cast, cast.atlas, "work"), await with_scopes(cast, cast.atlas, "lead")
    new = {"name": "Lyra", "board_id": str(cast.board.id)}
    task = await cast.add_task(status="review", assigned_agent_id=str(cast.vega.id))
    (await worker.post("/agents", new)).refused(403)
    (await worker.patch(cast.task(task), {"assigned_agent_id": str(cast.rigel.id)})).refused(403)
    who = (await worker.get("/agent/healthz")).ok()
    assert (who["is_board_lead"], who["scopes"]) == (True, ["read", "work"])
    (await lead.post("/agents", new)).ok()
    (await lead.patch(cast.task(task), {"assigned_agent_id": str(cast.rigel.id)})).ok()


async def test_lead_scope_does_not_make_a_worker_a_lead(cast: Cast) -> None:
    vega = await with_scopes(cast, cast.vega, "lead")
    assert (await vega.post("/agents", {"name": "Lyra", "board_id": str(cast.board.id)})).refused(403) == "Forbidden"
    claimed = (await vega.patch(cast.task(await cast.add_task()), {"status": "in_progress"})).ok()
    assert claimed["assigned_agent_id"] == str(cast.vega.id)
