"""A moment before which no agent begins a task, whichever way it asks; people start it when they want."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from mission_control.people.models import User
from mission_control.runs.claims.leases import take_from_silent
from tests.cast import Cast, events, head
from tests.claiming import claim, later, taken, title_of_next
from tests.mcp.clients import connected
from tests.runs.test_start_pages import page_of, version_in
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

EARLY = "No agent begins this task before"


def in_an_hour() -> str:
    return times.wire(times.clock_now() + timedelta(hours=1))


async def test_best_claim_leaves_it_until_its_moment(cast: Cast) -> None:
    await cast.add_task(title="Tonight", priority="urgent", not_before=in_an_hour())
    await cast.add_task(title="Its own, tonight", not_before=in_an_hour(), assigned_agent_id=str(cast.vega.id))
    await cast.add_task(title="Now")
    await cast.add_task(title="Since yesterday", not_before=times.wire(times.clock_now() - timedelta(days=1)))
    assert [await title_of_next(cast) for _ in range(3)] == ["Now", "Since yesterday", None]
    with later(3601):
        assert [await title_of_next(cast) for _ in range(3)] == ["Its own, tonight", "Tonight", None]


async def test_agents_that_name_it_are_refused_until_its_moment(cast: Cast) -> None:
    for body in ({"status": "in_progress"}, {"status": "review", "comment": "Done."}, {"status": "done"}):
        task = await cast.add_task(not_before=in_an_hour())
        refused = (await cast.vega.patch(f"/agent{cast.task(task)}", body)).refused(409)
        assert refused["code"] == "task_not_claimable" and EARLY in refused["message"]
        with later(3601):
            (await cast.vega.patch(f"/agent{cast.task(task)}", body)).ok()
    task = await cast.add_task(not_before=in_an_hour())
    for refused in (
        (await claim(cast, task_id=task["id"])).refused(409),
        (await cast.vega.post("/agent/next", {"task_id": task["id"]})).refused(409),
    ):
        assert refused["code"] == "task_not_claimable" and EARLY in refused["message"]
    async with connected(cast.vega) as vega:
        assert EARLY in str((await vega.call("next", task_id=task["id"])).content)
    with later(3601):
        assert (await taken(cast, task_id=task["id"]))["id"] == task["id"]


async def test_lead_assigns_early_and_starts_when_the_moment_has_come(cast: Cast) -> None:
    task = await cast.add_task(not_before=in_an_hour())
    to_vega = {"assigned_agent_id": str(cast.vega.id)}
    start = to_vega | {"status": "in_progress"}
    assert EARLY in (await cast.atlas.patch(f"/agent{cast.task(task)}", start)).refused(409)["message"]
    new = {"title": "At once", "not_before": in_an_hour(), **start}
    assert EARLY in (await cast.atlas.post(f"/agent{cast.tasks}", new)).refused(409)["message"]
    (await cast.atlas.patch(f"/agent{cast.task(task)}", to_vega)).ok()
    notices = (await cast.vega.get("/agent/inbox")).ok()["items"]
    assert f"from {times.iso(times.parse_since(task['not_before']) or times.clock_now())} on" in notices[-1]["text"]
    with later(3601):
        (await cast.atlas.patch(f"/agent{cast.task(task)}", start)).ok()


async def test_person_starts_it_early_by_api_and_by_start(cast: Cast) -> None:
    task = await cast.add_task(not_before=in_an_hour())
    begun = {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)}
    assert (await cast.cleo.patch(cast.task(task), begun)).ok()["status"] == "in_progress"

    task = await cast.add_task(not_before=in_an_hour())
    ada, url = await visitor(cast.app, cast.ada), page_of(cast, task, "/start")
    dialog = (await ada.with_htmx.get(url)).has("No agent is to begin it before", "You can start it now")
    before = await head(cast)
    form = {"agent_id": str(cast.rigel.id), "version": version_in(dialog.text)}
    (await ada.with_htmx.post(url, form)).is_status(204)
    assert (await taken(cast, cast.rigel))["not_before"] is None
    [changed, *_] = [one for one in await events(before) if one.kind == "task.updated"]
    assert '"not_before":null' in changed.data.replace(" ", "")


async def test_it_says_why_nobody_takes_it(cast: Cast) -> None:
    until = in_an_hour()
    task = await cast.add_task(not_before=until)

    async def reasons() -> list[dict[str, Any]]:
        found = (await cast.ada.get(f"{cast.task(task)}/waiting")).ok()
        return [one for one in found["reasons" if "reasons" in found else "items"] if one["kind"] == "not_before"]

    [reason] = await reasons()
    assert reason["until"] == until and "a person may start it earlier" in reason["text"]
    (await (await visitor(cast.app, cast.ada)).get(page_of(cast, task))).has("No agent begins it before")
    with later(3601):
        assert await reasons() == []


async def test_rework_that_has_to_wait_is_not_taken_from_its_agent(cast: Cast) -> None:
    await cast.add_task()
    task = await taken(cast)
    (await cast.vega.patch(f"/agent{cast.task(task)}", {"status": "review"})).ok()
    sent_back = {"decision": "changes_requested", "note": "Shorter."}
    (await cast.ada.post(f"{cast.task(task)}/reviews", sent_back)).ok()
    tomorrow = times.clock_now() + timedelta(days=1)
    (await cast.ada.patch(cast.task(task), {"not_before": times.wire(tomorrow)})).ok()

    async def owner() -> str | None:
        await take_from_silent()
        assigned: str | None = (await cast.ada.get(cast.task(task))).ok()["assigned_agent_id"]
        return assigned

    with later(days=1, seconds=1):
        assert await owner() == str(cast.vega.id)
    with later(days=3):
        assert await owner() is None


async def test_query_finds_what_is_to_come_and_what_has_come(cast: Cast) -> None:
    await cast.add_task(title="None")
    await cast.add_task(title="Soon", not_before=in_an_hour())
    await cast.add_task(title="Came", not_before=times.wire(times.clock_now() - timedelta(hours=1)))
    await cast.add_task(title="Late", not_before="2031-03-14T22:00:00Z", due_at="2031-03-01T00:00:00Z")

    async def titles(query: str) -> list[str]:
        found = (await cast.ada.get(f"{cast.tasks}?sort=not_before&query={query}")).ok()["items"]
        return [one["title"] for one in found]

    assert await titles("") == ["Came", "Soon", "Late", "None"]
    for query, found in (
        ("future", ["Soon", "Late"]), ("past", ["Came"]), ("None", ["None"]), ("2031-03-14", ["Late"]),
        (">=2031-03-14", ["Late"]), (">2031-03-14T22:00", []), (">=2031-03-14T22:00", ["Late"]),
        ("<2031-03-14T22:01", ["Came", "Soon", "Late"]),
    ):  # fmt: skip
        assert await titles(f"not_before:{query}") == found, query


@pytest.mark.parametrize(("zone", "moment"), [
    ("Europe/Berlin", "2031-03-31T20:00:00Z"), ("America/New_York", "2031-04-01T02:00:00Z"),
])  # fmt: skip
async def test_moment_is_typed_and_shown_where_the_person_is(cast: Cast, zone: str, moment: str) -> None:
    """After the clocks of both were set forward."""
    await User.filter(id=cast.ada.id).update(timezone=zone)
    line = {"text": "Rebuild the index not before 2031-03-31 22:00 !high"}
    task = (await cast.ada.post(f"{cast.tasks}/lines", line)).ok()
    assert (task["title"], task["not_before"], task["priority"]) == ("Rebuild the index", moment, "high")
    ada = await visitor(cast.app, cast.ada)
    shown = "Mon 31 Mar 2031 22:00"
    (await ada.get(cast.home)).has(f"Not before {shown}")
    (await ada.get(f"{cast.home}?view=table&columns=not_before")).has(shown)
    panel = (await ada.get(page_of(cast, task))).has(f'value="{shown}"')
    assert 'name="not_before"' in panel.text
    (await ada.post(page_of(cast, task, "/changes"), {"not_before": "2031-10-27 22:00"}))
    winter = (await cast.ada.get(cast.task(task))).ok()["not_before"]
    assert winter == {"Europe/Berlin": "2031-10-27T21:00:00Z", "America/New_York": "2031-10-28T02:00:00Z"}[zone]
    (await ada.get(f"{cast.home}/activity")).has("set the earliest start of", "to 2031-10-27 22:00")


@pytest.mark.parametrize("text", ["Eat not before lunch", "Leave not before 25:00", "Not before"])
async def test_words_that_are_no_moment_stay_in_the_title(cast: Cast, text: str) -> None:
    made = (await cast.cleo.post(f"{cast.tasks}/lines", {"text": text})).ok()
    assert (made["title"], made["not_before"]) == (text, None)


async def test_card_no_longer_says_a_moment_that_has_come(cast: Cast) -> None:
    await cast.add_task(not_before=in_an_hour())
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(cast.home)).has("Not before ")
    with later(3601):
        (await ada.get(cast.home)).lacks("Not before ")
