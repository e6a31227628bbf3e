"""The palette, and what surrounds every page."""

from mission_control.boards.commands import create_board
from mission_control.boards.schemas import BoardCreate
from mission_control.people.models import Organization
from tests.cast import Cast, hire
from tests.things import NO_GATEWAY
from tests.visitor import visitor


async def test_palette_finds_pages_actions_tasks_and_agents(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror 100%")
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    current = f"http://localhost/boards/{cast.board.id}"
    empty = await ada.get("/palette?q=", HX_Current_URL=current)
    empty.has("Approvals", "Telescope", "New board", "New agent", "New task on Telescope", 'role="option"')
    empty.lacks("<!doctype", "Polish")
    for query in ("mirror+polish", "%231", "1", "100%25"):
        (await ada.get(f"/palette?q={query}")).has(f"/boards/{cast.board.id}/tasks/{task['id']}", "Telescope · Inbox")
    (await ada.get("/palette?q=vega")).has(f"/agents/{cast.vega.id}")
    await cast.add_task(title="Élan vital")
    (await ada.get("/palette?q=%C3%A9lan")).has("Élan vital")
    (await ada.get("/palette?q=zzz")).has("Nothing found for “zzz”").lacks("option")
    (await ada.get("/palette?q=%25%25")).lacks("Polish")


async def test_palette_is_limited_to_readable_things(cast: Cast) -> None:
    await cast.add_task(title="Secret mirror")
    eve, cleo, dan = [await visitor(cast.app, person) for person in (cast.eve, cast.cleo, cast.dan)]
    (await eve.get("/palette?q=mirror")).lacks("Secret mirror")
    (await cleo.get("/palette?q=mirror")).has("<!doctype html>", "Secret mirror")
    (await cleo.get("/palette?q=mira")).lacks("/agents/", ">Mira<")
    (await dan.get(f"/palette?board={cast.board.id}")).lacks("New task", "New board", "New agent")


async def test_palette_shows_at_most_twenty_results(cast: Cast) -> None:
    for number in range(25):
        await cast.add_task(title=f"Mirror {number}")
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    assert (await ada.get("/palette?q=mirror")).text.count('role="option"') == 20 + 1  # and what leads to all of them
    await hire(cast.app, cast.ada, cast.board, "Mirror keeper")
    (await ada.get("/palette?q=mirror")).has("Mirror keeper")


async def test_palette_shows_task_status(cast: Cast) -> None:
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    await cast.add_task(title="Grind glass")
    (await ada.get("/palette?q=grind")).has("#circle-dashed").lacks('#circle-dot"')
    await cast.add_task(title="Silver it", status="review")
    (await ada.get("/palette?q=silver")).has("#circle-question-mark").lacks('#circle-dot"')


async def test_shell_updates_boards_queue_and_presence(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching("/settings/live") as watch:
        await cast.ask()
        assert '<hx-partial hx-target="[data-queue-count]" hx-swap="innerHTML">1<' in await watch.until("queue-count")
        new = BoardCreate(name="Orbit", slug="orbit", description="Out there.")
        await create_board(await cast.ada.actor(), cast.organization.id, new)
        assert 'hx-target="#nav-boards"' in await watch.until("Orbit")
        await cast.rigel.post("/agent/heartbeat", {})
        await watch.until('hx-target="[data-online-count]"')


async def test_demo_data_is_marked(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings")).lacks("Demo data")
    await Organization.filter(id=cast.organization.id).update(is_demo=True)
    (await ada.get("/settings")).has("Demo data")


async def test_palette_ranks_and_finds_people_gateways_and_what_was_written(cast: Cast) -> None:
    task = await cast.add_task(title="Other")
    (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "The zenith is clear."})).ok()
    (await cast.ada.post(f"{cast.home}/memory", {"content": "Zenith means straight up."})).ok()
    (await cast.ada.post("/gateways", NO_GATEWAY)).ok()
    ada, cleo = [(await visitor(cast.app, one)).with_htmx for one in (cast.ada, cast.cleo)]
    (await ada.get("/palette?q=zenith")).has("#comment-", "The zenith is clear.", "Zenith means", "Comment · Telescope")
    (await ada.get("/palette?q=cleo")).has('aria-label="People"', "/settings/people")
    (await ada.get("/palette?q=basement")).has('aria-label="Gateways"', "Show everything found for “basement”")
    (await cleo.get("/palette?q=basement")).has("Nothing found")
    await cast.add_task(title="Agents of change")
    seen = (await ada.get("/palette?q=agents")).text
    assert seen.index(">Agents<") < seen.index("Agents of change")


async def test_palette_finds_groups(cast: Cast) -> None:
    group = (await cast.ada.post("/board-groups", {"name": "Night crew", "slug": "night", "description": ""})).ok()
    ada, dan = [(await visitor(cast.app, one)).with_htmx for one in (cast.ada, cast.dan)]
    (await ada.get("/palette?q=night+crew")).has(f"/groups/{group['id']}", "Night crew")
    (await dan.get("/palette?q=night")).lacks("Night crew")


async def test_palette_understands_a_new_task(cast: Cast) -> None:
    (await cast.ada.post("/tags", {"name": "shop"})).ok()
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    current = f"http://localhost/boards/{cast.board.id}"
    query = "/palette?q=new+task+Renew+it+%40Vega+%23shop+!high+due:2027-03-05"
    seen = await ada.with_htmx.get(query, HX_Current_URL=current)
    seen.has("New task: Renew it", "@Vega · #shop · !high · due:2027-03-05 · Telescope")
    (await dan.with_htmx.get(query, HX_Current_URL=current)).lacks("New task: Renew it")
    form = await ada.get(f"{cast.home}/tasks/new?text=Renew+it+%40Vega+%23shop+!high+due:2027-03-05")
    form.has('value="Renew it"', 'value="2027-03-05"', f'value="agent:{cast.vega.id}" selected', '"high" selected')
