"""What a lead does with its colleagues: nudges, souls, deletions; and what only a gateway's main agent would do."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.agents.models import Agent, AgentSoul
from mission_control.events.leases import Delivery
from mission_control.tasks.models import Task
from tests.agents_on_gateways import add_gateway
from tests.cast import Caller, Cast, events, head, kinds

pytestmark = pytest.mark.dialect


def at(cast: Cast, who: Any, tail: str = "", board: Any = None) -> str:
    """The path of a colleague on the board, or on another."""
    return f"/agent/boards/{(board or cast.board).id}/agents/{getattr(who, 'id', who)}{tail}"


async def notices(agent_id: Any, header: str) -> list[Delivery]:
    """What lies in an agent's inbox under a header."""
    return await Delivery.filter(agent_id=agent_id, header=header).order_by("created_at")


async def test_nudge_arrives_unchanged_in_the_inbox(cast: Cast) -> None:
    before = await head(cast)
    answer = (await cast.atlas.post(at(cast, cast.vega, "/nudge"), {"message": "  Are you\nthere? "})).ok()
    [notice] = await notices(cast.vega.id, "NUDGE")
    assert answer == {"ok": True, "delivery_ids": [str(notice.id)]}
    assert (notice.text, notice.data["deliver"], notice.board_id) == (
        "From: Atlas\n\nAre you\nthere?",
        True,
        cast.board.id,
    )
    [event] = await events(before)
    assert (event.kind, event.actor_id, event.agent_id) == ("agent.nudge.sent", cast.atlas.id, cast.atlas.id)
    assert event.subject_id == cast.vega.id and event.board_id == cast.board.id
    assert orjson.loads(event.data)["text"] == "Are you\nthere?"


@pytest.mark.parametrize(("tail", "method"), [("/nudge", "POST"), ("/soul", "PUT"), ("", "DELETE")])
async def test_refusals_have_a_fixed_order(cast: Cast, tail: str, method: str) -> None:
    async def send(caller: Caller, path: str, body: Any = ...) -> Any:
        return await caller.call(method, path, {} if method != "DELETE" and body is ... else body)

    assert (await send(cast.nobody, at(cast, cast.vega, tail))).refused(401) == "Unauthorized"
    assert (await send(cast.ada, at(cast, cast.vega, tail))).refused(401) == "Unauthorized"
    assert (await send(cast.atlas, f"/agent/boards/{uuid4()}/agents/{cast.vega.id}{tail}")).refused(404)
    assert (await send(cast.atlas, f"/agent/boards/nonsense/agents/{cast.vega.id}{tail}")).refused(404)
    for board in (cast.other_board, cast.foreign_board):
        assert (await send(cast.atlas, at(cast, cast.mira, tail, board))).refused(404) == "Not Found"
    for target in (cast.rigel, cast.mira, uuid4()):
        assert (await send(cast.vega, at(cast, target, tail))).refused(403)["code"] == "lead_only"
    for target in (cast.mira, cast.nova):
        assert (await send(cast.atlas, at(cast, target, tail))).refused(404) == "Not Found"
    assert await Agent.filter(id__in=[cast.mira.id, cast.nova.id]).count() == 2


async def test_agent_without_a_session_cannot_be_nudged(cast: Cast) -> None:
    gateway = await add_gateway(cast.organization.id)
    await Agent.filter(id=cast.vega.id).update(gateway_id=gateway.id)
    detail = (await cast.atlas.post(at(cast, cast.vega, "/nudge"), {"message": "x"})).refused(422)
    assert detail["code"] == "agent_without_session"
    await Agent.filter(id=cast.vega.id).update(openclaw_session_id="agent:x:main")
    (await cast.atlas.post(at(cast, cast.vega, "/nudge"), {"message": "x"})).ok()


async def test_souls_are_read(cast: Cast) -> None:
    assert (await cast.vega.get(at(cast, cast.vega, "/soul"))).ok() == ""
    await Agent.filter(id=cast.vega.id).update(soul_template='Calm, "exact".')
    for caller in (cast.vega, cast.atlas):
        assert (await caller.get(at(cast, cast.vega, "/soul"))).ok() == 'Calm, "exact".'
    assert (await cast.rigel.get(at(cast, cast.vega, "/soul"))).refused(403) == "Forbidden"
    assert (await cast.rigel.get(at(cast, uuid4(), "/soul"))).refused(403) == "Forbidden"


async def test_lead_sets_a_soul_and_the_old_one_stays_in_the_history(cast: Cast) -> None:
    await Agent.filter(id=cast.vega.id).update(soul_template="Hasty.")
    before, path = await head(cast), at(cast, cast.vega, "/soul")
    new = {"content": " Patient.\n", "reason": "It hurried.", "source_url": "https://example.org/souls/owl"}
    answer = (await cast.atlas.call("PUT", path, new)).ok()
    assert (await cast.vega.get(path)).ok() == "Patient."
    [event] = await events(before)
    assert (event.kind, event.agent_id, event.subject_id) == ("agent.soul.updated", cast.atlas.id, cast.vega.id)
    assert event.message == "Soul updated: Vega. Reason: It hurried. Source: https://example.org/souls/owl"
    [notice] = await notices(cast.vega.id, "SOUL UPDATED")
    assert answer == {"ok": True, "delivery_ids": [str(notice.id)]}
    assert "By: Atlas" in notice.text and "It hurried." in notice.text
    page = (await cast.ben.get(f"/agents/{cast.vega.id}/souls")).ok()
    assert [one["content"] for one in page["items"]] == ["Patient.", "Hasty."] and page["total"] == 2
    newest, oldest = page["items"]
    assert newest["author"] == {"kind": "agent", "id": str(cast.atlas.id), "name": "Atlas"}
    assert (newest["reason"], newest["source_url"]) == ("It hurried.", "https://example.org/souls/owl")
    assert oldest["author"] == {"kind": "system", "id": None, "name": "Mission Control"}


async def test_people_set_and_restore_souls_in_the_same_history(cast: Cast) -> None:
    made = {"name": "Lyra", "board_id": str(cast.board.id), "soul_template": "First."}
    lyra = (await cast.ada.post("/agents", made)).ok()["id"]
    (await cast.ben.patch(f"/agents/{lyra}", {"soul_template": "Second."})).ok()
    history = (await cast.ada.get(f"/agents/{lyra}/souls")).ok()["items"]
    assert [(one["content"], one["author"]["name"]) for one in history] == [("Second.", "Ben"), ("First.", "Ada")]
    (await cast.ada.patch(f"/agents/{lyra}", {"soul_template": history[1]["content"]})).ok()
    (await cast.ada.patch(f"/agents/{lyra}", {"soul_template": None})).ok()
    history = (await cast.ada.get(f"/agents/{lyra}/souls?limit=2")).ok()
    assert [one["content"] for one in history["items"]] == ["", "First."] and history["total"] == 4
    assert len(await notices(lyra, "SOUL UPDATED")) == 3


async def test_unchanged_soul_is_a_no_op(cast: Cast) -> None:
    path = at(cast, cast.vega, "/soul")
    (await cast.atlas.call("PUT", path, {"content": "Calm."})).ok()
    before = await head(cast)
    (await cast.atlas.call("PUT", path, {"content": "Calm. "})).ok()
    assert await kinds(cast, before) == [] and await AgentSoul.filter(agent_id=cast.vega.id).count() == 1


async def test_soul_source_may_be_blank(cast: Cast) -> None:
    new = {"content": "Calm.", "source_url": " ", "reason": None}
    (await cast.atlas.call("PUT", at(cast, cast.vega, "/soul"), new)).ok()
    [one] = (await cast.ada.get(f"/agents/{cast.vega.id}/souls")).ok()["items"]
    assert (one["source_url"], one["reason"]) == (None, None)


async def test_lead_changing_its_own_soul_is_not_notified(cast: Cast) -> None:
    (await cast.atlas.call("PUT", at(cast, cast.atlas, "/soul"), {"content": "Bold."})).ok()
    assert await notices(cast.atlas.id, "SOUL UPDATED") == []


async def test_lead_deletes_a_worker(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    before = await head(cast)
    answers = await asyncio.gather(*(cast.atlas.delete(at(cast, cast.vega)) for _ in range(3)))
    assert [one.plain for one in answers] == [{"ok": True}] * 3
    assert (await cast.atlas.delete(at(cast, uuid4()))).plain == {"ok": True}
    found = [kind for kind, _ in await kinds(cast, before)]
    assert found[:2] == ["agent.deleted", "task.status_changed"]
    assert set(found[2:]) <= {"task.lead_notified", "task.lead_unassigned_notified"}  # its next calls took the notices
    row = await Task.get(id=task["id"])
    assert (row.status, row.assigned_agent_id) == ("inbox", None)
    (await cast.vega.get("/agent/healthz")).refused(401)


@pytest.mark.parametrize("body", [{}, {"content": "Hello."}])
async def test_only_main_agents_message_leads(cast: Cast, body: Any) -> None:
    before = await head(cast)
    for board in (cast.board.id, cast.other_board.id, cast.foreign_board.id, uuid4()):
        for caller in (cast.atlas, cast.vega):
            path = f"/agent/gateway/boards/{board}/lead/message"
            assert (await caller.post(path, body)).refused(403)["code"] == "main_agent_only"
    assert (await cast.atlas.post("/agent/gateway/leads/broadcast", body)).refused(403)["code"] == "main_agent_only"
    assert await kinds(cast, before) == []


async def test_wrong_role_gets_a_clear_refusal(cast: Cast) -> None:
    task = await cast.add_task()
    for refusal in (
        await cast.vega.post(f"/agent{cast.tasks}", {"title": "Mine"}),
        await cast.vega.delete(f"/agent{cast.task(task)}"),
        await cast.vega.post("/agent/agents", {"name": "Lyra"}),
        await cast.vega.post(f"/agent{cast.home}/gateway/main/ask-user", {"content": "Which?"}),
    ):
        told = refusal.refused(403)
        assert told["code"] == "lead_only" and "lead" in told["message"]
    for refusal in (
        await cast.atlas.post(f"/agent{cast.home}/claims", {}),
        await cast.atlas.post(f"/agent{cast.task(task)}/completions", {"fence": 0, "summary": "x"}),
    ):
        assert refusal.refused(403)["code"] == "worker_only"


async def test_people_change_a_soul_and_restore_an_earlier_one(cast: Cast) -> None:
    url = f"/agents/{cast.vega.id}"
    first = {"content": "First", "reason": "A quiet night."}
    assert (await cast.ada.call("PUT", f"{url}/soul", first)).ok()["soul_template"] == "First"
    assert (await cast.ada.call("PUT", f"{url}/soul", {"content": None})).ok()["soul_template"] is None
    (await cast.ada.call("PUT", f"{url}/soul", {"reason": "No text"})).refused(422)
    souls = (await cast.ada.get(f"{url}/souls")).ok()["items"]
    assert [(one["content"], one["reason"]) for one in souls] == [("", None), ("First", "A quiet night.")]
    restored = await cast.ada.post(f"{url}/souls/{souls[1]['id']}/restorations")
    assert restored.ok()["soul_template"] == "First"
    (await cast.ada.post(f"/agents/{cast.rigel.id}/souls/{souls[1]['id']}/restorations")).refused(404)
