"""Moving cards: into a column, and within it."""

from typing import Any
from uuid import uuid4

import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast, head, kinds

pytestmark = pytest.mark.dialect


async def move(cast: Cast, task: Any, by: Any = None, **body: Any) -> Any:
    """Send a card somewhere."""
    return await (by or cast.cleo).post(f"{cast.task(task)}/moves", body)


async def column(cast: Cast, status: str) -> list[str]:
    """The titles of a column, from the top."""
    return [one["title"] for one in (await cast.ada.get(f"{cast.tasks}?status={status}&sort=position")).ok()["items"]]


async def test_cards_move_between_and_within_columns(cast: Cast) -> None:
    a, b, c = [await cast.add_task(title=title) for title in "abc"]
    assert await column(cast, "inbox") == ["c", "b", "a"]
    assert (await move(cast, a, status="inbox", before_task_id=b["id"])).ok()["id"] == a["id"]
    assert await column(cast, "inbox") == ["c", "a", "b"]
    (await move(cast, c, status="inbox", after_task_id=b["id"])).ok()
    assert await column(cast, "inbox") == ["a", "b", "c"]
    assert (await move(cast, b, status="review")).ok()["status"] == "review"
    (await move(cast, a, status="review", after_task_id=b["id"])).ok()
    assert await column(cast, "review") == ["b", "a"]


async def test_column_without_gaps_is_renumbered(cast: Cast) -> None:
    a, b, c = [await cast.add_task(title=title) for title in "abc"]
    for at, task in enumerate((a, b, c)):
        await cast.put(task, position=1.0 if at < 2 else 5.0)
    top = (await column(cast, "inbox"))[1]
    neighbour = b if top == "b" else a
    (await move(cast, c, status="inbox", before_task_id=neighbour["id"])).ok()
    assert (await column(cast, "inbox"))[1] == "c"
    assert len({one.position for one in await Task.all()}) == 3


async def test_moves_are_recorded(cast: Cast) -> None:
    a, b = await cast.add_task(), await cast.add_task()
    before = await head(cast)
    (await move(cast, a, status="inbox")).ok()
    assert await kinds(cast, before) == []
    (await move(cast, a, status="in_progress", by=cast.vega)).ok()
    (await move(cast, b, status="inbox", by=cast.ada)).ok()
    assert await kinds(cast, before) == [("task.status_changed", cast.vega.id)]


async def test_move_names_one_neighbour(cast: Cast) -> None:
    both = {"status": "done", "before_task_id": str(uuid4()), "after_task_id": str(uuid4())}
    [item] = (await cast.ada.post(f"{cast.task(await cast.add_task())}/moves", both)).refused(422)
    assert item["loc"] == ["body"]


async def test_neighbour_in_another_column_changes_nothing(cast: Cast) -> None:
    a, b = await cast.add_task(), await cast.add_task()
    before = await head(cast)
    for neighbour in (b["id"], str(uuid4()), a["id"]):
        (await move(cast, a, status="review", before_task_id=neighbour)).refused(404)
    assert (await cast.ada.get(cast.task(a))).ok()["status"] == "inbox"
    assert await kinds(cast, before) == []


@pytest.mark.parametrize("place", [{"place": "top"}, {"before_task_id": ...}])
async def test_task_opens_again_above_one_that_it_sends_back(cast: Cast, place: Any) -> None:
    first, other = await cast.add_task(title="first"), await cast.add_task(title="other")
    waits = await cast.add_task(title="waits", depends_on_task_ids=[first["id"]])
    for task, status in ((first, "done"), (other, "review"), (waits, "review")):
        (await move(cast, task, status=status)).ok()
    sent = {name: waits["id"] if value is ... else value for name, value in place.items()}
    (await move(cast, first, status="review", **sent)).ok()
    assert (await column(cast, "review"), await column(cast, "inbox")) == (["first", "other"], ["waits"])


async def test_moves_follow_the_board_rules(cast: Cast) -> None:
    first = await cast.add_task()
    waits = await cast.add_task(depends_on_task_ids=[first["id"]])
    for caller in (cast.ada, cast.vega):
        detail = (await move(cast, waits, by=caller, status="in_progress")).refused(409)
        assert detail["code"] == "task_blocked_cannot_transition"
    await cast.rule(require_review_before_done=True)
    assert (await move(cast, first, status="done")).refused(409)["code"] == "task_review_required"
    (await move(cast, first, by=cast.atlas, status="done")).refused(403)


async def test_person_approves_and_finishes_in_one_move(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    assert (await move(cast, task, status="done")).refused(409)["code"] == "task_approval_required"
    assert (await move(cast, task, by=cast.atlas, status="done", approve=True)).status == 403
    before = await head(cast)
    assert (await move(cast, task, status="done", approve=True)).ok()["status"] == "done"
    assert [kind for kind, _ in await kinds(cast, before)][:2] == ["approval.requested", "task.status_changed"]


async def test_move_can_assign_the_task(cast: Cast) -> None:
    task = await cast.add_task()
    moved = (await move(cast, task, status="in_progress", assigned_agent_id=str(cast.vega.id))).ok()
    assert (moved["status"], moved["assigned_agent_id"]) == ("in_progress", str(cast.vega.id))
    (await move(cast, task, by=cast.rigel, status="review", assigned_user_id=str(cast.cleo.id))).refused(403)
    assert (await Task.get(id=task["id"])).status == "in_progress"
