"""What a claim tells about its task, so that nothing else has to be read."""

from base64 import b64encode
from typing import Any

from mission_control.boards.models import Board
from tests.cast import Cast
from tests.claiming import claim, release, taken
from tests.statements import counted

EMPTY: dict[str, Any] = {"criteria": [], "steps": [], "comments": [], "comments_total": 0, "files": [], "asks": []}


async def test_claim_of_a_new_task_has_an_empty_brief(cast: Cast) -> None:
    await cast.add_task()
    body = (await claim(cast)).ok()
    assert body["why"] == {"kind": "new", "text": "It is new."}
    assert {name: body[name] for name in EMPTY} == EMPTY and (body["brief"], body["earlier"]) == ("", [])


async def test_claim_tells_all_that_is_known(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"brief": "Work **quietly**.", "require_approval_for_done": False})).ok()
    task = await cast.add_task(title="Polish")
    for text, is_criterion in (("No scratch", True), ("Fetch sand", False), ("It shines", True)):
        (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": text, "is_criterion": is_criterion})).ok()
    for number in range(12):
        (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": f"Word {number}"})).ok()
    first = await taken(cast)
    (await release(cast, first, fence=1, reason="No sand here.")).ok()
    body = (await claim(cast, task_id=task["id"])).ok()
    assert body["why"] == {"kind": "new", "text": "1 earlier attempt did not finish it."}
    assert body["brief"] == "Work **quietly**."
    assert [(one["text"], one["is_done"]) for one in body["criteria"]] == [("No scratch", False), ("It shines", False)]
    assert [one["text"] for one in body["steps"]] == ["Fetch sand"]
    assert [(one["author"], one["message"]) for one in body["comments"]] == [
        ("Cleo", f"Word {number}") for number in range(2, 12)
    ]
    assert body["comments_total"] == 12
    assert body["earlier"] == ["Attempt 1 by Vega, given back: No sand here."]


async def test_claim_of_rework_tells_the_note(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"require_approval_for_done": True})).ok()
    await cast.add_task()
    task = await taken(cast)
    file = {"name": "log.txt", "content_base64": b64encode(b"clear").decode()}
    work = {"fence": 1, "summary": "It shines.", "checked": "By eye.", "artifacts": [file]}
    asked = (await cast.vega.post(f"/agent{cast.task(task)}/completions", work)).ok()["approval"]
    note = {"status": "rejected", "decision": "changes_requested", "note": "Needs sources."}
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", note)).ok()
    body = (await claim(cast)).ok()
    assert body["why"] == {"kind": "rework", "text": "It was sent back: Ada asks for changes: Needs sources."}
    assert body["earlier"] == ["Attempt 1 by Vega, handed in: It shines."]
    [ask] = body["asks"]
    assert (ask["kind"], ask["text"], ask["state"], ask["answer"], ask["answered_by"]) == (
        "approval", "Finish: It shines.", "changes_requested", "Needs sources.", "Ada",
    )  # fmt: skip
    [found] = body["files"]
    assert (found["name"], found["size"]) == ("log.txt", 5)


async def test_claim_of_rework_that_a_person_moved_back_tells_the_comment(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(require_approval_for_done=False)
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"is_board_lead": False})).ok()
    await cast.add_task()
    task = await taken(cast)
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", {"fence": 1, "summary": "It shines."})).ok()
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "It is dull."})).ok()
    (await cast.ada.patch(cast.task(task), {"status": "inbox", "assigned_agent_id": str(cast.vega.id)})).ok()
    body = (await claim(cast)).ok()
    assert body["why"] == {"kind": "rework", "text": "It was sent back. Ada: It is dull."}


async def test_claim_by_name_of_a_held_task_tells_its_questions(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    question = (await cast.vega.post(f"/agent{cast.home}/questions", {"content": "Which sand?"})).ok()
    (await cast.ada.post(f"{cast.home}/questions/{question['id']}/answers", {"answer": "White sand"})).ok()
    (await cast.vega.post(f"/agent{cast.home}/questions", {"content": "How much?"})).ok()
    body = (await claim(cast, task_id=task["id"])).ok()
    assert body["why"]["kind"] == "held"
    assert [(one["kind"], one["text"], one["state"], one["answer"], one["answered_by"]) for one in body["asks"]] == [
        ("question", "Which sand?", "answered", "White sand", "Ada"),
        ("question", "How much?", "open", None, None),
    ]


async def test_brief_is_one_statement(cast: Cast) -> None:
    await cast.add_task()
    with counted() as made:
        (await claim(cast)).ok()
    assert sum("task_checklist_items" in one for one in made) == 1
    assert sum("agent_questions" in one for one in made) <= 3
