"""Notifications of people: who gets one, who sees it, and what was read."""

from typing import Any

import pytest

from mission_control.memory.models import BoardMemory
from mission_control.notifications.commands import mentioned_people
from mission_control.people.models import User
from mission_control.tasks.models import Comment
from tests.cast import Caller, Cast

pytestmark = pytest.mark.dialect

MINE = "/users/me/notifications"
ADA, TWO, OTHER = [f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3)]
PEOPLE = [{"id": ADA, "name": "Ada"}, {"id": TWO, "name": "Ada Two"}, {"id": OTHER, "name": "Zoë Å"}]


async def mine(who: Caller, *, unread: bool = False) -> list[dict[str, Any]]:
    """The notifications of somebody, newest first."""
    items: list[dict[str, Any]] = (await who.get(f"{MINE}?unread={str(unread).lower()}")).ok()["items"]
    return items


async def say(cast: Cast, who: Caller, task: Any, words: str) -> Any:
    """Comment on a task."""
    return (await who.post(f"{cast.task(task)}/comments", {"message": words})).ok()


async def test_mentions_of_people_in_comments_and_chat(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror")
    await say(cast, cast.vega, task, "@Cleo shall I? cc @nobody, me@cleo.example")
    (await cast.ada.post(f"{cast.home}/memory", {"content": "@cleo, come.", "tags": ["chat"]})).ok()
    (await cast.ada.post(f"{cast.home}/memory", {"content": "@cleo wrote this down", "tags": ["note"]})).ok()
    chat, comment = await mine(cast.cleo)
    assert (comment["kind"], comment["by"]["name"], comment["by"]["kind"]) == ("mention", "Vega", "agent")
    assert comment["task_title"] == "Polish the mirror" and comment["text"].startswith("@Cleo shall I?")
    assert (chat["by"]["name"], chat["task_id"], chat["text"]) == ("Ada", None, "@cleo, come.")
    assert await mine(cast.ben) == []


async def test_mention_that_an_edit_adds_notifies_once(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror")
    comment = await say(cast, cast.ada, task, "@Ben look at this")
    path = f"{cast.task(task)}/comments/{comment['id']}"
    for words in ("@Ben and @Cleo, look at this", "@Ben and @Cleo, look at that"):
        (await cast.ada.patch(path, {"message": words})).ok()
    assert [one["comment_id"] for one in await mine(cast.cleo)] == [comment["id"]]
    assert len(await mine(cast.ben)) == 1
    (await cast.ada.patch(path, {"message": "@Vega look"})).ok()
    (await cast.ada.patch(path, {"message": "@Vega look here"})).ok()
    inbox = (await cast.vega.get("/agent/inbox")).ok()["items"]
    assert [one["kind"] for one in inbox] == ["mention"]


async def test_assignments_by_others(cast: Cast) -> None:
    cleo = str(cast.cleo.id)
    await cast.add_task(title="Given at once", assigned_user_id=cleo)
    task = await cast.add_task(title="Given later")
    (await cast.ada.patch(cast.task(task), {"assigned_user_id": cleo})).ok()
    (await cast.ada.patch(cast.task(task), {"title": "Renamed"})).ok()
    await cast.add_task(cast.cleo, title="Taken by herself", assigned_user_id=cleo)
    found = await mine(cast.cleo)
    assert [one["task_title"] for one in found] == ["Renamed", "Given at once"]
    assert {one["kind"] for one in found} == {"assignment"} and found[0]["text"] is None


async def test_reading_some_and_all(cast: Cast) -> None:
    for title in ("One", "Two", "Three"):
        await cast.add_task(title=title, assigned_user_id=str(cast.cleo.id))
    three, two, one = await mine(cast.cleo)
    assert (await cast.cleo.post(f"{MINE}/readings", {"ids": [one["id"]]})).ok() == {"unread": 2}
    assert (await cast.ada.post(f"{MINE}/readings", {"ids": [two["id"]]})).ok() == {"unread": 0}
    assert [item["id"] for item in await mine(cast.cleo, unread=True)] == [three["id"], two["id"]]
    assert (await cast.cleo.post(f"{MINE}/readings", {"until": two["created_at"]})).ok() == {"unread": 1}
    assert (await cast.cleo.post(f"{MINE}/readings", {"until": "2099-01-01T00:00:00Z"})).ok() == {"unread": 0}
    assert all(item["read_at"] for item in await mine(cast.cleo))
    wrongs: list[dict[str, Any]] = [
        {},
        {"ids": []},
        {"ids": None},
        {"ids": [one["id"]], "until": one["created_at"]},
        {"all": True},
    ]
    for wrong in wrongs:
        (await cast.cleo.post(f"{MINE}/readings", wrong)).refused(422)


async def test_only_of_what_the_reader_reaches_and_what_is_there(cast: Cast) -> None:
    task = await cast.add_task()
    await say(cast, cast.ada, task, "@Cleo look, and @Eve too")
    assert await mine(cast.eve) == [], "she does not reach the board"
    (await cast.ada.post(f"{cast.home}/memory", {"content": "@Cleo!", "tags": ["chat"]})).ok()
    await Comment.all().update(deleted_at="2026-01-01T00:00:00")
    await BoardMemory.all().delete()
    assert [one["text"] for one in await mine(cast.cleo)] == [None, None]
    (await cast.ada.delete(cast.task(task))).ok()
    assert [one["task_id"] for one in await mine(cast.cleo)] == [None]
    (await cast.ada.delete(cast.home)).ok()
    assert await mine(cast.cleo) == []


@pytest.mark.parametrize(("text", "found"), [
    ("@Ada", [ADA, TWO]),
    ("@ada two and @ADA", [TWO, ADA]),
    ("@zoë å, @Zoë", [OTHER]),
    ("mail@ada.example @ada@example.org @Adam", []),
    ("@", []),
])  # fmt: skip
def test_names_in_texts(text: str, found: list[str]) -> None:
    assert [str(one) for one in mentioned_people(text, PEOPLE)] == found


async def test_person_without_a_name_is_not_mentioned(cast: Cast) -> None:
    await User.filter(id=cast.cleo.id).update(name=None, preferred_name=None)
    await say(cast, cast.ada, await cast.add_task(), "@Cleo")
    assert await mine(cast.cleo) == []
