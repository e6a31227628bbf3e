"""What waits for people: found with their rights, said with its answers, and what happens with each."""

from typing import Any

from tests.cast import Caller, Cast, everybody
from tests.statements import cost


async def needs(caller: Caller, query: str = "") -> dict[str, Any]:
    """The list of somebody."""
    body: dict[str, Any] = (await caller.get(f"/needs{query}")).ok()
    return body


async def ask_question(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A question of Atlas with two options."""
    options = [
        {"label": "The wide one", "outcome": "I mount it tonight.", "recommended": True},
        {"label": "The long one"},
    ]
    asked = {"content": "Which lens?\nBoth are clean.", "options": options, **fields}
    body: dict[str, Any] = (await cast.atlas.post(f"/agent{cast.home}/questions", asked)).ok()
    return body


async def test_approval_says_what_is_asked_and_what_follows(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror", status="review")
    asked = await cast.ask(cast.vega, task, action_type="task.finish", confidence=84)
    [one] = (await needs(cast.cleo))["items"]
    assert one["id"] == f"approval:{asked['id']}"
    assert (one["kind"], one["group"], one["title"]) == (
        "approval",
        "answer",
        "Approve: Vega finishes #1 Polish the mirror",
    )
    assert (one["reason"], one["agent"]["name"], one["person"]) == ("It is ready.", "Vega", None)
    assert (one["board"]["name"], one["tasks"][0]["number"]) == ("Telescope", 1)
    assert [fact["text"] for fact in one["facts"]] == ["Vega", "84 % sure"]
    assert [(answer["id"], answer["key"], answer["note"]) for answer in one["answers"]] == [
        ("approve", "A", "optional"),
        ("send_back", "R", "required"),
        ("reject", None, "optional"),
    ]
    assert one["answers"][0]["effect"] == "#1 is done."
    assert one["otherwise"] == {"at": None, "text": "#1 stays in review until somebody decides."}


async def test_answers_name_operations_that_can_be_performed(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    await cast.ask(cast.vega, task, action_type="task.finish")
    await ask_question(cast)
    for one in (await needs(cast.cleo))["items"]:
        how = one["answers"][0]["operation"]
        (await cast.cleo.call(how["method"], how["path"], how["body"])).ok()
    assert (await needs(cast.cleo))["items"] == []
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "done"


async def test_question_has_its_options_as_answers(cast: Cast) -> None:
    await ask_question(cast)
    [one] = (await needs(cast.ben))["items"]
    assert (one["title"], one["reason"]) == ("Atlas asks: Which lens?", "Both are clean.")
    assert [(answer["key"], answer["label"], answer["recommended"]) for answer in one["answers"]] == [
        ("1", "The wide one", True),
        ("2", "The long one", False),
        ("A", "Answer in your own words", False),
    ]
    assert one["answers"][0]["effect"] == "I mount it tonight."
    assert one["answers"][2]["operation"]["note_field"] == "answer"


async def test_list_has_what_each_member_may_act_on(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    await ask_question(cast)
    (
        await cast.mira.post(
            f"/boards/{cast.other_board.id}/approvals",
            {"action_type": "publish", "confidence": 1, "lead_reasoning": "It is ready."},
        )
    ).ok()
    (
        await cast.nova.post(
            f"/boards/{cast.foreign_board.id}/approvals",
            {"action_type": "publish", "confidence": 1, "lead_reasoning": "It is ready."},
        )
    ).ok()
    found: dict[str, Any] = {}
    for name, member in everybody(cast).items():
        answer = await member.get("/needs")
        found[name] = answer.body["counts"]["total"] if answer.status == 200 else answer.status
    people = {"ada": 3, "ben": 3, "cleo": 2, "dan": 0, "eve": 1}
    assert found == people | dict.fromkeys(("atlas", "vega", "rigel", "mira", "nova"), 401)


async def test_one_need_is_read_until_it_is_over(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, await cast.add_task())
    path = f"/needs/approval:{asked['id']}"
    assert (await cast.cleo.get(path)).ok() == (await needs(cast.cleo))["items"][0]
    for caller in (cast.dan, cast.eve):
        (await caller.get(path)).refused(404)
    for odd in ("approval", "approval:1", f"nothing:{asked['id']}", f"question:{asked['id']}"):
        (await cast.cleo.get(f"/needs/{odd}")).refused(404)
    (await cast.ben.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).ok()
    (await cast.cleo.get(path)).refused(404)


async def test_list_is_narrowed_and_paged(cast: Cast) -> None:
    asked = [await cast.ask(cast.vega, await cast.add_task()) for _ in range(3)]
    await ask_question(cast)
    listed = await needs(cast.ada)
    assert [one["id"] for one in listed["items"][:3]] == [f"approval:{one['id']}" for one in asked]
    assert listed["oldest"] == listed["items"][0]["since"]
    page = await needs(cast.ada, "?limit=2&offset=1&kind=approval")
    assert ([one["id"] for one in page["items"]], page["total"]) == ([f"approval:{one['id']}" for one in asked[1:]], 3)
    assert (await needs(cast.ada, f"?board_id={cast.other_board.id}"))["counts"]["total"] == 0
    assert (await needs(cast.ada, "?group=own"))["items"] == []
    (await cast.ada.get("/needs?limit=0")).refused(422)


async def test_list_costs_the_same_however_long_it_is(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    await ask_question(cast)
    few = await cost(cast.cleo, "/needs")
    for _ in range(5):
        await cast.ask(cast.vega, await cast.add_task())
        await ask_question(cast)
    assert await cost(cast.cleo, "/needs") == few
