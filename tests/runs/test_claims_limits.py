"""WIP limits of agents and of columns: claims stop while one is reached; people may exceed it."""

import asyncio
from typing import Any

import orjson
import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast, events, head
from tests.claiming import claim, release, taken, title_of_next
from tests.things import bring

pytestmark = pytest.mark.dialect


async def limit(cast: Cast, **limits: int | None) -> None:
    """Set the limits of the board's columns."""
    (await cast.ada.patch(cast.home, {"wip_limits": limits or None})).ok()


async def several(cast: Cast, count: int, **fields: Any) -> list[dict[str, Any]]:
    """So many tasks."""
    return [await cast.add_task(title=f"Task {number}", **fields) for number in range(count)]


async def test_agent_wip_limit_is_enforced(cast: Cast) -> None:
    first, second, *_ = await several(cast, 4)
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 1})).ok()
    held = await taken(cast)
    assert await title_of_next(cast) is None
    refused = (await claim(cast, task_id=second["id"])).refused(409)
    assert refused["code"] == "wip_limit_reached" and "1 of 1" in refused["message"]
    by_patch = (await cast.vega.patch(cast.task(second), {"status": "in_progress"})).refused(409)
    assert by_patch["code"] == "wip_limit_reached"
    given = {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)}
    assert (await cast.atlas.patch(cast.task(second), given)).refused(409)["code"] == "wip_limit_reached"
    assert (await claim(cast, task_id=held["id"])).ok()["lease"]["fence"] == 1, "renewing is no hand-out"
    assert (await taken(cast, cast.rigel))["id"] == second["id"]
    (await release(cast, held, fence=1)).ok()
    assert await title_of_next(cast, task_id=first["id"]) == first["title"]


@pytest.mark.parametrize(("column", "status"), [("in_progress", "in_progress"), ("review", "review")])
async def test_full_column_blocks_assignment(cast: Cast, column: str, status: str) -> None:
    there = (await several(cast, 2, status=status))[0]
    free = await cast.add_task(title="free")
    await limit(cast, **{column: 2})
    assert await title_of_next(cast) is None
    assert (await claim(cast, task_id=free["id"])).refused(409)["code"] == "wip_limit_reached"
    assert (await cast.vega.patch(cast.task(free), {"status": "in_progress"})).refused(409)["code"] == (
        "wip_limit_reached"
    )
    (await cast.ada.delete(cast.task(there))).ok()
    assert await title_of_next(cast) == "free"


async def test_people_can_exceed_limits(cast: Cast) -> None:
    await limit(cast, in_progress=1)
    for task in await several(cast, 3):
        sent = {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)}
        (await cast.cleo.patch(cast.task(task), sent)).ok()
    assert await Task.filter(status="in_progress").count() == 3
    (await cast.ada.post(cast.tasks, {"title": "One more", **sent})).ok()


async def test_lead_cannot_create_a_task_over_a_limit(cast: Cast) -> None:
    await limit(cast, in_progress=1)
    new = {"title": "Polish", "status": "in_progress", "assigned_agent_id": str(cast.vega.id)}
    (await cast.atlas.post(f"/agent{cast.tasks}", new)).ok()
    assert (await cast.atlas.post(f"/agent{cast.tasks}", new)).refused(409)["code"] == "wip_limit_reached"
    (await cast.atlas.post(f"/agent{cast.tasks}", new | {"status": "inbox"})).ok()


async def test_task_in_progress_does_not_count_against_itself(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress")
    await limit(cast, in_progress=1)
    assert (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()["fence"] == 1


async def test_concurrent_claims_keep_both_limits(cast: Cast) -> None:
    await several(cast, 12)
    await limit(cast, in_progress=3)
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"wip_limit": 2})).ok()
    answers = await asyncio.gather(*(claim(cast, by) for by in (cast.vega, cast.rigel) * 6))
    handed_out = [answer.ok()["task"] for answer in answers if answer.ok()["task"] is not None]
    assert len(handed_out) == 3 and len({task["id"] for task in handed_out}) == 3
    assert sum(task["assigned_agent_id"] == str(cast.vega.id) for task in handed_out) <= 2


async def test_concurrent_patches_keep_the_limit(cast: Cast) -> None:
    tasks = await several(cast, 8)
    await limit(cast, in_progress=2)
    begin = {"status": "in_progress"}
    answers = await asyncio.gather(
        *((cast.vega, cast.rigel)[n % 2].patch(cast.task(task), begin) for n, task in enumerate(tasks))
    )
    assert sorted(answer.status for answer in answers) == [200] * 2 + [409] * 6
    assert await Task.filter(status="in_progress").count() == 2


# The fields


async def test_limits_are_fields_of_agents_and_boards(cast: Cast) -> None:
    before = await head(cast)
    fields = {"wip_limit": 2, "claim_tags": ["glass", "heavy-metal", "glass"]}
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": str(cast.board.id), **fields})).ok()
    assert (made["wip_limit"], made["claim_tags"]) == (2, ["glass", "heavy-metal"])
    changed = (await cast.ada.patch(f"/agents/{made['id']}", {"wip_limit": None, "claim_tags": []})).ok()
    assert (changed["wip_limit"], changed["claim_tags"]) == (None, None)
    event = (await events(before, organization_id=cast.organization.id))[-1]
    assert event.kind == "agent.updated" and orjson.loads(event.data)["after"] == {
        "wip_limit": None,
        "claim_tags": None,
    }
    limits = {"in_progress": 3, "review": None}
    board = (await cast.ada.patch(cast.home, {"wip_limits": limits})).ok()
    assert board["wip_limits"] == {"in_progress": 3}
    assert (await cast.vega.get(f"/agent{cast.home}")).ok()["wip_limits"] == {"in_progress": 3}
    for nothing in ({}, None, {"review": None}):
        assert (await cast.ada.patch(cast.home, {"wip_limits": nothing})).ok()["wip_limits"] is None
    new = {"name": "Dome", "slug": "dome", "description": "Turn.", "wip_limits": {"review": 1}}
    assert (await cast.ada.post("/boards", new)).ok()["wip_limits"] == {"review": 1}


async def test_export_holds_the_boards_limits(cast: Cast) -> None:
    await limit(cast, in_progress=3, review=2)
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert file["board"]["wip_limits"] == {"in_progress": 3, "review": 2}
    file["board"]["slug"] = "copy"
    assert (await bring(cast.ada, file))["board"]["wip_limits"] == {"in_progress": 3, "review": 2}
