"""Tasks that are parts of others: which parents are refused, what parts hold up, and what happens when one goes."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.cast import Answer, Cast, events, head, ids

pytestmark = pytest.mark.dialect


async def part_of(cast: Cast, parent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await cast.add_task(parent_id=parent["id"], **fields)


async def read(cast: Cast, task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.ada.get(cast.task(task))).ok()
    return found


async def found(cast: Cast, query: str) -> list[int]:
    return sorted(one["number"] for one in (await cast.ada.get(f"{cast.tasks}?query={query}")).ok()["items"])


async def test_parent_counts_its_parts(cast: Cast) -> None:
    parent = await cast.add_task()
    first, second = await part_of(cast, parent), await part_of(cast, parent, blocks_parent=True)
    assert (first["parent_id"], first["blocks_parent"]) == (parent["id"], False) and second["blocks_parent"]
    assert ((await read(cast, parent))["parts_count"], (await read(cast, parent))["parts_done_count"]) == (2, 0)
    await cast.ada.patch(cast.task(first), {"status": "done"})
    assert (await read(cast, parent))["parts_done_count"] == 1
    (await cast.ada.post(f"{cast.task(first)}/archivals")).ok()
    assert (await read(cast, parent))["parts_done_count"] == 1
    (await cast.ada.delete(cast.task(first))).ok()
    listed = {one["id"]: one for one in (await cast.ada.get(cast.tasks)).ok()["items"]}
    assert listed[parent["id"]]["parts_count"] == (await read(cast, parent))["parts_count"] == 1
    (await cast.ada.post(f"{cast.task(first)}/restorations")).ok()
    assert (await read(cast, parent))["parts_done_count"] == 1


@pytest.mark.parametrize("role", ["person", "lead"])
async def test_impossible_parents_are_refused(cast: Cast, role: str) -> None:
    caller = cast.ada if role == "person" else cast.atlas
    top = await cast.add_task()
    middle = await part_of(cast, top)
    low = await part_of(cast, middle)
    other = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()

    async def moved(task: dict[str, Any], parent_id: str | None) -> Any:
        return await caller.patch(cast.task(task), {"parent_id": parent_id})

    assert "itself" in (await moved(top, top["id"])).refused(422)
    assert "own parts" in (await moved(top, low["id"])).refused(409)
    for stranger in (other["id"], str(uuid4())):
        assert "not a task of this board" in (await moved(top, stranger)).refused(404)
        assert (await cast.ada.post(cast.tasks, {"title": "New", "parent_id": stranger})).status == 404
    (await cast.ada.delete(cast.task(middle))).ok()
    assert (await moved(top, low["id"])).status == 409  # a deleted one between them can come back
    assert (await moved(top, middle["id"])).status == 404
    assert (await moved(low, None)).ok()["parent_id"] is None
    assert (await moved(top, low["id"])).ok()["parent_id"] == low["id"]


async def test_workers_change_no_parents(cast: Cast) -> None:
    parent, task = await cast.add_task(), await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"parent_id": parent["id"]})).refused_as(403, "task_update_field_forbidden")


async def test_concurrent_edits_form_no_cycle(cast: Cast) -> None:
    one, two = await cast.add_task(), await cast.add_task()
    answers = await asyncio.gather(
        cast.ada.patch(cast.task(one), {"parent_id": two["id"]}),
        cast.cleo.patch(cast.task(two), {"parent_id": one["id"]}),
    )
    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_open_blocking_part_holds_its_parent_up(cast: Cast) -> None:
    parent = await cast.add_task(assigned_agent_id=cast.vega.id, status="in_progress")
    await part_of(cast, parent)
    part = await part_of(cast, parent, blocks_parent=True)
    fence = (await read(cast, parent))["fence"]
    handed_in = {"fence": fence, "summary": "All of it."}
    for status in ("review", "done"):
        detail = (await cast.ada.patch(cast.task(parent), {"status": status})).refused_as(409, "task_parts_open")
        assert detail["blocked_by_task_ids"] == [part["id"]]
    completion = f"/agent{cast.task(parent)}/completions"
    (await cast.vega.post(completion, handed_in)).refused_as(409, "task_parts_open")
    reasons = (await cast.ada.get(f"{cast.task(parent)}/waiting")).ok()["reasons"]
    [reason] = [one for one in reasons if one["kind"] == "part"]
    assert ids(reason["tasks"]) == [part["id"]]
    assert reason["text"] == f"It cannot be handed in before #{part['number']} {part['title']} is done."
    (await cast.ada.patch(cast.task(part), {"status": "done"})).ok()
    (await cast.vega.post(completion, handed_in)).ok()


async def test_claim_passes_over_what_its_parts_hold_up(cast: Cast) -> None:
    parent = await cast.add_task(priority="critical")
    part = await part_of(cast, parent, blocks_parent=True)
    claims = f"/agent{cast.home}/claims"
    named = (await cast.vega.post(claims, {"task_id": parent["id"]})).refused_as(409, "task_not_claimable")
    assert "Parts of this task" in named["message"]
    assert (await cast.vega.post(claims)).ok()["task"]["id"] == part["id"]
    waits = asyncio.create_task(cast.vega.post(claims, {"wait_seconds": 10}))
    await asyncio.sleep(0.2)
    (await cast.ada.patch(cast.task(part), {"blocks_parent": False})).ok()
    assert (await waits).ok()["task"]["id"] == parent["id"]


async def test_parent_hears_of_its_parts(cast: Cast) -> None:
    parent = await cast.add_task(assigned_agent_id=cast.vega.id)
    since = await head(cast)
    part = await part_of(cast, parent, blocks_parent=True, title="Lens")
    (await cast.ada.patch(cast.task(part), {"status": "done"})).ok()
    (await cast.ada.patch(cast.task(part), {"status": "inbox"})).ok()
    (await cast.ada.patch(cast.task(part), {"parent_id": None})).ok()
    told = [one.message for one in await events(since, task_id=parent["id"], kind="task.updated")]
    assert told == [
        f"A part {what}: Lens." for what in ("was added", "was finished", "was opened again", "was taken away")
    ]
    inbox = (await cast.vega.get("/agent/inbox")).ok()["items"]
    assert [one["header"] for one in inbox].count("TASK UNBLOCKED") == 2


async def test_deleting_a_parent_leaves_its_parts(cast: Cast) -> None:
    parent = await cast.add_task()
    part = await part_of(cast, parent)
    (await cast.ada.delete(cast.task(parent))).ok()
    assert (await read(cast, part))["status"] == "inbox" and await found(cast, "parent:none") == [part["number"]]
    (await cast.ada.post(f"{cast.task(parent)}/erasures")).ok()
    assert (await read(cast, part))["parent_id"] is None


async def test_query_finds_parents_and_parts(cast: Cast) -> None:
    parent, other = await cast.add_task(), await cast.add_task()
    part = await part_of(cast, parent)
    number = parent["number"]
    for query in (f"parent:{number}", f"parent:%23{number}", f"parent:{parent['id']}", "-parent:none"):
        assert await found(cast, query) == [part["number"]], query
    assert await found(cast, "has:parts") == [number]
    assert await found(cast, "-has:parts") == [other["number"], part["number"]]
    assert await found(cast, "parent:none") == [number, other["number"]]


async def test_line_names_the_parent(cast: Cast) -> None:
    parent = await cast.add_task()
    made = (await cast.ada.post(f"{cast.tasks}/lines", {"text": f"Grind parent:#{parent['number']} the lens"})).ok()
    assert (made["title"], made["parent_id"]) == ("Grind the lens", parent["id"])
    assert (await cast.ada.post(f"{cast.tasks}/lines", {"text": "Grind parent:99"})).ok()["title"] == "Grind parent:99"


async def test_copy_is_a_part_beside_the_original(cast: Cast) -> None:
    parent = await cast.add_task()
    part = await part_of(cast, parent, blocks_parent=True)
    copy = (await cast.ada.post(f"{cast.task(part)}/duplicates")).ok()
    assert (copy["parent_id"], copy["blocks_parent"]) == (parent["id"], True)
    assert (await cast.ada.post(f"{cast.task(parent)}/duplicates")).ok()["parts_count"] == 0


async def test_links_are_read_from_both_ends(cast: Cast) -> None:
    task, other = await cast.add_task(), await cast.add_task()
    new = {"kind": "duplicate_of", "task_id": other["id"]}
    since = await head(cast)
    link = (await cast.vega.post(f"{cast.task(task)}/links", new)).ok()
    assert link["task"]["number"] == other["number"] and link["is_reverse"] is False
    assert (await cast.ada.post(f"{cast.task(task)}/links", new)).ok() == link
    assert [one.kind for one in await events(since, kind="task.linked")] == ["task.linked"]
    [back] = (await cast.dan.get(f"{cast.task(other)}/links")).ok()["items"]
    assert (back["is_reverse"], back["task"]["id"], back["id"]) == (True, task["id"], link["id"])
    (await cast.ada.post(f"{cast.task(task)}/links", new | {"task_id": task["id"]})).refused(422)
    (await cast.ada.post(f"{cast.task(task)}/links", new | {"task_id": str(uuid4())})).refused(404)
    (await cast.ada.post(f"{cast.task(task)}/links", new | {"kind": "like"})).refused(422)
    (await cast.ada.delete(cast.task(other))).ok()
    assert (await cast.ada.get(f"{cast.task(task)}/links")).ok()["total"] == 0
    (await cast.ada.post(f"{cast.task(other)}/restorations")).ok()
    (await cast.ada.delete(f"{cast.task(task)}/links/{link['id']}")).ok()
    (await cast.ada.delete(f"{cast.task(task)}/links/{link['id']}")).refused(404)
    assert ids((await cast.ada.get(f"{cast.task(other)}/links")).ok()["items"]) == []


@pytest.mark.parametrize(("kind", "words"), [("duplicate_of", "is a duplicate of"), ("found_in", "was found in")])
async def test_links_of_a_kind_form_no_circle(cast: Cast, kind: str, words: str) -> None:
    first, second, third = [await cast.add_task() for _ in range(3)]

    async def link(task: dict[str, Any], to: dict[str, Any], kind: str = kind) -> Answer:
        return await cast.ada.post(f"{cast.task(task)}/links", {"kind": kind, "task_id": to["id"]})

    (await link(first, second)).ok()
    (await link(second, third)).ok()
    said = (await link(second, first)).refused(409)
    assert said == f"#1 {words} #2 already, by itself or through other tasks. Remove that link first."
    assert (await link(third, first)).refused(409).startswith(f"#1 {words} #3")
    (await link(second, first, "found_in" if kind == "duplicate_of" else "duplicate_of")).ok()
    (await cast.ada.delete(cast.task(second))).ok()
    (await link(third, first)).ok()
