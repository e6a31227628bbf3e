"""Agents as people manage them: made, listed, changed, deleted; by whom; and what was recorded."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.core import times
from mission_control.tasks.models import Task
from tests.cast import Cast, events, head, kinds

pytestmark = pytest.mark.dialect

KEYS = [
    "board_id", "name", "status", "heartbeat_config", "identity_profile", "identity_template", "soul_template", "id",
    "gateway_id", "is_board_lead", "is_gateway_main", "openclaw_session_id", "wip_limit", "claim_tags",
    "work_state", "work_state_reason", "work_state_at", "hold", "is_adopted", "last_provision_error", "wake_attempts",
    "checkin_deadline_at", "last_seen_at", "gateway_away_at", "run_began_at", "created_at", "updated_at",
]  # fmt: skip


def new(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A wish for an agent of the board."""
    return {"name": "Lyra", "board_id": str(cast.board.id), **fields}


async def test_new_agent_shows_its_token_once(cast: Cast) -> None:
    before = await head(cast)
    made = (await cast.ben.post("/agents", new(cast))).ok()
    assert list(made) == [*KEYS, "token"]
    assert (made["status"], made["gateway_id"], made["is_gateway_main"]) == ("offline", None, False)
    assert made["heartbeat_config"] == DEFAULT_HEARTBEAT
    assert made["token"].startswith("mca_") and len(made["token"]) == 52
    assert "token" not in (await cast.ada.get(f"/agents/{made['id']}")).ok()
    [event] = await events(before)
    assert (event.kind, event.actor_id, str(event.agent_id)) == ("agent.created", cast.ben.id, made["id"])
    assert orjson.loads(event.data) == {"name": "Lyra", "is_board_lead": False}
    assert made["token"] not in event.data
    healthy = await cast.nobody.get("/agent/healthz", headers={"Authorization": f"Bearer {made['token']}"})
    assert healthy.ok()["agent_id"] == made["id"]


async def test_profile_texts_are_trimmed(cast: Cast) -> None:
    profile = {" role ": " Observer ", "tools": ["eye", "lens"], "age": 3, "none": None, "blank": " "}
    texts = {"soul_template": "  ", "identity_template": "{{ verbatim }}", "status": "whatever"}
    made = (await cast.ada.post("/agents", new(cast, identity_profile=profile, **texts))).ok()
    assert made["identity_profile"] == {"role": "Observer", "tools": "eye, lens", "age": "3"}
    assert (made["soul_template"], made["identity_template"]) == (None, "{{ verbatim }}")
    other = (await cast.ada.post("/agents", new(cast, name="Cetus", identity_profile="text"))).ok()
    assert other["identity_profile"] is None


async def test_agent_belongs_to_a_board_of_its_organization(cast: Cast) -> None:
    assert isinstance((await cast.ada.post("/agents", {"name": "Lyra"})).refused(422), str)
    (await cast.ada.post("/agents", new(cast, board_id=str(uuid4())))).refused(404)
    assert isinstance((await cast.ada.post("/agents", new(cast, gateway_id=str(uuid4())))).refused(422), str)


async def test_board_has_unique_agent_names_and_one_lead(cast: Cast) -> None:
    assert isinstance((await cast.ada.post("/agents", new(cast, name="VEGA"))).refused(409), str)
    (await cast.ada.post("/agents", new(cast, name="Ægir"))).ok()
    assert isinstance((await cast.ada.post("/agents", new(cast, name="æGIR"))).refused(409), str)
    assert isinstance((await cast.ada.post("/agents", new(cast, is_board_lead=True))).refused(409), str)
    elsewhere = new(cast, name="Vega", board_id=str(cast.other_board.id), is_board_lead=True)
    assert (await cast.ada.post("/agents", elsewhere)).ok()["is_board_lead"] is True
    for change in ({"name": "rigel orion"}, {"is_board_lead": True}):
        assert isinstance((await cast.ada.patch(f"/agents/{cast.vega.id}", change)).refused(409), str)


@pytest.mark.parametrize("twins", [{"name": "Lyra"}, {"is_board_lead": True}])
async def test_two_agents_with_one_name_cannot_be_created_at_once(cast: Cast, twins: dict[str, Any]) -> None:
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    wishes = [new(cast, name=name) | twins for name in ("Lyra", "Cetus")]
    wishes[1]["name"] = wishes[1]["name"].upper() if "name" in twins else wishes[1]["name"]
    answers = await asyncio.gather(*(cast.ada.post("/agents", wish) for wish in wishes))
    assert sorted(one.status for one in answers) == [200, 409]


async def test_agents_are_listed(cast: Cast) -> None:
    page = (await cast.ben.get("/agents")).ok()
    assert [one["name"] for one in page["items"]] == ["Mira", "Rigel Orion", "Vega", "Atlas"]
    assert (page["total"], list(page["items"][0])) == (4, KEYS)
    mine = (await cast.ada.get(f"/agents?board_id={cast.other_board.id}")).ok()
    assert [one["name"] for one in mine["items"]] == ["Mira"]
    assert [one["name"] for one in (await cast.eve.get("/agents")).ok()["items"]] == ["Nova"]
    (await cast.ada.get(f"/agents?board_id={cast.foreign_board.id}")).refused(404)
    (await cast.ada.get(f"/agents?gateway_id={uuid4()}")).refused(404)


async def test_agent_is_read_by_id(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}"
    assert list((await cast.ben.get(path)).ok()) == KEYS
    refusal = "`nonsense` is no id. An id is wanted, as another answer gave it: a UUID."
    assert (await cast.ada.get("/agents/nonsense")).refused(404) == refusal


async def test_agent_is_changed(cast: Cast) -> None:
    path, before = f"/agents/{cast.vega.id}", await head(cast)
    changed = (await cast.ben.patch(path, {"name": "Vega II", "heartbeat_config": {"every": "1m"}})).ok()
    assert (changed["name"], changed["heartbeat_config"]) == ("Vega II", {"every": "1m"})
    [event] = await events(before)
    assert (event.kind, event.actor_id, event.agent_id) == ("agent.updated", cast.ben.id, cast.vega.id)
    assert orjson.loads(event.data)["before"]["name"] == "Vega"
    (await cast.vega.get("/agent/healthz")).ok()
    assert (await cast.ben.patch(path, {"heartbeat_config": None})).ok()["heartbeat_config"] == DEFAULT_HEARTBEAT
    written = await head(cast)
    known = (await cast.ben.get(path)).ok()
    for same in ({}, {"name": "Vega II"}, {"is_gateway_main": None}, {"board_id": str(cast.board.id)}):
        assert (await cast.ben.patch(f"{path}?force=true", same)).ok() == known
    assert await kinds(cast, written) == []


async def test_invalid_changes_are_refused(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}"
    assert isinstance((await cast.ada.patch(path, {"status": "online"})).refused(403), str)
    assert (await cast.ada.patch(path, {"name": None})).refused(422)[0]["loc"] == ["body", "name"]
    assert isinstance((await cast.ada.patch(path, {"is_gateway_main": True})).refused(422), str)
    (await cast.ada.patch(path, {"board_id": str(cast.foreign_board.id)})).refused(404)


async def test_agent_moves_to_another_board(cast: Cast) -> None:
    moved = (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
    assert moved["board_id"] == str(cast.other_board.id)
    (await cast.vega.get(cast.tasks)).refused(404)
    (await cast.vega.get(f"/boards/{cast.other_board.id}/tasks")).ok()


async def test_deleted_agents_tasks_are_unassigned(cast: Cast) -> None:
    states = ("inbox", "in_progress", "review", "done")
    made = {status: await cast.add_task() for status in states}
    for status, task in made.items():
        await cast.put(task, status=status, assigned_agent_id=cast.vega.id, in_progress_at=times.clock_now())
    before, path = await head(cast), f"/agents/{cast.vega.id}"
    assert (await cast.eve.delete(path)).ok() == {"ok": True}
    assert await Agent.filter(id=cast.vega.id).exists()
    assert (await cast.ben.delete(path)).ok() == {"ok": True}
    assert (await cast.ben.delete(path)).ok() == {"ok": True}
    for status, task in made.items():
        row = await Task.get(id=task["id"])
        assert row.assigned_agent_id is None
        assert row.status == ("inbox" if status == "in_progress" else status)
        assert (row.in_progress_at is None) == (status == "in_progress")
    recorded = [(one.kind, str(one.task_id)) for one in await events(before)]
    assert recorded[0][0] == "agent.deleted"
    assert sorted(recorded[1:]) == sorted(
        ("task.status_changed" if status == "in_progress" else "task.updated", task["id"])
        for status, task in made.items()
    )
    (await cast.vega.get("/agent/healthz")).refused(401)


async def test_status_shows_online_and_offline(cast: Cast) -> None:
    path = f"/agents/{cast.vega.id}"

    async def status() -> str:
        return str((await cast.ada.get(path)).ok()["status"])

    assert await status() == "offline"
    (await cast.vega.get("/agent/healthz")).ok()
    assert await status() == "online"
    with times.travelled(timedelta(minutes=14)):
        assert await status() == "online"
    with times.travelled(timedelta(minutes=16)):
        assert await status() == "offline"
        (await cast.vega.get("/agent/healthz")).ok()
        assert await status() == "online"
    await Agent.filter(id=cast.vega.id).update(status="updating", last_seen_at=None)
    assert await status() == "updating"
