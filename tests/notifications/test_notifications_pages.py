"""The list of notifications, its count in the shell, and what a tab asks that nobody looks at."""

import html
import json
import re
from typing import Any

from tests.cast import Cast
from tests.visitor import Visitor, visitor


def said(text: str) -> dict[str, Any]:
    """What the answer of /badge says."""
    found = re.search(r'data-badge="([^"]*)"', text)
    assert found
    answer: dict[str, Any] = json.loads(html.unescape(found[1]))
    return answer


async def test_list_shows_what_concerns_the_reader_and_counts(cast: Cast) -> None:
    task = await cast.add_task(title="Polish <it>", assigned_user_id=str(cast.cleo.id))
    (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "@Cleo <b>now</b>?"})).ok()
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get("/notifications")).is_status(200)
    seen.has(
        "Ada assigned you #1 Polish &lt;it&gt;",
        "Vega mentioned you on #1 Polish",
        "@Cleo &lt;b&gt;now&lt;/b&gt;?",
        "#comment-",
    )
    seen.has("data-unread-count>2<", "Mark all as read")
    (await (await visitor(cast.app, cast.ben)).get("/notifications")).has("You have read everything")
    (await (await visitor(cast.app, cast.ben)).get("/notifications?all=1")).has("Nothing yet")


async def test_reading_by_form_and_until_what_was_seen(cast: Cast) -> None:
    for title in ("One", "Two"):
        await cast.add_task(title=title, assigned_user_id=str(cast.cleo.id))
    [two, one] = (await cast.cleo.get("/users/me/notifications")).ok()["items"]
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post("/notifications/readings", {"id": two["id"]})).is_status(303)
    (await cleo.get("/notifications")).has("One").lacks("#2 Two")
    await cast.add_task(title="Three", assigned_user_id=str(cast.cleo.id))
    (await cleo.with_htmx.post("/notifications/readings", {"until": one["created_at"]})).is_status(204)
    (await cleo.get("/notifications")).has("Three", "data-unread-count>1<").lacks("#1 One")
    (await cleo.get("/notifications?all=1")).has("#1 One", "#2 Two", "Three")
    (await cleo.post("/notifications/readings", {"id": "no"})).is_status(422)


async def test_long_list_says_what_is_missing(cast: Cast) -> None:
    for number in range(52):
        await cast.add_task(title=f"Task {number}", assigned_user_id=str(cast.cleo.id))
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get("/notifications")).has("50 of 52", "Show 52").lacks("Task 0<")
    (await cleo.get("/notifications?show=52")).lacks("Show 52")
    (await cleo.get("/notifications?show=many")).is_status(200)


async def test_pages_of_the_person_follow(cast: Cast) -> None:
    cleo, ben = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.ben)
    async with (
        cleo.watching("/notifications/live?all=0") as one,
        cleo.watching("/settings/live") as other,
        ben.watching("/settings/live") as bens,
    ):
        await cast.add_task(title="New for Cleo", assigned_user_id=str(cast.cleo.id))
        await one.until("New for Cleo")
        await other.until('hx-target="[data-unread-count]"')
        await cast.add_task(title="New for Ben", assigned_user_id=str(cast.ben.id))
        assert "Cleo" not in await bens.until('hx-target="[data-unread-count]"')
        (await cast.cleo.post("/users/me/notifications/readings", {"until": "2099-01-01T00:00:00Z"})).ok()
        await one.until("You have read everything")


async def test_tab_that_nobody_looks_at_asks_for_counts(cast: Cast) -> None:
    await cast.ask(cast.vega)
    await cast.add_task(title="Polish", assigned_user_id=str(cast.cleo.id))
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get("/badge")).is_status(200)
    badge = said(seen.text)
    assert (badge["waiting"], badge["unread"], badge["newest"]["title"]) == (1, 1, "Ada assigned you #1 Polish")
    assert f"/static/{badge['build']}/js/pages/away.js" in (await cleo.get("/notifications")).text
    assert (await Visitor(cast.app).get("/badge")).status in (302, 303, 401)


async def test_stream_begins_with_the_build(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    build = said((await cleo.get("/badge")).text)["build"]
    async with cleo.watching("/settings/live") as watch:
        assert build in await watch.until("event: build")


async def test_settings_page_says_how_a_browser_notifies(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get("/settings/notifications")).has("Notify me", "Add this device")
