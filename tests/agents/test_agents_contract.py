"""The rules of agents as the contract lists them: making, changing, moving, deleting, signs of life, states."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.schemas import DEFAULT_HEARTBEAT, computed_status
from mission_control.approvals.models import Approval
from mission_control.core import times
from mission_control.core.values import new_id
from mission_control.people.models import Member, Token
from mission_control.tasks.models import Task
from tests.cast import Cast, head, kinds
from tests.claiming import later
from tests.live.reading import reading
from tests.moments import parsed
from tests.statements import counted

LEAST = {"name": "Lyra"}


def new(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A wish for an agent of the board."""
    return LEAST | {"board_id": str(cast.board.id)} | fields


def at(agent: Any) -> str:
    """The path of an agent."""
    return f"/agents/{getattr(agent, 'id', agent)}"


@pytest.mark.parametrize("path", ["/agents", "/agent/agents"])
@pytest.mark.parametrize(("who", "fields", "status"), [
    ("atlas", {}, 200), ("atlas", {"board_id": "own"}, 200), ("atlas", {"is_board_lead": True}, 403),
    ("atlas", {"name": "vega"}, 409), ("atlas", {"name": " "}, 422), ("vega", {}, 403),
    ("vega", {"name": " "}, 403),
])  # fmt: skip
async def test_lead_creates_agents(cast: Cast, path: str, who: str, fields: dict[str, Any], status: int) -> None:
    boards = {"own": cast.board.id, "other": cast.other_board.id, "foreign": cast.foreign_board.id, "none": uuid4()}
    wanted = {name: str(boards[value]) if name == "board_id" else value for name, value in fields.items()}
    answer = await getattr(cast, who).post(path, LEAST | wanted)
    assert answer.status == status, answer.body
    assert await Agent.filter(name="Lyra").count() == (status == 200)


@pytest.mark.parametrize("board", ["other_board", "foreign_board", None])
async def test_lead_creates_agents_only_on_its_own_board(cast: Cast, board: str | None) -> None:
    wanted = LEAST | {"board_id": str(getattr(cast, board).id if board else uuid4())}
    (await cast.atlas.post("/agents", wanted)).refused(404)
    made = (await cast.atlas.post("/agent/agents", wanted)).ok()
    assert made["board_id"] == str(cast.board.id)
    assert await Agent.filter(name="Lyra").count() == 1


async def test_agents_of_callers_other_organization_are_not_found(cast: Cast) -> None:
    await Member.create(organization_id=cast.elsewhere.id, user_id=cast.ada.id, role="owner", all_boards_write=True)
    path = at(cast.nova)
    for answer in (
        await cast.ada.get(path),
        await cast.ada.patch(path, {"name": "Taken"}),
        await cast.ada.delete(path),
        await cast.ada.post(f"{path}/heartbeat", {}),
        await cast.ada.get(f"{path}/tokens"),
        await cast.ada.get(f"/agents?board_id={cast.foreign_board.id}"),
        await cast.ada.get(f"/agents/stream?board_id={cast.foreign_board.id}"),
        await cast.ada.get(f"/activity?board_id={cast.foreign_board.id}"),
    ):
        assert answer.refused(404) == "Not Found"
    assert (await Agent.get(id=cast.nova.id)).name == "Nova"


@pytest.mark.parametrize(("who", "fields", "status"), [
    ("ada", {}, 200), ("ben", {"is_board_lead": False}, 200), ("ada", {"board_id": None}, 422),
    ("ada", {"board_id": str(uuid4())}, 404), ("ada", {"is_board_lead": True}, 409), ("ada", {"name": "VEGA"}, 409),
    ("ada", {"name": "V%"}, 200), ("ada", {"name": "_ega"}, 200), ("ada", {"gateway_id": str(uuid4())}, 422),
    ("ada", {"gateway_id": None}, 200), ("cleo", {}, 403), ("cleo", {"name": None}, 403), ("eve", {}, 404),
])  # fmt: skip
async def test_people_create_agents(cast: Cast, who: str, fields: dict[str, Any], status: int) -> None:
    answer = await getattr(cast, who).post("/agents", new(cast, **fields))
    assert answer.status == status, answer.body


async def test_leads_do_not_count_towards_the_boards_agent_limit(cast: Cast) -> None:
    await cast.rule(max_agents=3)
    (await cast.atlas.post("/agent/agents", LEAST)).ok()
    assert "3" in (await cast.atlas.post("/agent/agents", {"name": "Cetus"})).refused(409)


@pytest.mark.parametrize("every", ["banana", "", "10", "m", "10w", "-5m", "1.5h", "10m ", "999999h", None, 5, "٣m"])
async def test_invalid_heartbeat_interval_is_refused(cast: Cast, every: Any) -> None:
    for answer in (
        await cast.ada.post("/agents", new(cast, heartbeat_config={"every": every})),
        await cast.ada.patch(at(cast.vega), {"heartbeat_config": {"every": every}}),
    ):
        [item] = answer.refused(422)
        assert item["loc"] == ["body", "heartbeat_config"]


@pytest.mark.parametrize(("sent", "kept"), [
    (None, DEFAULT_HEARTBEAT),
    ({}, DEFAULT_HEARTBEAT),
    ({"every": "0m"}, {"every": "0m"}),
    ({"every": "90s", "quiet": True}, {"every": "90s", "quiet": True}),
    ({"quiet": True}, {"quiet": True}),
])  # fmt: skip
async def test_heartbeat_intervals_are_stored_as_sent(cast: Cast, sent: Any, kept: Any) -> None:
    made = (await cast.ada.post("/agents", new(cast, heartbeat_config=sent))).ok()
    assert made["heartbeat_config"] == kept
    (await cast.ada.patch(at(made["id"]), {"heartbeat_config": None})).ok()
    assert (await Agent.get(id=made["id"])).heartbeat_config == DEFAULT_HEARTBEAT


async def test_templates_are_trimmed_and_blank_becomes_null(cast: Cast) -> None:
    made = (await cast.ada.post("/agents", new(cast, soul_template=" {{ x }}\n", identity_template=" \n"))).ok()
    assert (made["soul_template"], made["identity_template"]) == ("{{ x }}", None)
    known = await head(cast)
    (await cast.ada.patch(at(made["id"]), {"soul_template": "\n{{ x }} "})).ok()
    assert await kinds(cast, known) == []
    cleared = (await cast.ada.patch(at(made["id"]), {"soul_template": None, "identity_profile": None})).ok()
    assert (cleared["soul_template"], cleared["identity_profile"]) == (None, None)


@pytest.mark.parametrize(("who", "body", "status"), [
    ("eve", {"status": "online"}, 404),
    ("cleo", {"status": "online"}, 403),
    ("ada", {"status": "online", "board_id": str(uuid4())}, 403),
    ("ada", {"status": None}, 403),
    ("ada", {"board_id": str(uuid4()), "is_gateway_main": True}, 404),
    ("ada", {"board_id": "foreign"}, 404),
    ("ada", {"board_id": None}, 422),
    ("ada", {"is_gateway_main": True}, 422),
    ("ada", {"name": None}, 422),
    ("ada", {"name": " "}, 422),
    ("ada", {"is_board_lead": None}, 422),
    ("ada", {"is_board_lead": True}, 409),
    ("ada", {"name": "rigel ORION"}, 409),
    ("ada", {"is_gateway_main": False}, 200),
    ("ada", {"is_gateway_main": None}, 200),
    ("ada", {}, 200),
])  # fmt: skip
async def test_changes_are_checked_in_order(cast: Cast, who: str, body: dict[str, Any], status: int) -> None:
    sent = {key: str(cast.foreign_board.id) if value == "foreign" else value for key, value in body.items()}
    before = await head(cast)
    answer = await getattr(cast, who).patch(at(cast.vega), sent)
    assert answer.status == status, answer.body
    assert await kinds(cast, before) == []


async def test_patch_never_changes_tokens(cast: Cast) -> None:
    known = await Token.filter(agent_id=cast.vega.id).count()
    (await cast.ada.patch(f"{at(cast.vega)}?force=true", {"name": "Vega II"})).ok()
    assert await Token.filter(agent_id=cast.vega.id).count() == known
    (await cast.vega.get("/agent/healthz")).ok()


async def test_agent_cannot_move_to_another_organization(cast: Cast) -> None:
    await Member.create(organization_id=cast.elsewhere.id, user_id=cast.ada.id, role="owner", all_boards_write=True)
    (await cast.ada.get(f"/boards/{cast.foreign_board.id}")).ok()
    (await cast.ada.patch(at(cast.vega), {"board_id": str(cast.foreign_board.id)})).refused(404)
    assert (await Agent.get(id=cast.vega.id)).board_id == cast.board.id


async def test_moved_agents_unfinished_tasks_are_unassigned(cast: Cast) -> None:
    states = ("inbox", "in_progress", "review", "done")
    made = {status: await cast.add_task() for status in states}
    for status, task in made.items():
        await cast.put(task, status=status, assigned_agent_id=cast.vega.id, in_progress_at=times.clock_now())
    before = await head(cast)
    (await cast.ada.patch(at(cast.vega), {"board_id": str(cast.other_board.id)})).ok()
    for status, task in made.items():
        row = await Task.get(id=task["id"])
        assert row.status == ("inbox" if status == "in_progress" else status)
        assert row.assigned_agent_id == (cast.vega.id if status == "done" else None)
    recorded = sorted(kind for kind, _ in await kinds(cast, before))
    assert recorded == ["agent.updated", "task.status_changed", "task.updated", "task.updated"]


async def test_moved_lead_stays_lead_only_if_the_board_has_none(cast: Cast) -> None:
    to = {"board_id": str(cast.other_board.id)}
    moved = (await cast.ada.patch(at(cast.atlas), to)).ok()
    assert (moved["is_board_lead"], moved["board_id"]) == (True, to["board_id"])
    again = (await cast.ada.post("/agents", new(cast, is_board_lead=True))).ok()
    assert isinstance((await cast.ada.patch(at(again["id"]), to)).refused(409), str)
    assert (await Agent.get(id=again["id"])).board_id == cast.board.id
    demoted = (await cast.ada.patch(at(again["id"]), to | {"is_board_lead": False})).ok()
    assert (demoted["is_board_lead"], demoted["board_id"]) == (False, to["board_id"])


async def test_two_leads_cannot_move_to_one_board_at_once(cast: Cast) -> None:
    third = (await cast.ada.post("/boards", {"name": "Pier", "slug": "pier", "description": "x"})).ok()["id"]
    other = (await cast.ada.post("/agents", LEAST | {"board_id": str(cast.other_board.id), "is_board_lead": True})).ok()
    moves = [cast.ada.patch(at(one), {"board_id": third}) for one in (cast.atlas.id, other["id"])]
    assert sorted(one.status for one in await asyncio.gather(*moves)) == [200, 409]


async def test_patch_of_an_agent_deleted_concurrently_is_not_found(cast: Cast) -> None:
    for n in range(4):
        made = (await cast.ada.post("/agents", new(cast, name=f"Lyra {n}"))).ok()["id"]
        calls = (cast.ada.delete(at(made)), cast.ben.patch(at(made), {"name": f"Cetus {n}"}), cast.ben.delete(at(made)))
        answers = await asyncio.gather(*calls)
        assert [answers[0].status, answers[2].status] == [200, 200]
        assert answers[1].status in (200, 404)
        assert not await Agent.filter(id=made).exists()


async def test_history_of_a_deleted_agent_stays(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    task = await cast.add_task()
    comment = (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "Hello."})).ok()
    (await cast.ada.delete(at(cast.vega))).ok()
    assert (await Approval.get(id=asked["id"])).agent_id is None
    said = (await cast.ada.get(f"{cast.task(task)}/comments")).ok()["items"]
    assert [(one["id"], one["agent_id"]) for one in said] == [(comment["id"], None)]
    answers = [await cast.ada.delete(at(target)) for target in (cast.vega, uuid4(), cast.nova)]
    assert [one.ok() for one in answers] == [{"ok": True}] * 3
    assert await Agent.filter(id=cast.nova.id).exists()


async def test_reader_of_a_board_cannot_delete_agents(cast: Cast) -> None:
    await Member.filter(user_id=cast.ben.id).update(all_boards_read=True, all_boards_write=False)
    assert (await cast.ben.delete(at(cast.vega))).refused(403) == "Forbidden"
    assert (await cast.ben.patch(at(cast.vega), {"name": "X"})).refused(403) == "Forbidden"
    assert (await cast.ben.post(f"{at(cast.vega)}/heartbeat", {})).refused(403) == "Forbidden"
    (await cast.ben.get(at(cast.vega))).ok()


async def test_owner_without_board_access_sees_no_agents(cast: Cast) -> None:
    await Member.filter(user_id=cast.ada.id).update(all_boards_read=False, all_boards_write=False)
    assert (await cast.ada.get("/agents")).ok()["items"] == []
    (await cast.ada.get(at(cast.vega))).refused(404)
    (await cast.ada.get(f"/agents?board_id={cast.board.id}")).refused(404)


@pytest.mark.parametrize(("who", "body", "status"), [
    ("ada", {"name": "Vega"}, 200),
    ("ada", {"name": "vega"}, 422),
    ("ada", {"name": "Nova"}, 422),
    ("ada", {"name": "Vega", "board_id": "other"}, 200),
    ("ada", {"name": "vega", "board_id": "own"}, 409),
    ("ada", {"name": "Lyra", "board_id": "foreign"}, 404),
    ("ada", {"name": " "}, 422),
    ("ada", {}, 422),
    ("cleo", {"name": "Lyra"}, 403),
    ("cleo", {"name": "Vega"}, 403),
    ("dan", {"name": "Lyra", "board_id": "own"}, 403),
])  # fmt: skip
async def test_heartbeat_or_create_follows_the_contract(
    cast: Cast, who: str, body: dict[str, Any], status: int
) -> None:
    boards = {"own": cast.board.id, "other": cast.other_board.id, "foreign": cast.foreign_board.id}
    sent = {key: str(boards[value]) if key == "board_id" else value for key, value in body.items()}
    answer = await getattr(cast, who).post("/agents/heartbeat", sent)
    assert answer.status == status, answer.body
    if status == 200:
        assert (answer.body["token"] is not None) == ("board_id" in body)


async def test_concurrent_heartbeats_create_one_agent(cast: Cast) -> None:
    body = {"name": "Lyra", "board_id": str(cast.board.id)}
    answers = await asyncio.gather(*(cast.ada.post("/agents/heartbeat", body) for _ in range(5)))
    assert len({one.ok()["id"] for one in answers}) == 1
    assert sum(one.body["token"] is not None for one in answers) == 1
    assert await Agent.filter(name="Lyra").count() == 1


@pytest.mark.parametrize(("stored", "minutes", "shown"), [
    ("provisioning", None, "offline"), ("online", None, "offline"), ("updating", None, "updating"),
    ("error", 60, "error"), ("offline", None, "offline"), ("deleting", 60, "deleting"), ("online", 14, "online"),
    ("busy", 16, "offline"), ("provisioning", 0, "provisioning"),
])  # fmt: skip
def test_agent_state_shown_to_people(stored: str, minutes: int | None, shown: str) -> None:
    seen = None if minutes is None else times.clock_now() - timedelta(minutes=minutes)
    assert computed_status(Agent(status=stored, last_seen_at=seen)) == shown


@pytest.mark.parametrize(("stored", "has_called", "is_away", "shown"), [
    ("provisioning", False, False, "provisioning"),
    ("offline", False, False, "offline"),
    ("online", True, False, "online"),
    ("online", True, True, "offline"),
    ("error", True, True, "error"),
])  # fmt: skip
def test_agent_of_a_gateway_is_there_while_its_gateway_is(
    stored: str, has_called: bool, is_away: bool, shown: str
) -> None:
    now = times.clock_now()
    seen, away = now - timedelta(days=1) if has_called else None, now if is_away else None
    agent = Agent(status=stored, gateway_id=new_id(), last_seen_at=seen, gateway_away_at=away)
    assert computed_status(agent) == shown


@pytest.mark.parametrize(("stored", "sent", "kept"), [
    ("provisioning", None, "online"), ("provisioning", "busy", "busy"), ("busy", None, "busy"),
    ("updating", None, "online"), ("updating", "online", "online"),
])  # fmt: skip
async def test_agent_state_after_a_heartbeat_by_a_person(cast: Cast, stored: str, sent: str | None, kept: str) -> None:
    await Agent.filter(id=cast.vega.id).update(status=stored)
    before = await head(cast)
    answer = (await cast.ada.post(f"{at(cast.vega)}/heartbeat", {"status": sent})).ok()
    assert (answer["status"], (await Agent.get(id=cast.vega.id)).status) == (kept, kept)
    assert await kinds(cast, before) == []


@pytest.mark.parametrize(
    ("stored", "silence", "kept"),
    [("busy", 10, "busy"), ("busy", 31, "online"), ("busy", None, "online"), ("updating", 31, "online")],
)
async def test_agent_state_after_its_own_heartbeat(cast: Cast, stored: str, silence: int | None, kept: str) -> None:
    last = None if silence is None else times.clock_now() - timedelta(seconds=silence)
    await Agent.filter(id=cast.vega.id).update(status=stored, last_seen_at=last)
    assert (await cast.vega.post("/agent/heartbeat")).ok()["status"] == kept


@pytest.mark.parametrize("path", ["/agent/heartbeat", "/agents/heartbeat", "/agents/{}/heartbeat"])
async def test_heartbeat_is_written_once(cast: Cast, path: str) -> None:
    for pause in (60, 61):
        with later(pause), counted(passing_over=()) as found:
            seen = (await cast.vega.post(path.format(cast.vega.id), {"name": "Vega"})).ok()["last_seen_at"]
            assert parsed(seen) == (await Agent.get(id=cast.vega.id)).last_seen_at
        assert len([text for text in found if text.startswith("UPDATE agents")]) == 1, found


async def test_stream_sends_the_agent_a_lead_changed(cast: Cast) -> None:
    async with reading(cast.ada, "/agents/stream") as stream:
        soul = f"/agent{cast.home}/agents/{cast.vega.id}/soul"
        (await cast.atlas.call("PUT", soul, {"content": "Calm."})).ok()
        while True:
            message = await stream.next()
            if message.data["agent"]["soul_template"] == "Calm.":
                break
    assert (message.event, message.data["agent"]["id"]) == ("agent", str(cast.vega.id))


@pytest.mark.parametrize("blank", ["", "  ", None])
async def test_blank_status_keeps_the_old_status(cast: Cast, blank: str | None) -> None:
    path = f"{at(cast.vega)}/heartbeat"
    (await cast.ada.post(path, {"status": "busy"})).ok()
    assert (await cast.ada.post(path, {"status": blank})).ok()["status"] == "busy"
    assert (await cast.ada.post("/agents/heartbeat", {"name": "Vega", "status": blank})).ok()["status"] == "busy"
