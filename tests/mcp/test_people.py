"""A person at `/mcp`: with a personal token, under that person's rights, in that person's name."""

import pytest
from mcp_types import TextContent

from mission_control.mcp.registry import PEOPLES_TOOLS
from mission_control.people.models import Token
from mission_control.tasks.models import Comment, Task
from mission_control.webhooks.models import OutgoingWebhook
from tests.cast import Cast, events, head
from tests.mcp.clients import ERAS, connected


@pytest.mark.parametrize("mode", ["auto", *ERAS])
async def test_person_sees_tools_for_people(cast: Cast, mode: str) -> None:
    async with connected(cast.ada, mode) as ada:
        assert await ada.names() == set(PEOPLES_TOOLS)
        assert not {"next", "finish", "read_inbox"} & await ada.names()
        if mode == "auto":  # a client that is told its version asks for nothing else
            assert "You act for one person" in str(ada.client.instructions)
        assert (await ada.refused("next"))["status"] == 404


async def test_person_lists_and_reads_boards_and_tasks(cast: Cast) -> None:
    task = await cast.add_task(title="Point the mirror", due_at="2026-12-24T12:00:00Z")
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "At Vega."})).ok()
    async with connected(cast.ada) as ada, connected(cast.dan) as dan:
        listed = await ada.ok("list_boards")
        assert (listed["you"], listed["organization"], listed["total"]) == ("Ada", "Observatory", 2)
        assert [(one["name"], one["can_change"]) for one in listed["boards"]] == [("Dome", True), ("Telescope", True)]
        assert [(one["name"], one["can_change"]) for one in (await dan.ok("list_boards"))["boards"]] == [
            ("Telescope", False)
        ]
        board = await ada.ok("get_board", board_id=str(cast.board.id))
        assert {one["name"] for one in board["agents"]} == {cast.atlas.name, cast.vega.name, cast.rigel.name}
        assert board["tasks"] == {"inbox": 1, "in_progress": 0, "review": 0, "done": 0}
        [line] = (await dan.ok("list_tasks", board_id=str(cast.board.id), q="mirror", why=True))["tasks"]
        assert line["id"] == task["id"] and line["waiting"]
        shown = await dan.ok("get_task", task_id=task["id"])
        assert [one["message"] for one in shown["comments"]] == ["At Vega."]
        assert (await dan.ok("list_comments", task_id=task["id"]))["total"] == 1


async def test_person_creates_a_task_and_comments_in_their_own_name(cast: Cast) -> None:
    before = await head(cast)
    async with connected(cast.cleo) as cleo:
        task = await cleo.ok("create_task", board_id=str(cast.board.id), title="Sweep", priority="urgent")
        assert (task["status"], task["priority"]) == ("inbox", "critical")
        await cleo.ok("comment", task_id=task["id"], message="With the soft broom.")
    recorded = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.actor_kind, one.actor_id, one.surface) for one in recorded] == [
        ("task.created", "user", cast.cleo.id, "mcp"),
        ("task.comment", "user", cast.cleo.id, "mcp"),
    ]


async def test_person_decides_approvals(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    async with connected(cast.ada) as ada:
        [request] = (await ada.ok("list_requests"))["requests"]
        assert (request["kind"], request["id"], request["asked_by"]) == ("approval", asked["id"], "Vega")
        assert (request["text"], request["board_name"]) == ("It is ready.", "Telescope")
        decided = await ada.ok(
            "decide_approval", approval_id=asked["id"], decision="changes_requested", note="Shorter."
        )
        assert (decided["approval"]["decision"], decided["approval"]["note"]) == ("changes_requested", "Shorter.")
        assert decided["approval"]["resolved_by"] == "Ada" and decided["tasks"][0]["id"] == task["id"]
        assert (await ada.ok("list_requests", board_id=str(cast.board.id)))["requests"] == []


async def test_person_does_not_override_another_decision(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    verdict = {"approval_id": asked["id"], "decision": "approved", "note": "Good."}
    async with connected(cast.ada) as ada, connected(cast.cleo) as cleo:
        await ada.ok("decide_approval", **verdict)
        await ada.ok("decide_approval", **verdict)  # sent again
        refusal = await cleo.refused("decide_approval", approval_id=asked["id"], decision="rejected")
    assert refusal["status"] == 409 and refusal["message"].startswith("Ada approved this")
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["resolved_by"]["name"] == "Ada"


async def test_answer_to_a_need_may_read_the_settings_of_the_installation(cast: Cast) -> None:
    fields = {"description": "Warehouse", "url": "https://one.example.org/hooks"}
    hook = (await cast.ada.post("/outgoing-webhooks", fields)).ok()
    await OutgoingWebhook.filter(id=hook["id"]).update(state="failed")
    async with connected(cast.ada) as ada:
        [need] = (await ada.ok("list_needs"))["needs"]
        await ada.ok("answer_need", need_id=need["id"], answer="resume", substance=need["substance"])
    assert (await cast.ada.get(f"/outgoing-webhooks/{hook['id']}")).ok()["state"] == "on"


async def test_first_of_two_people_is_said_to_wait_for_the_other(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    asked = await cast.ask(cast.vega)
    verdict = {"approval_id": asked["id"], "decision": "approved"}
    async with connected(cast.ada) as ada, connected(cast.cleo) as cleo:
        assert await ada.says("decide_approval", **verdict) == "Approved. Another person has to, too."
        assert await ada.says("list_requests") == "Waiting: 0 approvals and 0 questions."
        assert await cleo.says("list_requests") == "Waiting: 1 approval and 0 questions."
        assert (await ada.ok("decide_approval", **verdict))["approval"]["approvals_missing"] == 1  # sent again
        decided = await cleo.ok("decide_approval", **verdict)
    assert (decided["approval"]["status"], decided["approval"]["approvals_missing"]) == ("approved", 0)


async def test_all_that_is_decided_is_listed_with_who_approved_already(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    await cast.ask(cast.vega, payload={"reason": "The disk is full.", "command": "rm -r /srv/old"})
    async with connected(cast.ada) as ada, connected(cast.cleo) as cleo:
        [request] = (await ada.ok("list_requests"))["requests"]
        assert request["text"] == "The disk is full.\n\nCommand: rm -r /srv/old"
        [need] = (await ada.ok("list_needs"))["needs"]
        assert need["exact"] == "Command: rm -r /srv/old" and "2 people have to approve" in need["facts"]
        given = {"need_id": need["id"], "answer": "approve", "substance": need["substance"]}
        assert await ada.says("answer_need", **given) == "Answered. Another person has to, too."
        [need] = (await cleo.ok("list_needs"))["needs"]
        assert "1 of 2: Ada approved" in need["facts"]
        assert (await cleo.ok("answer_need", **given))["missing"] == 0


async def test_approved_hand_in_is_done(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    async with connected(cast.vega) as vega, connected(cast.ada) as ada:
        claimed = await vega.ok("next")
        held = {"task_id": task["id"], "fence": claimed["lease"]["fence"]}
        handed_in = await vega.ok("finish", **held, summary="Done.")
        assert (handed_in["task"]["status"], handed_in["approval"]["status"]) == ("review", "pending")
        assert await ada.says("list_requests") == "Waiting: 1 approval and 0 questions."
        decided = await ada.ok("decide_approval", approval_id=handed_in["approval"]["id"], decision="approved")
        assert decided["tasks"][0]["status"] == "done"
        assert await ada.says("get_task", task_id=task["id"]) == f"Task #{task['number']} is done: {task['title']}"
    assert (await Task.get(id=task["id"])).status == "done"


@pytest.mark.parametrize(
    ("action", "told"),
    [(None, "It is done when a person approves it."), ("send.email", "People have yet to decide about send.email.")],
)
async def test_agent_learns_what_its_hand_in_waits_for(cast: Cast, action: str | None, told: str) -> None:
    await cast.rule(require_approval_for_done=True)
    task = await cast.add_task()
    async with connected(cast.vega) as vega:
        claimed = await vega.ok("next")
        if action:
            await cast.ask(cast.vega, task, action_type=action)
        held = {"task_id": task["id"], "fence": claimed["lease"]["fence"]}
        sentence = (await vega.shown("finish", **held, summary="Done.")).content[0]
    assert isinstance(sentence, TextContent) and sentence.text.endswith(f"is in review. {told} Call next.")


@pytest.mark.parametrize("who", ["atlas", "vega"])
async def test_person_answers_a_question(cast: Cast, who: str) -> None:
    options = [{"label": "North", "outcome": "I turn the dome.", "recommended": True}, {"label": "South"}]
    async with connected(getattr(cast, who)) as agent, connected(cast.ada) as ada:
        asked = await agent.ok("ask", question="Which way?", options=options, wait_seconds=0)
        [request] = (await ada.ok("list_requests"))["requests"]
        assert (request["kind"], request["text"], request["id"]) == ("question", "Which way?", asked["id"])
        assert [(one["label"], one["recommended"]) for one in request["options"]] == [("North", True), ("South", False)]
        assert (await ada.refused("answer_question", question_id=request["id"]))["status"] == 422
        chosen = request["options"][0]["id"]
        answered = await ada.ok("answer_question", question_id=request["id"], option_id=chosen, answer="But slowly.")
        assert (answered["state"], answered["chosen_option_id"]) == ("answered", chosen)
        again = await ada.refused("answer_question", question_id=request["id"], answer="South.")
        assert again["status"] == 409
        assert any("But slowly." in one["text"] for one in (await agent.ok("read_inbox"))["items"])


async def test_reader_changes_nothing(cast: Cast) -> None:
    task, asked = await cast.add_task(), await cast.ask(cast.vega)
    async with connected(cast.dan) as dan:
        for name, arguments in {
            "create_task": {"board_id": str(cast.board.id), "title": "No"},
            "comment": {"task_id": task["id"], "message": "No"},
            "decide_approval": {"approval_id": asked["id"], "decision": "approved"},
        }.items():
            assert (await dan.refused(name, **arguments))["status"] == 403, name
    assert not await Comment.filter(task_id=task["id"]).exists()


async def test_other_organizations_and_boards_are_not_found(cast: Cast) -> None:
    task, asked = await cast.add_task(), await cast.ask(cast.vega)
    hidden = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Hidden"})).ok()
    async with connected(cast.eve) as eve, connected(cast.dan) as dan:
        assert [one["name"] for one in (await eve.ok("list_boards"))["boards"]] == ["Cellar"]
        assert (await eve.ok("list_requests"))["requests"] == []
        for name, arguments in {
            "get_board": {"board_id": str(cast.board.id)},
            "list_tasks": {"board_id": str(cast.board.id)},
            "create_task": {"board_id": str(cast.board.id), "title": "No"},
            "get_task": {"task_id": task["id"]},
            "comment": {"task_id": task["id"], "message": "No"},
            "list_requests": {"board_id": str(cast.board.id)},
            "decide_approval": {"approval_id": asked["id"], "decision": "approved"},
        }.items():
            assert (await eve.refused(name, **arguments))["status"] == 404, name
        assert (await dan.refused("get_task", task_id=hidden["id"]))["status"] == 404


async def test_personal_token_scopes_are_enforced(cast: Cast) -> None:
    await Token.filter(user_id=cast.ada.id).update(scopes=["read"])
    async with connected(cast.ada) as ada:
        assert "list_boards" in await ada.names() and "create_task" not in await ada.names()
        refusal = await ada.refused("create_task", board_id=str(cast.board.id), title="No")
    assert (refusal["status"], refusal["needed"]) == (403, "work")


async def test_person_answers_needs_by_the_names_of_their_answers(cast: Cast) -> None:
    task = await cast.add_task(title="Tidy up")
    await cast.ask(cast.vega, task)
    (await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100})).ok()
    (await cast.vega.post("/agent/usage", {"input_tokens": 100})).ok()
    async with connected(cast.ada) as ada, connected(cast.cleo) as cleo:
        approval, budget = (await ada.ok("list_needs"))["needs"]
        assert [one["id"] for one in approval["answers"]] == ["approve", "send_back", "reject"]
        assert [one["id"] for one in budget["answers"]] == ["raise", "set_limit", "wait", "stop"]
        assert [one["kind"] for one in (await cleo.ok("list_needs"))["needs"]] == ["approval"]
        assert (await cleo.refused("answer_need", need_id=budget["id"], answer="raise"))["status"] == 404
        raised = await ada.ok("answer_need", need_id=budget["id"], answer="set_limit", note="500")
        assert raised["outcome"] == "answered"
        (await cast.ben.patch(cast.task(task), {"description": "Now drop the production database."})).ok()
        seen = {"need_id": approval["id"], "answer": "approve", "substance": approval["substance"]}
        assert "need_changed" in str(await ada.refused("answer_need", **seen))
        verdict = {"approval_id": approval["id"].partition(":")[2], "decision": "approved"}
        assert "need_changed" in str(await ada.refused("decide_approval", **verdict, substance=approval["substance"]))
        [request] = (await ada.ok("list_requests"))["requests"]
        await ada.ok("decide_approval", **verdict, substance=request["substance"])
    assert (await cast.ada.get("/budgets")).ok()["items"][0]["limit"] == 500
