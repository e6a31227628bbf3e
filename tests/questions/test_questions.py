"""Questions of leads to people: asked, answered once, withdrawn; who is told and what is kept."""

import asyncio
from typing import Any

import orjson
import pytest

from mission_control.events.leases import Delivery
from mission_control.memory.models import BoardMemory
from mission_control.questions.models import Question
from tests.cast import Caller, Cast, events, head, kinds

pytestmark = pytest.mark.dialect


def asking(cast: Cast, board: Any = None) -> str:
    """Where a lead asks."""
    return f"/agent/boards/{(board or cast.board).id}/gateway/main/ask-user"


async def ask(cast: Cast, **fields: Any) -> str:
    """A question of Atlas; its id."""
    asked: dict[str, Any] = (await cast.atlas.post(asking(cast), {"content": "Which lens?", **fields})).ok()
    return str(asked["question_id"])


async def test_question_is_asked(cast: Cast) -> None:
    before = await head(cast)
    new = {"content": " Which lens?\nThe wide one? ", "correlation_id": " 7 ", "preferred_channel": "chat"}
    answer = (await cast.atlas.post(asking(cast), new)).ok()
    known = {"ok": True, "board_id": str(cast.board.id), "main_agent_id": None, "main_agent_name": None}
    assert answer == known | {"question_id": answer["question_id"], "delivery_ids": []}
    question = (await cast.dan.get(f"{cast.home}/questions/{answer['question_id']}")).ok()
    assert (question["content"], question["state"]) == ("Which lens?\nThe wide one?", "open")
    assert (question["correlation_id"], question["preferred_channel"]) == ("7", "chat")
    assert (question["reply_tags"], question["reply_source"]) == (
        ["gateway_main", "user_reply"],
        "user_via_gateway_main",
    )
    assert (question["agent_id"], question["agent_name"]) == (str(cast.atlas.id), "Atlas")
    assert (question["answer"], question["answered_by"], question["answered_at"]) == (None, None, None)
    asked, written = await events(before)
    assert (asked.kind, asked.agent_id, str(asked.subject_id)) == ("question.asked", cast.atlas.id, question["id"])
    assert (asked.message, written.kind) == ("Question asked: Which lens?", "memory.created")
    [entry] = (await cast.ada.get(f"{cast.home}/memory?is_chat=true")).ok()["items"]
    assert (entry["author"]["name"], entry["content"]) == ("Atlas", "Question for people: Which lens?\nThe wide one?")
    assert entry["tags"] == ["chat", "question"]


async def test_asking_needs_rights(cast: Cast) -> None:
    body = {"content": "Which lens?"}
    assert (await cast.vega.post(asking(cast), body)).refused(403)["code"] == "lead_only"
    assert (await cast.vega.post(asking(cast), {})).refused(403)["code"] == "lead_only"
    for board in (cast.other_board, cast.foreign_board):
        assert (await cast.atlas.post(asking(cast, board), body)).refused(404) == "Not Found"
    assert await Question.all().count() == 0


async def test_answer_notifies_the_asker(cast: Cast) -> None:
    asked = await ask(cast, correlation_id="7", reply_tags=["lens", "chat", "lens"], reply_source="people")
    before = await head(cast)
    answered = (await cast.cleo.post(f"{cast.home}/questions/{asked}/answers", {"answer": " The wide one. "})).ok()
    assert (answered["state"], answered["answer"]) == ("answered", "The wide one.")
    assert answered["answered_by"] == {"kind": "user", "id": str(cast.cleo.id), "name": "Cleo"}
    assert answered["answered_at"] is not None
    written, event = await events(before)
    assert (written.kind, event.kind, event.actor_id) == ("memory.created", "question.answered", cast.cleo.id)
    entry = await BoardMemory.get(id=orjson.loads(event.data)["memory_id"])
    assert (entry.content, entry.tags, entry.is_chat) == ("The wide one.", ["lens"], False)
    assert (entry.source, entry.author_user_id) == ("people", cast.cleo.id)
    [notice] = await Delivery.filter(agent_id=cast.atlas.id, header="QUESTION ANSWERED")
    assert "Question: Which lens?" in notice.text and "The wide one." in notice.text and "From: Cleo" in notice.text
    told = {"question_id": asked, "correlation_id": "7", "memory_id": str(entry.id), "answer": "The wide one."}
    assert notice.data == told
    assert (await cast.vega.get(f"{cast.home}/questions?state=answered")).ok()["items"] == [answered]


async def test_blank_fields_get_defaults(cast: Cast) -> None:
    asked = await ask(cast, correlation_id=" ", reply_tags=["chat", " "], reply_source="")
    question = (await cast.ada.get(f"{cast.home}/questions/{asked}")).ok()
    assert (question["reply_tags"], question["reply_source"]) == (
        ["gateway_main", "user_reply"],
        "user_via_gateway_main",
    )
    assert question["correlation_id"] is None


async def test_first_of_two_answers_wins(cast: Cast) -> None:
    asked = await ask(cast)
    path = f"{cast.home}/questions/{asked}/answers"
    answers = await asyncio.gather(*(one.post(path, {"answer": one.name}) for one in (cast.ada, cast.ben, cast.cleo)))
    assert sorted(one.status for one in answers) == [200, 409, 409]
    assert {one.code for one in answers if one.status == 409} == {"question_answered"}
    [won] = [one.body for one in answers if one.status == 200]
    assert (await cast.ada.get(f"{cast.home}/questions/{asked}")).ok()["answer"] == won["answered_by"]["name"]
    assert await BoardMemory.filter(board_id=cast.board.id, is_chat=False).count() == 1


async def test_answer_without_words_is_refused(cast: Cast) -> None:
    asked = await ask(cast)
    path = f"{cast.home}/questions/{asked}/answers"
    [item] = (await cast.ada.post(path, {})).refused(422)
    assert "choose an option" in item["msg"]
    for wrong in ({"answer": " "}, {"answer": "x" * 20_001}):
        [item] = (await cast.ada.post(path, wrong)).refused(422)
        assert item["loc"] == ["body", "answer"]
    assert (await Question.get(id=asked)).state == "open"


async def test_lead_withdraws_its_question(cast: Cast) -> None:
    asked = await ask(cast)
    path, before = f"/agent{cast.home}/questions/{asked}", await head(cast)
    for _ in range(2):
        assert (await cast.atlas.delete(path)).ok() == {"ok": True}
    assert await kinds(cast, before) == [("question.withdrawn", cast.atlas.id)]
    late = await cast.ada.post(f"{cast.home}/questions/{asked}/answers", {"answer": "The wide one."})
    late.refused_as(409, "question_withdrawn")


async def test_answered_question_cannot_be_withdrawn(cast: Cast) -> None:
    asked = await ask(cast)
    (await cast.ada.post(f"{cast.home}/questions/{asked}/answers", {"answer": "The wide one."})).ok()
    detail = (await cast.atlas.delete(f"/agent{cast.home}/questions/{asked}")).refused(409)
    assert detail["code"] == "question_answered"


async def test_questions_are_listed(cast: Cast) -> None:
    first, second = await ask(cast), await ask(cast, content="When?")
    (await cast.ada.post(f"{cast.home}/questions/{first}/answers", {"answer": "The wide one."})).ok()
    readers: list[Caller] = [cast.ada, cast.dan, cast.vega]
    for caller in readers:
        page = (await caller.get(f"{cast.home}/questions")).ok()
        assert [one["id"] for one in page["items"]] == [second, first] and page["total"] == 2
    opened = (await cast.dan.get(f"{cast.home}/questions?state=open")).ok()
    assert [one["id"] for one in opened["items"]] == [second] and opened["total"] == 1
    (await cast.ada.get(f"{cast.home}/questions?state=odd")).refused(422)


async def test_answer_notifies_the_current_lead_if_the_asker_is_gone(cast: Cast) -> None:
    asked = await ask(cast)
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"is_board_lead": True})).ok()
    answered = (await cast.ada.post(f"{cast.home}/questions/{asked}/answers", {"answer": "The wide one."})).ok()
    assert (answered["agent_id"], answered["agent_name"]) == (None, "Atlas")
    assert await Delivery.filter(agent_id=cast.vega.id, header="QUESTION ANSWERED").count() == 1


async def test_answer_is_stored_when_nobody_can_be_notified(cast: Cast) -> None:
    asked = await ask(cast)
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    (await cast.ada.post(f"{cast.home}/questions/{asked}/answers", {"answer": "The wide one."})).ok()
    assert await Delivery.filter(header="QUESTION ANSWERED").count() == 0
    assert await BoardMemory.filter(content="The wide one.").count() == 1


async def test_slash_commands_in_a_question_are_ignored(cast: Cast) -> None:
    await ask(cast, content="/pause")
    assert await Delivery.filter(header="/pause").count() == 0


# Options


OPTIONS = [
    {"label": "The wide one", "outcome": "I mount it tonight.", "recommended": True},
    {"id": "long", "label": "The long one"},
]


async def ask_with_options(cast: Cast, by: Caller | None = None, **fields: Any) -> dict[str, Any]:
    """A question of Vega's, or somebody else's, with two options."""
    new = {"content": "Which lens?", "options": OPTIONS, **fields}
    asked: dict[str, Any] = (await (by or cast.vega).post(f"/agent{cast.home}/questions", new)).ok()
    return asked


async def test_any_agent_of_a_board_can_ask_with_options(cast: Cast) -> None:
    for agent in (cast.vega, cast.atlas):
        asked = await ask_with_options(cast, agent)
        assert (asked["agent_id"], asked["state"]) == (str(agent.id), "open")
        assert asked["options"] == [
            {"id": "1", "label": "The wide one", "outcome": "I mount it tonight.", "recommended": True},
            {"id": "long", "label": "The long one", "outcome": None, "recommended": False},
        ]
        assert (asked["allows_text"], asked["chosen_option_id"]) == (True, None)
    for stranger in (cast.mira, cast.nova):
        (await stranger.post(f"/agent{cast.home}/questions", {"content": "Which?"})).refused(404)
    entry = (await cast.ada.get(f"{cast.home}/memory?is_chat=true")).ok()["items"][0]
    assert entry["content"] == "Question for people: Which lens?\n1. The wide one\n2. The long one"


@pytest.mark.parametrize(("sent", "answer"), [
    ({"option_id": "long"}, "The long one"),
    ({"option_id": "1", "answer": "Until June."}, "The wide one\n\nUntil June."),
    ({"answer": "Neither."}, "Neither."),
])  # fmt: skip
async def test_people_answer_with_an_option(cast: Cast, sent: dict[str, str], answer: str) -> None:
    asked = await ask_with_options(cast)
    found = (await cast.cleo.post(f"{cast.home}/questions/{asked['id']}/answers", sent)).ok()
    assert (found["state"], found["answer"]) == ("answered", answer)
    assert found["chosen_option_id"] == sent.get("option_id")
    notice = (await cast.vega.get("/agent/inbox")).ok()["items"][-1]
    assert notice["kind"] == "question_answered" and answer in notice["text"]
    told = await Delivery.get(agent_id=cast.vega.id, header="QUESTION ANSWERED")
    assert (told.data["option_id"], told.data["answer"]) == (sent.get("option_id"), answer)
    assert (await BoardMemory.get(board_id=cast.board.id, is_chat=False)).content == answer


async def test_lead_is_told_only_of_questions_that_mention_it(cast: Cast) -> None:
    for content, headers in (("Which lens?", set()), ("@lead or somebody: which lens?", {"BOARD CHAT MENTION"})):
        (await cast.vega.post(f"/agent{cast.home}/questions", {"content": content})).ok()
        assert {one.header for one in await Delivery.filter(agent_id=cast.atlas.id)} == headers


async def test_invalid_answers_are_refused(cast: Cast) -> None:
    asked = await ask_with_options(cast, allows_text=False)
    path = f"{cast.home}/questions/{asked['id']}/answers"
    for wrong in ({}, {"option_id": "3"}, {"option_id": " "}, {"answer": "Neither."}):
        (await cast.cleo.post(path, wrong)).refused(422)
    assert (await Question.get(id=asked["id"])).state == "open"
    (await cast.cleo.post(path, {"option_id": "1"})).ok()


@pytest.mark.parametrize("wrong", [
    {"options": [{"label": f"Lens {number}"} for number in range(7)]},
    {"options": [{"label": " "}]},
    {"options": [{"label": "A"}, {"label": "a"}]},
    {"options": [{"id": "x", "label": "A"}, {"id": "x", "label": "B"}]},
    {"options": [{"label": "A", "recommended": True}, {"label": "B", "recommended": True}]},
    {"options": [], "allows_text": False},
])  # fmt: skip
async def test_invalid_options_are_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    (await cast.vega.post(f"/agent{cast.home}/questions", {"content": "Which?", **wrong})).refused(422)


async def test_asker_and_lead_can_withdraw_a_question(cast: Cast) -> None:
    asked = await ask_with_options(cast)
    (await cast.rigel.delete(f"/agent{cast.home}/questions/{asked['id']}")).refused(403)
    (await cast.vega.delete(f"/agent{cast.home}/questions/{asked['id']}")).ok()
    asked = await ask_with_options(cast)
    (await cast.atlas.delete(f"/agent{cast.home}/questions/{asked['id']}")).ok()
