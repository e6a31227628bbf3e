"""What agents do on their own paths: who they are, signs of life, boards, colleagues, making workers."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.tasks.models import Task
from tests.cast import Caller, Cast, head, kinds


async def test_agent_reads_its_own_profile(cast: Cast) -> None:
    answer = (await cast.atlas.get("/agent/healthz")).ok()
    assert answer == {
        "ok": True, "agent_id": str(cast.atlas.id), "board_id": str(cast.board.id), "gateway_id": None,
        "status": "online", "is_board_lead": True, "scopes": None, "token_expires_at": None, "hold": None,
    }  # fmt: skip


async def test_both_headers_work_and_x_agent_token_wins(cast: Cast) -> None:
    for path in ("/agent/healthz", cast.tasks):
        by_bearer = {"Authorization": f"bearer  {cast.vega.secret} "}
        (await cast.nobody.get(path, headers=by_bearer)).ok()
        both = {"X-Agent-Token": "mca_wrong", **by_bearer}
        (await cast.nobody.get(path, headers=both)).refused(401)
        (await cast.nobody.get(path, headers=cast.ada.headers | {"X-Agent-Token": "wrong"})).refused(401)
    (await cast.nobody.get("/agent/healthz", headers=cast.ada.headers)).refused(401)
    (await cast.nobody.get("/users/me", headers=cast.ada.headers | {"X-Agent-Token": "wrong"})).ok()


async def test_heartbeat_needs_no_body_and_ignores_one(cast: Cast) -> None:
    before = await head(cast)
    for body in (..., {"name": "Other", "status": "busy", "board_id": str(uuid4())}, [1], "text"):
        answer = (await cast.vega.post("/agent/heartbeat", body)).ok()
        assert (answer["id"], answer["status"], answer["name"]) == (str(cast.vega.id), "online", "Vega")
        assert answer["last_seen_at"] is not None
    assert await kinds(cast, before) == []


async def test_heartbeat_counts_for_one_agent(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}/heartbeat"
    assert (await cast.vega.post(path, {"status": "busy"})).ok()["status"] == "busy"
    assert (await cast.vega.post(path, {})).ok()["status"] == "busy"
    assert (await cast.ben.post(path, {"status": "idle"})).ok()["status"] == "idle"
    [item] = (await cast.vega.post(path)).refused(422)
    assert (item["type"], item["loc"]) == ("missing", ["body"])


async def test_heartbeat_or_create_finds_or_makes_the_agent(cast: Cast) -> None:
    path, board = "/agents/heartbeat", str(cast.board.id)
    own = (await cast.vega.post(path, {"name": "ignored", "status": "busy"})).ok()
    assert (own["id"], own["status"], own["token"]) == (str(cast.vega.id), "busy", None)
    found = (await cast.ben.post(path, {"name": "Rigel Orion"})).ok()
    assert (found["id"], found["token"]) == (str(cast.rigel.id), None)
    assert isinstance((await cast.ada.post(path, {"name": "Nova"})).refused(422), str)
    made = (await cast.ada.post(path, {"name": "Nova", "board_id": board, "status": "busy"})).ok()
    assert made["token"].startswith("mca_")
    assert (made["status"], made["board_id"]) == ("busy", board)
    assert (await cast.ada.post(path, {"name": "NOVA", "board_id": board})).refused(409)
    assert (await cast.cleo.post(path, {"name": "Rigel Orion"})).refused(403) == "Forbidden"
    assert (await cast.cleo.post(path, {"name": "New", "board_id": board})).refused(403) == "Forbidden"
    (await cast.eve.post(path, {"name": "New", "board_id": board})).refused(404)
    assert await Agent.filter(name="New").count() == 0


async def test_presence_is_written_every_thirty_seconds(cast: Cast) -> None:
    (await cast.vega.get("/agent/healthz")).ok()
    first = (await Agent.get(id=cast.vega.id)).last_seen_at
    with times.travelled(timedelta(seconds=20)):
        (await cast.vega.get(cast.tasks)).ok()
        assert (await Agent.get(id=cast.vega.id)).last_seen_at == first
    with times.travelled(timedelta(seconds=40)):
        (await cast.vega.get(cast.tasks)).ok()
        assert (await Agent.get(id=cast.vega.id)).last_seen_at > first
    await Agent.filter(id=cast.vega.id).update(status="deleting", last_seen_at=None)
    assert (await cast.vega.get("/agent/healthz")).ok()["status"] == "deleting"


async def test_boards_and_colleagues(cast: Cast) -> None:
    page = (await cast.vega.get("/agent/boards")).ok()
    assert ([one["id"] for one in page["items"]], page["total"]) == ([str(cast.board.id)], 1)
    assert (await cast.vega.get(f"/agent{cast.home}")).ok() == page["items"][0]
    for board in (cast.other_board, cast.foreign_board):
        (await cast.vega.get(f"/agent/boards/{board.id}")).refused(404)
        (await cast.vega.get(f"/agent/agents?board_id={board.id}")).refused(404)
    for query in ("", f"?board_id={cast.board.id}"):
        roster = (await cast.vega.get(f"/agent/agents{query}")).ok()
        assert [one["name"] for one in roster["items"]] == ["Rigel Orion", "Vega", "Atlas"]


async def test_lead_creates_workers_up_to_the_limit(cast: Cast) -> None:
    before = await head(cast)
    for path in ("/agent/agents", "/agents"):
        name = f"Worker of {path}"
        (await cast.rigel.post(path, {"name": name})).refused(403)
        (await cast.atlas.post(path, {"name": name, "is_board_lead": True})).refused(403)
    made = (await cast.atlas.post("/agent/agents", {"name": "Lyra"})).ok()
    assert (made["board_id"], made["token"][:4]) == (str(cast.board.id), "mca_")
    assert await kinds(cast, before) == [("agent.created", UUID(made["id"]))]
    assert isinstance((await cast.atlas.post("/agents", {"name": "Full"})).refused(409), str)
    (await cast.ada.post("/agents", {"name": "Full", "board_id": str(cast.board.id)})).ok()
    await cast.rule(max_agents=0)
    (await cast.atlas.post("/agent/agents", {"name": "Never"})).refused(409)


async def test_two_workers_cannot_claim_one_task(cast: Cast) -> None:
    for _ in range(5):
        task = await cast.add_task()
        claims = [caller.patch(cast.task(task), {"status": "in_progress"}) for caller in (cast.vega, cast.rigel)]
        answers = await asyncio.gather(*claims)
        assert sorted(one.status for one in answers)[0] == 200
        [lost] = [one for one in answers if one.status != 200]
        assert (lost.status, lost.detail["code"]) in {(403, "task_assignee_mismatch"), (409, "task_already_claimed")}
        winner = answers.index(next(one for one in answers if one.status == 200))
        assert (await Task.get(id=task["id"])).assigned_agent_id == (cast.vega, cast.rigel)[winner].id


async def test_agent_of_a_deleted_board_is_unauthorized(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).delete()
    callers: list[Caller] = [cast.atlas, cast.vega]
    answers: list[Any] = [await caller.get("/agent/healthz") for caller in callers]
    assert [one.status for one in answers] == [401, 401]
