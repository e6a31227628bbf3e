"""Comments: who says what where, who is told, and what was recorded."""

import pytest

from mission_control.events.leases import Delivery
from tests.cast import Cast, events, head

pytestmark = pytest.mark.dialect

KEYS = ["id", "message", "agent_id", "task_id", "created_at", "author", "edited_at"]


async def told(cast: Cast) -> set[tuple[str, str]]:
    """Who was told under which heading, since the last look."""
    found = await Delivery.all()
    names = {str(one.id): one.name.split()[0].lower() for one in (cast.atlas, cast.vega, cast.rigel, cast.mira)}
    await Delivery.all().delete()
    return {(names[str(one.agent_id)], one.header) for one in found}


async def test_person_comments(cast: Cast) -> None:
    task, before = await cast.add_task(), await head(cast)
    comment = (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": "  Hello.  "})).ok()
    assert list(comment) == KEYS
    assert (comment["message"], comment["agent_id"]) == ("Hello.", None)
    assert comment["author"] == {"id": str(cast.cleo.id), "name": "Cleo"}
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.message, event.actor_id) == ("task.comment", "Comment written.", cast.cleo.id)
    assert str(event.id) == comment["id"]


async def test_worker_comments_on_any_task_of_its_board(cast: Cast) -> None:
    task, before = await cast.add_task(assigned_agent_id=cast.rigel.id), await head(cast)
    for prefix in ("", "/agent"):
        comment = (await cast.vega.post(f"{prefix}{cast.task(task)}/comments", {"message": "Done."})).ok()
        assert (comment["agent_id"], comment["author"]) == (str(cast.vega.id), None)
    assert {event.agent_id for event in await events(before, kind="task.comment")} == {cast.vega.id}


async def test_comments_are_listed_oldest_first(cast: Cast) -> None:
    task = await cast.add_task()
    path = f"{cast.task(task)}/comments"
    for text in ("one", "two", "three"):
        (await cast.ada.post(path, {"message": text})).ok()
    page = (await cast.dan.get(f"{path}?limit=2&offset=1")).ok()
    assert ([one["message"] for one in page["items"]], page["total"]) == (["two", "three"], 3)
    assert (await cast.vega.get(f"/agent{path}")).ok()["total"] == 3


async def test_lead_comments_only_where_allowed(cast: Cast) -> None:
    plain = await cast.add_task()
    body = {"message": "Look again."}
    assert isinstance((await cast.atlas.post(f"{cast.task(plain)}/comments", body)).refused(403), str)
    for words in ("@atlas please", "ask the @LEAD"):
        mentioned = await cast.add_task()
        (await cast.vega.post(f"{cast.task(mentioned)}/comments", {"message": words})).ok()
        (await cast.atlas.post(f"{cast.task(mentioned)}/comments", body)).ok()
    reviewed = await cast.add_task(status="review")
    (await cast.atlas.post(f"{cast.task(reviewed)}/comments", body)).ok()
    own = (await cast.atlas.post(f"/agent{cast.tasks}", {"title": "Its own"})).ok()
    (await cast.atlas.post(f"/agent{cast.task(own)}/comments", body)).ok()
    about_another = await cast.add_task()
    (await cast.vega.post(f"{cast.task(about_another)}/comments", {"message": "@rigel, mail a@atlas"})).ok()
    (await cast.atlas.post(f"{cast.task(about_another)}/comments", body)).refused(403)


@pytest.mark.parametrize(("author", "message", "expected"), [
    ("cleo", "No names.", {("vega", "NEW TASK COMMENT")}),
    ("vega", "No names.", set()),
    ("rigel", "No names.", {("vega", "NEW TASK COMMENT")}),
    ("cleo", "@rigel what is this?", {("rigel", "TASK MENTION")}),
    ("cleo", "@RIGEL and @lead!", {("rigel", "TASK MENTION"), ("atlas", "TASK MENTION")}),
    ("cleo", "(@vega)", {("vega", "TASK MENTION")}),
    ("vega", "@vega talks to itself", set()),
    ("vega", "@atlas look", {("atlas", "TASK MENTION")}),
])  # fmt: skip
async def test_comment_notifies_the_right_agents(
    cast: Cast, author: str, message: str, expected: set[tuple[str, str]]
) -> None:
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await told(cast)
    (await getattr(cast, author).post(f"{cast.task(task)}/comments", {"message": message})).ok()
    assert await told(cast) == expected


async def test_notice_quotes_at_most_500_characters(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    await told(cast)
    (await cast.cleo.post(f"{cast.task(task)}/comments", {"message": "x" * 501})).ok()
    [notice] = await Delivery.all()
    assert "x" * 497 + "..." in notice.text and "x" * 498 not in notice.text
    assert "From: Cleo" in notice.text and notice.text.startswith("Board: Telescope\nTask: #1 Write the report")
