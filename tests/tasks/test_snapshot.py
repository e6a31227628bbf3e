"""A board at one moment: everything on it, in the right order, with counts and where a stream goes on."""

import pytest

from mission_control.boards.schemas import BoardRead
from tests.cast import Cast, head, ids

pytestmark = pytest.mark.dialect

CARD = {"assignee", "approvals_count", "approvals_pending_count", "comments_count"}


async def test_snapshot_holds_the_whole_board(cast: Cast) -> None:
    first = await cast.add_task(assigned_agent_id=cast.vega.id)
    second = await cast.add_task(assigned_user_id=cast.cleo.id)
    gone = await cast.add_task()
    (await cast.ada.post(f"{cast.task(first)}/comments", {"message": "One."})).ok()
    old = await cast.ask(cast.vega, first)
    (await cast.cleo.patch(f"{cast.approvals}/{old['id']}", {"status": "approved"})).ok()
    new = await cast.ask(cast.vega, first, second)
    (await cast.ada.delete(cast.task(gone))).ok()
    for _ in range(2):  # to take the news, which would change the log beside the answer
        (await cast.vega.post("/agent/heartbeat", None)).ok()
    for caller in (cast.dan, cast.vega):
        seen = (await caller.get(f"{cast.home}/snapshot")).ok()
        assert list(seen) == [
            "board", "tasks", "agents", "approvals", "chat_messages", "pending_approvals_count", "seq",
        ]  # fmt: skip
        assert list(seen["board"]) == list(BoardRead.model_fields)
        assert ids(seen["tasks"]) == [second["id"], first["id"]]
        assert set(seen["tasks"][0]) - set(first) == CARD
        assert [one["assignee"] for one in seen["tasks"]] == ["Cleo", "Vega"]
        counts = [(one["approvals_count"], one["approvals_pending_count"]) for one in seen["tasks"]]
        assert counts == [(1, 1), (2, 1)]
        assert [one["comments_count"] for one in seen["tasks"]] == [0, 1]
        assert [one["name"] for one in seen["agents"]] == ["Rigel Orion", "Vega", "Atlas"]
        assert ids(seen["approvals"]) == [new["id"], old["id"]]
        assert (seen["chat_messages"], seen["pending_approvals_count"]) == ([], 1)
        assert seen["seq"] == await head(cast)


async def test_snapshot_of_an_empty_board(cast: Cast) -> None:
    seen = (await cast.mira.get(f"/boards/{cast.other_board.id}/snapshot")).ok()
    assert (seen["tasks"], seen["approvals"], seen["pending_approvals_count"]) == ([], [], 0)
