"""The activity: what happened, in sentences, filtered, paged, live, and only what the reader reaches."""

import pytest

from mission_control.core import times
from mission_control.events.event_log import KINDS
from mission_control.events.models import Event
from mission_control.tasks.activity.sentences import describe
from tests.cast import Cast
from tests.visitor import visitor


async def test_feed_shows_what_happened(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.ada.patch(cast.task(task), {"status": "in_progress", "assigned_agent_id": str(cast.vega.id)})
    await cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": "Half **way**"})
    asked = await cast.ask(None, task)
    await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"decision": "approved"})
    seen = (await (await visitor(cast.app, cast.ada)).get("/activity")).is_status(200)
    seen.has("Today", "#1 Write the report", "to In progress", "commented on", "<strong>way</strong>")
    seen.has("asked for approval: publish, for", "approved publish, for", "Vega", "Ada", "Telescope")


async def test_feed_is_limited_to_readable_boards(cast: Cast) -> None:
    await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Secret of the dome"})
    await cast.add_task(title="Open to all")
    (await (await visitor(cast.app, cast.dan)).get("/activity")).has("Open to all").lacks("Secret of the dome")
    (await (await visitor(cast.app, cast.eve)).get("/activity")).lacks("Open to all", "Secret of the dome")


async def test_feed_links_agents_only_for_admins(cast: Cast) -> None:
    made = (await cast.ada.post("/agents", {"board_id": str(cast.board.id), "name": "Lyra"})).ok()
    page, name = f'href="/agents/{made["id"]}"', "Lyra"
    (await (await visitor(cast.app, cast.ada)).get("/activity")).has(name, page)
    (await (await visitor(cast.app, cast.dan)).get("/activity")).has(name).lacks(page)


async def test_filters_are_in_the_address(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.vega.post(f"/agent{cast.task(task)}/comments", {"message": "Only this"})
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/activity?kind=comments")).has("Only this").lacks("> added ")
    (await ada.get(f"/activity?actor=agent:{cast.vega.id}")).has("Only this").lacks("<strong>Ada</strong>")
    (await ada.get(f"/activity?board={cast.other_board.id}")).lacks("Only this")
    (await ada.get(f"{cast.home}/activity?kind=approvals")).has("Nothing matches")


async def test_older_entries_are_loaded_by_number(cast: Cast) -> None:
    for number in range(55):
        await cast.add_task(title=f"Plate {number:02}")
    ada = await visitor(cast.app, cast.ada)
    first = (await ada.get(f"{cast.home}/activity")).has("Plate 54", "Load older").lacks("Plate 01")
    url = first.text.split('id="feed-older"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    older = (await ada.with_htmx.get(url)).is_status(200).has("Plate 01").lacks("Plate 54", "<!doctype", "Today")
    assert older.text.count("feed-item") == (await ada.get(url)).text.count("feed-item")


async def test_feed_is_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching("/activity/live?day=Today") as watch:
        await cast.add_task(title="Just now")
        text = await watch.until("feed-first-day")
    assert 'hx-target="#feed-new"' in text and "Just now" in text


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.endswith(("notified", "notify_failed"))])
def test_every_event_kind_has_a_sentence(kind: str) -> None:
    did, _, _ = describe(kind, {}, "What the log says.", {})
    assert did and did != "what the log says."


async def test_feed_shows_names_instead_of_ids(cast: Cast) -> None:
    await cast.ada.post("/tags", {"name": "Optics", "slug": "optics"})
    await cast.ada.post(f"{cast.home}/memory", {"content": "Lenses are cold", "tags": ["chat"]})
    await cast.ask(None)
    seen = (await (await visitor(cast.app, cast.ada)).get("/activity")).is_status(200)
    seen.has("made the tag Optics", "wrote in the chat", "asked for approval:", ">publish</a>").lacks("for a decision")


async def test_limit_below_usage_is_not_blamed_on_its_author(cast: Cast) -> None:
    await cast.vega.post("/agent/usage", {"input_tokens": 500, "output_tokens": 1})
    await cast.ada.post("/budgets", {"unit": "tokens", "limit": 100, "agent_id": str(cast.vega.id)})
    seen = await (await visitor(cast.app, cast.ada)).get("/activity")
    seen.has("set a limit that is used up already: the agent").lacks("Ada</strong> used up")


async def test_filter_hides_agents_of_unreadable_boards(cast: Cast) -> None:
    (await (await visitor(cast.app, cast.dan)).get("/activity")).has("Vega", "Ben").lacks("Mira", str(cast.mira.id))
    (await (await visitor(cast.app, cast.ada)).get("/activity")).has("Vega", "Mira").lacks("Nova")


async def test_link_to_an_event_leads_to_its_place(cast: Cast) -> None:
    task = await cast.add_task(title="Halley")
    ada, eve = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.eve)
    event = await Event.filter(task_id=task["id"], kind="task.created").get()
    for name in (str(event.seq), str(event.id)):
        to = (await ada.get(f"/activity?event={name}")).leads_to
        assert to.endswith(f"#event-{event.seq}")
        (await ada.get(to.partition("#")[0])).has(f'id="event-{event.seq}"', "Halley")
    assert "#event-" in (await ada.get(f"/boards/{cast.board.id}/activity?event={event.seq}")).leads_to
    (await eve.get(f"/activity?event={event.id}")).is_status(200).has("The event of this link is not here").lacks(
        "Halley"
    )
    for odd in ("x", "99999999", "9" * 60):
        (await ada.get(f"/activity?event={odd}")).is_status(200).has("is not here")


async def test_activity_is_narrowed_by_days_and_new_kinds(cast: Cast) -> None:
    await cast.add_task(title="Halley")
    (await cast.ada.post(f"{cast.home}/memory", {"content": "Hi", "tags": ["chat"]})).ok()
    ada, today = await visitor(cast.app, cast.ada), times.clock_now().date()
    (await ada.get(f"/activity?from={today}&to={today}")).has("Halley")
    (await ada.get("/activity?from=2099-01-01")).has("Nothing matches").lacks("Halley")
    (await ada.get("/activity?to=2001-01-01")).has("Nothing matches")
    (await ada.get("/activity?from=nonsense&to=9999-12-31")).has("Halley")
    (await ada.get("/activity?kind=memory")).has("wrote in the chat").lacks("Halley")
