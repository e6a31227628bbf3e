"""What the task, approval and agent streams say: names, keys, numbers, and to whom."""

from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.schemas import AgentRead
from mission_control.approvals.schemas import ApprovalRead
from mission_control.core import times
from mission_control.events.models import Event
from mission_control.tasks.schemas import TaskRead
from tests.cast import Cast
from tests.live.reading import Message, reading

pytestmark = pytest.mark.dialect

ACTIVITY = ["id", "event_type", "message", "agent_id", "task_id", "created_at"]


async def event_of(message: Message) -> Event:
    """The event behind a message."""
    return await Event.get(id=UUID(message.data["activity"]["id"]))


async def test_stream_starts_with_headers_and_a_comment(cast: Cast) -> None:
    for path, caller in ((cast.tasks, cast.vega), (cast.approvals, cast.dan), ("/agents", cast.ben)):
        async with reading(caller, f"{path}/stream") as stream:
            assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            assert stream.headers["Cache-Control"] == "no-store"
            assert stream.headers["X-Accel-Buffering"] == "no"
            assert "Content-Encoding" not in stream.headers
            assert stream.comments[0].startswith(": ping - ")


async def test_stream_sends_changed_tasks(cast: Cast) -> None:
    async with reading(cast.dan, f"{cast.tasks}/stream") as people, reading(cast.vega, f"{cast.tasks}/stream") as agent:
        task = await cast.add_task()
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
        (await cast.ada.patch(cast.task(task), {"title": "New"})).ok()
        messages = await people.take(3)
        assert [one.data["type"] for one in messages] == ["task.created", "task.status_changed", "task.updated"]
        for one in messages:
            assert (one.event, list(one.data)) == ("task", ["type", "activity", "task"])
            assert list(one.data["activity"]) == ACTIVITY
            assert [*one.data["task"], "waiting"] == list(TaskRead.model_fields)  # that one on demand only
            TaskRead.model_validate(one.data["task"])
            event = await event_of(one)
            assert one.id == event.seq
            activity = one.data["activity"]
            assert (activity["event_type"], activity["message"]) == (event.kind, event.message)
            assert (activity["task_id"], activity["created_at"]) == (task["id"], times.wire(event.created_at))
        assert messages[0].data["task"] == task
        assert [one.data["activity"]["agent_id"] for one in messages] == [None, str(cast.vega.id), None]
        numbers = [one.id or 0 for one in messages]
        assert numbers == sorted(set(numbers))
        assert await agent.take(3) == messages
        await people.silent()


async def test_comment_messages_carry_only_the_comment(cast: Cast) -> None:
    task = await cast.add_task()
    async with reading(cast.dan, f"{cast.tasks}/stream") as stream:
        comment = (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": "Hello."})).ok()
        message = await stream.next()
    assert list(message.data) == ["type", "activity", "comment"]
    assert (message.data["type"], message.data["comment"]) == ("task.comment", comment)
    assert message.data["activity"]["id"] == comment["id"]


async def test_deleted_comment_is_not_replayed(cast: Cast) -> None:
    task, path = await cast.add_task(), f"{cast.tasks}/stream"
    async with reading(cast.dan, path) as live:
        comment = (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": "hunter2"})).ok()
        said = await live.next()
        assert said.data["comment"] == comment
        (await cast.cleo.delete(f"{cast.task(task)}/comments/{comment['id']}")).ok()
        deleted = await live.next()
        async with reading(cast.dan, f"{path}?after={(said.id or 0) - 1}") as late:
            assert await late.next() == deleted
            await late.silent()


async def test_deleted_task_is_sent_as_null(cast: Cast) -> None:
    task = await cast.add_task()
    async with reading(cast.dan, f"{cast.tasks}/stream") as stream:
        (await cast.ada.delete(cast.task(task))).ok()
        (await cast.ada.post(f"{cast.task(task)}/restorations")).ok()
        deleted, restored = await stream.take(2)
    assert (deleted.data["type"], deleted.data["task"]) == ("task.deleted", None)
    assert (restored.data["type"], restored.data["task"]["id"]) == ("task.restored", task["id"])


async def test_stream_is_limited_to_its_board_and_kinds(cast: Cast) -> None:
    async with (
        reading(cast.ada, f"{cast.tasks}/stream") as tasks,
        reading(cast.ada, f"{cast.approvals}/stream") as asks,
    ):
        (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()
        (await cast.eve.post(f"/boards/{cast.foreign_board.id}/tasks", {"title": "Abroad"})).ok()
        (await cast.ada.patch(cast.home, {"name": "Lens"})).ok()
        approval = await cast.ask(cast.vega)
        task = await cast.add_task()
        assert (await tasks.next()).data["task"]["id"] == task["id"]
        assert (await asks.next()).data["approval"]["id"] == approval["id"]
        await tasks.silent()
        await asks.silent()


async def test_stream_sends_requested_and_decided_approvals(cast: Cast) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    async with reading(cast.dan, f"{cast.approvals}/stream") as stream:
        alone = await cast.ask(cast.vega)
        one = await cast.ask(cast.vega, first)
        path = f"{cast.approvals}/{one['id']}"
        decided = (await cast.cleo.patch(path, {"status": "approved"})).ok()
        both = await cast.ask(cast.vega, first, second)
        reopened = (await cast.cleo.patch(f"{cast.approvals}/{alone['id']}", {"status": "rejected"})).ok()
        messages = await stream.take(5)
        await stream.silent()
    assert {message.event for message in messages} == {"approval"}
    states = [message.data["approval"]["id"] for message in messages]
    assert states == [alone["id"], one["id"], one["id"], both["id"], alone["id"]]
    for message in messages:
        assert list(message.data["approval"]) == list(ApprovalRead.model_fields)
        ApprovalRead.model_validate(message.data["approval"])
    assert [list(message.data) for message in messages] == [
        ["approval", "pending_approvals_count"],
        ["approval", "pending_approvals_count", "task_counts"],
        ["approval", "pending_approvals_count", "task_counts"],
        ["approval", "pending_approvals_count", "task_counts"],
        ["approval", "pending_approvals_count"],
    ]
    assert messages[2].data["approval"] == decided and messages[4].data["approval"] == reopened
    assert set(messages[1].data["task_counts"]) == {"task_id", "approvals_count", "approvals_pending_count"}
    assert [one["task_id"] for one in messages[3].data["task_counts"]] == [first["id"], second["id"]]


async def test_approval_messages_carry_counts(cast: Cast) -> None:
    task = await cast.add_task()
    async with reading(cast.dan, f"{cast.approvals}/stream") as stream:
        approval = await cast.ask(cast.vega, task)
        asked = await stream.next()
        (await cast.cleo.patch(f"{cast.approvals}/{approval['id']}", {"status": "approved"})).ok()
        decided = await stream.next()

    def counts(message: Message) -> tuple[Any, ...]:
        of_task = message.data["task_counts"]
        pending = message.data["pending_approvals_count"]
        return pending, of_task["approvals_count"], of_task["approvals_pending_count"]

    assert counts(asked) == (1, 1, 1)
    assert counts(decided) == (0, 1, 0)


async def test_closed_approval_is_sent(cast: Cast) -> None:
    task = await cast.add_task()
    approval = await cast.ask(cast.vega, task)
    async with reading(cast.dan, f"{cast.approvals}/stream") as stream:
        (await cast.ada.delete(cast.task(task))).ok()
        message = await stream.next()
    assert (message.data["approval"]["id"], message.data["approval"]["status"]) == (approval["id"], "rejected")


async def test_stream_sends_created_changed_online_and_deleted_agents(cast: Cast) -> None:
    async with reading(cast.ben, "/agents/stream") as stream:
        wish = {"name": "Lyra", "board_id": str(cast.board.id)}
        made = (await cast.ada.post("/agents", wish)).ok()
        created = await stream.next()  # a message shows the agent as it is when it is sent
        (await cast.ada.patch(f"/agents/{made['id']}", {"name": "Lyra II"})).ok()
        changed = await stream.next()
        (await cast.ada.post(f"/agents/{made['id']}/heartbeat", {})).ok()
        seen = await stream.next()
        (await cast.ada.delete(f"/agents/{made['id']}")).ok()
        gone = await stream.next()
    assert (gone.event, gone.data) == ("agent", {"agent": None, "deleted_agent_id": made["id"]})
    for message in (created, changed, seen):
        assert (message.event, list(message.data)) == ("agent", ["agent"])
        assert set(message.data["agent"]) == set(AgentRead.model_fields)
        assert message.data["agent"]["id"] == made["id"]
    assert [one.data["agent"]["status"] for one in (created, seen)] == ["offline", "online"]
    assert changed.data["agent"]["name"] == "Lyra II"
    assert (seen.id, created.id is None) == (None, False)


async def test_first_heartbeat_is_sent_without_an_event_number(cast: Cast) -> None:
    async with reading(cast.ada, "/agents/stream") as stream:
        (await cast.vega.get("/agent/healthz")).ok()
        message = await stream.next()
    assert (message.id, message.data["agent"]["name"], message.data["agent"]["status"]) == (None, "Vega", "online")


async def test_each_heartbeat_is_sent_to_all_streams(cast: Cast) -> None:
    async with reading(cast.ada, "/agents/stream") as one, reading(cast.ben, "/agents/stream") as other:
        moments = []
        for _ in range(3):
            seen = (await cast.vega.post("/agent/heartbeat", {})).ok()["last_seen_at"]
            messages = [await one.next(), await other.next()]
            assert [message.data["agent"]["last_seen_at"] for message in messages] == [seen, seen]
            moments.append(seen)
    assert moments == sorted(set(moments))


async def test_agent_stream_of_one_board(cast: Cast) -> None:
    path = f"/agents/stream?board_id={cast.other_board.id}"
    async with reading(cast.ada, path) as stream:
        (await cast.vega.get("/agent/healthz")).ok()
        (await cast.mira.get("/agent/healthz")).ok()
        assert (await stream.next()).data["agent"]["name"] == "Mira"
