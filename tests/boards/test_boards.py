"""Boards: made, read, listed, changed, deleted; by whom; and what was recorded."""

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.tasks.models import Task
from tests.cast import Cast, events, head, kinds

pytestmark = pytest.mark.dialect

KEYS = [
    "name", "slug", "description", "gateway_id", "board_group_id", "board_type", "objective", "success_metrics",
    "target_date", "goal_confirmed", "goal_source", "require_approval_for_done", "require_review_before_done",
    "comment_required_for_review", "block_status_changes_with_pending_approval", "only_lead_can_change_status",
    "done_when_merged", "done_needs", "approvals_needed", "programs_need_quorum", "escalation", "max_agents",
    "wip_limits", "brief", "resume_after_seconds", "session_detail",
    "call_rules", "codex_wait_seconds", "work_state", "work_state_reason",
    "work_state_at", "id", "organization_id", "created_at", "updated_at",
]  # fmt: skip
NEW = {"name": "Mirror", "slug": "mirror", "description": "Polish the mirror."}


async def test_owner_and_admin_create_boards(cast: Cast) -> None:
    for person in (cast.ada, cast.ben):
        before = await head(cast)
        board = (await person.post("/boards", NEW)).ok()
        assert list(board) == KEYS
        assert board["require_approval_for_done"] is True and board["max_agents"] == 1
        assert board["gateway_id"] is None and board["board_type"] == "goal"
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_kind, event.actor_id, event.agent_id) == (
            "board.created", "user", person.id, None,
        )  # fmt: skip
        assert str(event.board_id) == board["id"] and orjson.loads(event.data) == {"name": "Mirror"}


async def test_confirmed_goal_needs_an_objective_and_metrics(cast: Cast) -> None:
    for goal in ({}, {"objective": "o", "success_metrics": {}}):
        [item] = (await cast.ada.post("/boards", NEW | {"goal_confirmed": True, **goal})).refused(422)
        assert (item["loc"], item["type"]) == (["body"], "value_error")


@pytest.mark.parametrize("name", ["gateway_id", "board_group_id"])
async def test_unknown_references_are_refused(cast: Cast, name: str) -> None:
    link = {name: str(cast.board.id)}
    assert isinstance((await cast.ada.post("/boards", NEW | link)).refused(422), str)
    assert isinstance((await cast.ada.patch(cast.home, link)).refused(422), str)


async def test_complete_confirmed_goal_is_accepted(cast: Cast) -> None:
    goal = {"goal_confirmed": True, "objective": "See far.", "success_metrics": {"nights": 3}}
    board = (await cast.ada.post("/boards", NEW | goal | {"target_date": "2026-12-01T10:00:00+02:00"})).ok()
    assert board["success_metrics"] == {"nights": 3}
    assert board["target_date"] == "2026-12-01T08:00:00Z"


async def test_list_holds_reachable_boards_by_name(cast: Cast) -> None:
    for name in ("alpha", "Beta"):
        (await cast.ada.post("/boards", NEW | {"name": name})).ok()
    listed = (await cast.ada.get("/boards")).ok()
    assert list(listed) == ["items", "total", "limit", "offset"]
    assert [one["name"] for one in listed["items"]] == ["alpha", "Beta", "Dome", "Telescope"]
    assert (listed["total"], listed["limit"], listed["offset"]) == (4, 200, 0)
    page = (await cast.ada.get("/boards?limit=1&offset=2")).ok()
    assert ([one["name"] for one in page["items"]], page["total"]) == (["Dome"], 4)
    for person in (cast.cleo, cast.dan):
        assert [one["name"] for one in (await person.get("/boards")).ok()["items"]] == ["Telescope"]
    assert [one["name"] for one in (await cast.eve.get("/boards")).ok()["items"]] == ["Cellar"]
    assert (await cast.ada.get(f"/boards?gateway_id={cast.board.id}")).ok()["items"] == []
    assert (await cast.ada.get(f"/boards?board_group_id={cast.board.id}")).ok()["items"] == []


async def test_board_is_read_by_id(cast: Cast) -> None:
    for person in (cast.ada, cast.ben, cast.cleo, cast.dan):
        assert list((await person.get(cast.home)).ok()) == KEYS
    assert "An id is wanted" in (await cast.ada.get("/boards/not-an-id")).refused(404)


async def test_writer_changes_a_board_and_the_event_lists_fields(cast: Cast) -> None:
    before = await head(cast)
    board = (await cast.cleo.patch(cast.home, {"name": "Lens", "max_agents": 3, "objective": None})).ok()
    assert board["name"] == "Lens"
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id) == ("board.updated", cast.cleo.id)
    assert orjson.loads(event.data) == {"before": {"name": "Telescope"}, "after": {"name": "Lens"}}


async def test_unchanged_board_records_no_event(cast: Cast) -> None:
    before, known = await head(cast), (await cast.ada.get(cast.home)).ok()
    assert (await cast.ada.patch(cast.home, {})).ok() == known
    assert (await cast.ada.patch(cast.home, {"name": known["name"]})).ok() == known
    assert await kinds(cast, before) == []


@pytest.mark.parametrize("name", [
    "name", "slug", "description", "board_type", "goal_confirmed", "require_approval_for_done", "max_agents",
    "require_review_before_done", "comment_required_for_review", "only_lead_can_change_status",
])  # fmt: skip
async def test_null_is_refused_for_required_fields(cast: Cast, name: str) -> None:
    [item] = (await cast.ada.patch(cast.home, {name: None})).refused(422)
    assert item["loc"] == ["body", name]


async def test_gateway_can_be_unset(cast: Cast) -> None:
    assert (await cast.ada.patch(cast.home, {"gateway_id": None})).ok()["gateway_id"] is None


async def test_goal_board_needs_an_objective(cast: Cast) -> None:
    await cast.rule(board_type="general")
    assert isinstance((await cast.ada.patch(cast.home, {"board_type": "goal"})).refused(422), str)
    await Board.filter(id=cast.board.id).update(board_type="goal")  # as it is made; sent again it is held to the same
    assert isinstance((await cast.ada.patch(cast.home, {"board_type": "goal"})).refused(422), str)
    await Board.filter(id=cast.board.id).update(board_type="general")
    whole = {"board_type": "goal", "objective": "See.", "success_metrics": {"a": 1}}
    assert (await cast.ada.patch(cast.home, whole)).ok()["board_type"] == "goal"


async def test_deleting_a_board_keeps_only_the_log(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.ask(None, task)
    written = await head(cast)
    await cast.erase(cast.board.id, cast.ben)
    assert (await cast.ada.get(cast.home)).refused(404) == "Not Found"
    assert await Task.all().count() == await Approval.all().count() == 0
    assert await Agent.filter(board_id=cast.board.id).count() == 0
    assert (await cast.vega.get("/agent/healthz")).refused(401) == "Unauthorized"
    assert await kinds(cast, written) == [("board.deleted", None), ("board.erased", None)]
    assert len(await events(organization_id=cast.organization.id)) == written + 2
