"""What the tools show, do and refuse."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from mcp_types import Implementation

from mission_control import __version__
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.errors import Conflict, NotFound
from mission_control.http.registry import OPERATIONS
from mission_control.mcp.answers import refusal
from mission_control.mcp.operations import perform
from mission_control.mcp.registry import PEOPLES_TOOLS, TOOLS, Call, takes
from mission_control.tasks.models import Comment
from tests.cast import Cast, Program, events, head, kinds
from tests.contract.source import calls, modules, texts, trees
from tests.mcp.clients import ERAS, connected

LEADS_ONLY = {"create_task", "assign_task", "review_task", "decide_proposal", "nudge"}
WORKERS_ONLY = {"finish", "give_back"}


async def with_scopes(cast: Cast, agent: Program, *scopes: str) -> Program:
    """The same agent with a token that is made for less."""
    made = (await cast.ada.post(f"/agents/{agent.id}/tokens", {"scopes": scopes})).ok()
    return Program(agent.app, {"X-Agent-Token": made["token"]}, agent.id, agent.name, made["token"])


# What is shown


def test_every_tool_and_every_argument_is_described() -> None:
    for one in (*TOOLS.values(), *PEOPLES_TOOLS.values()):
        assert len(one.description) > 150, one.name
        assert "Args:" not in one.description
        schema = one.takes.schema
        assert schema["additionalProperties"] is False and "title" not in schema
        assert "$ref" not in str(schema) and "null" not in str(schema)


def test_every_operation_that_a_tool_names_exists() -> None:
    modules()
    known = {one.name for one in OPERATIONS}
    named = [
        text
        for module, tree in trees()
        if module.startswith("mcp.")
        for function in (perform, takes, Call.about)
        for call in calls(tree, function.__name__)
        if call.args
        for text in texts(call.args[0])
    ]
    assert len(named) > 40 and [one for one in named if one not in known] == []


@pytest.mark.parametrize("mode", ["auto", *ERAS])
async def test_tools_depend_on_the_role(cast: Cast, mode: str) -> None:
    async with connected(cast.vega, mode) as vega, connected(cast.atlas, mode) as atlas:
        workers, leads = await vega.names(), await atlas.names()
    assert workers - leads == WORKERS_ONLY and leads - workers >= LEADS_ONLY
    assert workers | leads == set(TOOLS)
    assert len(workers) <= 8


async def test_tools_depend_on_the_tokens_scopes(cast: Cast) -> None:
    reader = await with_scopes(cast, cast.vega, "read")
    async with connected(reader) as shown:
        assert await shown.names() == {
            one.name for one in TOOLS.values() if (one.scope, one.role) == ("read", "anyone")
        }
        assert "comment" not in await shown.names()
        assert (await shown.ok("list_tasks"))["total"] == 0
        refusal = await shown.refused("remember", content="No.")
    assert (refusal["status"], refusal["code"], refusal["needed"]) == (403, "token_scope_missing", "work")
    as_worker = await with_scopes(cast, cast.atlas, "work")
    async with connected(as_worker) as shown:
        assert not LEADS_ONLY & await shown.names()
        assert (await shown.refused("create_task", title="No."))["needed"] == "lead"


async def test_initialization_explains_the_server(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        assert vega.client.server_info == Implementation(
            name="mission-control", title="Mission Control", version=__version__
        )
        assert "finish" in str(vega.client.instructions)
        listed = {one.name: one for one in (await vega.client.list_tools()).tools}
    assert listed["files"].annotations.read_only_hint is True  # type: ignore[union-attr]
    writing = listed["comment"].annotations
    assert writing is not None and not writing.read_only_hint and writing.destructive_hint is False


async def test_no_tool_describes_its_answer(cast: Cast) -> None:
    async with connected(cast.vega) as vega, connected(cast.ada) as ada:
        for one in [*await vega.listed(), *await ada.listed()]:
            assert one.output_schema is None, one.name


# Tasks by number, boards and agents by name


TAKES = [
    (pool, one.name, field)
    for pool, tools in (("agents", TOOLS), ("people", PEOPLES_TOOLS))
    for one in tools.values()
    for field in one.takes.shown
]


async def test_every_tool_takes_numbers_of_tasks_and_names_of_boards_and_agents(cast: Cast) -> None:
    counts = Counter[str]()
    for pool, name, field in TAKES:
        tools, who = (TOOLS, cast.vega) if pool == "agents" else (PEOPLES_TOOLS, cast.ada)
        noun = field.removesuffix("s").removesuffix("_id").rpartition("_")[2]
        for value in {"task": ("#999", "999", 999), "agent": ("Nobody",), "board": ("Nobody",)}.get(noun, ()):
            counts[noun] += 1
            with pytest.raises(NotFound, match=f"There is no {noun} (#999|“Nobody”)"):
                await tools[name].call(await who.actor(), {field: [value] if field.endswith("s") else value})
    assert counts["task"] > 40 and counts["board"] > 4 and counts["agent"] > 3


async def test_worker_and_person_name_a_task_by_its_number(cast: Cast) -> None:
    first, second = [await cast.add_task(title=title) for title in ("Point the mirror", "Sweep")]
    async with connected(cast.vega) as vega, connected(cast.ada) as ada:
        for written in (f"#{first['number']}", str(first["number"]), first["number"], first["id"]):
            assert (await vega.ok("get_task", task_id=written))["task"]["id"] == first["id"]
        claimed = await vega.ok("next", task_id=f"#{second['number']}", wait_seconds=0)
        assert claimed["task"]["id"] == second["id"]
        await vega.ok("ask", action="deploy", question="Ready.", task_id=second["number"], wait_seconds=0)
        [asked] = (await cast.ada.get(cast.approvals)).ok()["items"]
        assert asked["task_ids"] == [second["id"]]
        assert (await ada.ok("get_task", task_id=f"#{first['number']}"))["task"]["id"] == first["id"]
        await cast.put(first, deleted_at=times.clock_now())
        assert (await vega.refused("get_task", task_id=f"#{first['number']}"))["status"] == 404


async def test_number_that_several_boards_have_names_their_tasks(cast: Cast) -> None:
    here = await cast.add_task(title="Point the mirror")
    board = (await cast.ada.post("/boards", {"name": "Garden", "slug": "garden", "description": "Plants."})).ok()
    there = (await cast.ada.post(f"/boards/{board['id']}/tasks", {"title": "Water"})).ok()
    assert here["number"] == there["number"]
    async with connected(cast.ada) as ada:
        refusal = await ada.refused("get_task", task_id=f"#{here['number']}")
        assert refusal["status"] == 409 and here["id"] in refusal["message"] and "Garden" in refusal["message"]
        made = await ada.ok("create_task", board_id="garden", title="Weed", depends_on_task_ids=[there["number"]])
        assert made["depends_on_task_ids"] == [there["id"]]
        held = {"board_id": cast.board.name, "assigned_agent_id": "@vega"}
        assert (await ada.ok("create_task", **held, title="Point"))["assigned_agent_id"] == str(cast.vega.id)
        await Board.filter(id=cast.other_board.id).update(name="Garden")
        refusal = await ada.refused("get_board", board_id="Garden")
        assert refusal["status"] == 409 and board["id"] in refusal["message"]


# What is refused


@pytest.mark.parametrize(("arguments", "named"), [
    ({}, "message: Field required"),
    ({"task_id": "x", "message": "A."}, "task_id: "),
    ({"message": "A.", "mesage": "B."}, "mesage: Extra inputs are not permitted; did you mean `message`?"),
    ({"message": "A.", "zzz": "B."}, "zzz: Extra inputs are not permitted; known here: task_id, message, fence"),
    ({"message": "nul \x00"}, "message: Text must be Unicode"),
    ({"message": "A.", "fence": 0}, "fence: "),
])  # fmt: skip
async def test_invalid_arguments_are_named(cast: Cast, arguments: dict[str, Any], named: str) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega:
        refusal = await vega.refused("comment", **{"task_id": task["id"], **arguments})
    assert refusal["status"] == 422 and named in refusal["message"]
    assert not await Comment.filter(task_id=task["id"]).exists()


@pytest.mark.parametrize("name", ["next", "report", "ask", "comment", "files", "propose", "finish", "give_back"])
async def test_what_names_no_task_is_refused_by_words_that_say_what_does(cast: Cast, name: str) -> None:
    async with connected(cast.vega) as vega:
        refusal = await vega.refused(name, task_id="12x")
        unknown = await vega.refused(name, task_id="#12")
    assert "task_id: The number of a task is wanted, such as 12 or #12, or its id" in refusal["message"]
    assert unknown["message"] == "There is no task #12 where you work."


async def test_ids_of_other_things_are_named_as_such(cast: Cast) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega:
        for name, sent in (("report", {"steps_done": ["1"]}), ("files", {"task_id": task["number"], "file_id": "log"})):
            assert "An id is wanted" in (await vega.refused(name, **sent))["message"]


async def test_null_argument_counts_as_unset(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        assert (await vega.ok("list_tasks", status=None, limit=None))["total"] == 0


async def test_agent_without_a_board_gets_a_clear_error(cast: Cast) -> None:
    nowhere = replace(await cast.vega.actor(), board_id=None)
    with pytest.raises(Conflict) as caught:
        await TOOLS["list_tasks"].call(nowhere, {})
    _, values = refusal(caught.value)
    assert (values["status"], values["code"]) == (409, "no_board")


async def test_unknown_tool_is_refused(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        assert (await vega.refused("delete_everything"))["status"] == 404


async def test_other_board_is_not_found(cast: Cast) -> None:
    task = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Sweep"})).ok()
    async with connected(cast.vega) as vega:
        for name, arguments in (("get_task", {}), ("comment", {"message": "Hello?"})):
            refusal = await vega.refused(name, task_id=task["id"], **arguments)
            assert (refusal["status"], refusal["code"]) == (404, "not_found")


async def test_worker_calling_a_lead_tool_is_refused_by_the_rule(cast: Cast) -> None:
    async with connected(cast.vega) as vega:
        refusal = await vega.refused("create_task", title="Mine")
    assert (refusal["status"], refusal["code"]) == (403, "lead_only") and "Only the lead" in refusal["message"]


async def test_internal_error_hides_details(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("secret insides")

    monkeypatch.setattr("mission_control.mcp.registry.perform", broken)
    for mode in ERAS:
        async with connected(cast.vega, mode) as vega:
            refusal = await vega.refused("recall")
        assert refusal["code"] == "internal_error" and "secret" not in refusal["message"]


# What is done


async def test_worker_reads_a_task_with_its_comments(cast: Cast) -> None:
    task = await cast.add_task(title="Point the mirror", description="At Vega.")
    for number in range(60):
        (await cast.ada.post(f"{cast.task(task)}/comments", {"message": f"Word {number}"})).ok()
    (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "Unlock it"})).ok()
    async with connected(cast.vega) as vega:
        shown = await vega.ok("get_task", task_id=task["id"])
        [line] = (await vega.ok("list_tasks", why=True, q="mirror"))["tasks"]
    assert shown["task"]["description"] == "At Vega." and shown["waiting"] == line["waiting"] != []
    assert [one["text"] for one in shown["checklist"]] == ["Unlock it"]
    assert shown["comments_total"] == 60 and len(shown["comments"]) == 50
    assert (shown["comments"][0]["message"], shown["comments"][-1]["message"]) == ("Word 10", "Word 59")
    assert shown["comments"][-1]["author"] == "Ada"


async def test_memory_entries_are_found(cast: Cast) -> None:
    before = await head(cast)
    async with connected(cast.vega) as vega:
        await vega.ok("remember", content="The dome sticks at 40 degrees.", tags=["dome"])
        await vega.ok("remember", content="Good morning.", tags=["chat"])
        found = await vega.ok("recall", q="sticks", tags=["dome"])
        chat = await vega.ok("recall", chat=True)
    assert [one["content"] for one in found["entries"]] == ["The dome sticks at 40 degrees."]
    assert [one["content"] for one in chat["entries"]] == ["Good morning."]
    recorded = await events(before, organization_id=cast.organization.id)
    assert {(one.kind, one.surface) for one in recorded} == {("memory.created", "mcp")}


async def test_notices_are_read_and_acknowledged(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    async with connected(cast.vega) as vega:
        first = await vega.ok("read_inbox")
        assert [one["task_id"] for one in first["items"]] == [task["id"]]
        assert (await vega.ok("read_inbox"))["items"] == first["items"]
        assert (await vega.ok("read_inbox", after=first["next"]))["items"] == []
        assert (await vega.ok("read_inbox"))["items"] == []


async def test_lead_creates_assigns_and_reviews_work(cast: Cast) -> None:
    before = await head(cast)
    async with connected(cast.atlas) as atlas:
        task = await atlas.ok("create_task", title="Clean the mirror", description="Until it shines.")
        assigned = await atlas.ok("assign_task", task_id=task["id"], agent_id="vega")
        assert assigned["assigned_agent_id"] == str(cast.vega.id)
        assert (await atlas.ok("assign_task", task_id=task["id"]))["assigned_agent_id"] is None
        await atlas.ok("nudge", agent_id=cast.vega.name, message="There is work.")
        refusal = await atlas.refused("review_task", task_id=task["id"], verdict="done", comment="Fine.")
        assert refusal["status"] == 403
        assert not await Comment.filter(task_id=task["id"]).exists(), "a refused review leaves no comment"
        await cast.put(task, status="review", review_agent_id=cast.vega.id)
        back = await atlas.ok("review_task", task_id=task["id"], verdict="send_back", comment="It does not shine.")
        assert (back["status"], back["assigned_agent_id"]) == ("inbox", str(cast.vega.id))
        await cast.put(task, status="review")
        done = await atlas.ok("review_task", task_id=task["id"], verdict="done", comment="It shines.")
        assert done["status"] == "done"
    happened = await kinds(cast, before)
    assert ("task.created", cast.atlas.id) in happened and ("task.comment", cast.atlas.id) in happened


async def test_board_rule_refusal_carries_its_code(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    await cast.put(task, status="review", review_agent_id=cast.vega.id)
    async with connected(cast.atlas) as atlas:
        refusal = await atlas.refused("review_task", task_id=task["id"], verdict="done", comment="Fine.")
        assert refusal["status"] == 409 and "approv" in refusal["message"]
        wanted = {"action": "task.finish", "question": "It shines.", "task_id": task["id"], "wait_seconds": 0}
        asked, again = await atlas.ok("ask", **wanted), await atlas.refused("ask", **wanted)
        assert again["conflicts"] == [{"task_id": task["id"], "approval_id": asked["id"]}]


async def test_long_texts_are_cut_in_answers(cast: Cast) -> None:
    task = await cast.add_task(title="Long", description="a" * 300_000)
    for _ in range(8):
        (await cast.ada.post(f"{cast.home}/memory", {"content": "b" * 90_000})).ok()
    async with connected(cast.vega) as vega:
        read, found = await vega.ok("get_task", task_id=task["id"]), await vega.ok("recall")
    description = read.get("description") or read["task"]["description"]
    assert description == "a" * 100_000 + " … [cut: 200000 more characters; the HTTP API has them]"
    assert found["total"] == 8
    assert [len(one["content"].partition(" …")[0]) for one in found["entries"]] == [90_000] * 4 + [40_000] + [1_000] * 3


async def test_lead_hears_of_a_proposal_and_decides_it(cast: Cast) -> None:
    task = await cast.add_task()
    async with connected(cast.vega) as vega, connected(cast.atlas) as atlas:
        made = await vega.ok("propose", title="Oil the dome", reason="It squeaks.")
        found = await atlas.ok("next", wait_seconds=0)
        assert found["kind"] == "notice"
        [item] = [one for one in found["news"]["items"] if one["kind"] == "proposal"]
        assert "Vega proposes “Oil the dome”: It squeaks." in item["text"] and made["id"] in item["text"]
        merged = {"proposal_id": made["id"], "decision": "merge", "task_id": f"#{task['number']}"}
        assert (await atlas.ok("decide_proposal", **merged))["task"]["number"] == task["number"]
        assert (await atlas.refused("decide_proposal", **merged))["code"] == "need_ended"
        part = await atlas.ok("create_task", title="The hinge", parent_id=f"#{task['number']}")
        assert part["parent_id"] == task["id"]
